"""Wrong lines of metrics, mixing laws, measurements and layers."""

from mutation import mutants_of

SIGNALS = (
    *mutants_of(
        "metrics/waveform.py",
        "metrics/test_waveform_metrics.py",
        (
            "si-sdr-sign",
            "gain = np.sum(estimate * reference)",
            "gain = -np.sum(estimate * reference)",
            "test_perfect_and_silent_estimates_score_infinity_or_zero",
        ),
        (
            "si-sdr-scales-the-estimate",
            "/ np.sum(reference**2)\n    target",
            "/ np.sum(estimate**2)\n    target",
        ),
        (
            "si-sdr-removes-the-mean",
            "reference, estimate = check_pair(reference, estimate)\n    gain",
            "reference, estimate = (x - x.mean() for x in check_pair(reference, estimate))"
            "\n    gain",
        ),
        (
            "snr-removes-the-mean",
            "reference, estimate = check_pair(reference, estimate)\n    return",
            "reference, estimate = (x - x.mean() for x in check_pair(reference, estimate))"
            "\n    return",
        ),
        (
            "decibels-of-amplitudes",
            "float(10.0 * np.log10(signal / noise))",
            "float(20.0 * np.log10(signal / noise))",
        ),
        ("ratio-upside-down", "np.log10(signal / noise)", "np.log10(noise / signal)"),
        ("improvement-sign", "return float(after - before)", "return float(before - after)"),
    ),
    *mutants_of(
        "metrics/bss.py",
        "metrics/test_bss.py",
        (
            "bss-sir-and-sar-swapped",
            "BSSScores(sdr=sdr, isr=isr, sir=sir, sar=sar)",
            "BSSScores(sdr=sdr, isr=isr, sir=sar, sar=sir)",
            "test_interference_lowers_sir_and_noise_lowers_sar",
        ),
    ),
    *mutants_of(
        "metrics/spectra.py",
        "metrics/test_spectra.py",
        (
            "frechet-without-shared-spread",
            "- 2 * np.sum(np.sqrt(np.maximum(shared, 0)))",
            "",
            "test_a_set_has_no_distance_to_itself_even_with_constant_bands",
        ),
    ),
    *mutants_of(
        "metrics/spectral_error.py",
        "metrics/test_spectral_error.py",
        (
            "tilt-sign",
            "np.sum(weight * octave * mean) / np.sum(weight * octave**2)",
            "-np.sum(weight * octave * mean) / np.sum(weight * octave**2)",
        ),
        (
            "tilt-of-every-bin-alike",
            "weight = active.sum(axis=0) / hertz[fitted]",
            "weight = active.sum(axis=0)",
            "test_every_octave_has_the_same_weight_in_the_tilt_of_three_tones",
        ),
        ("spectral-levels-of-amplitudes", "10 * np.log10(difference)", "20 * np.log10(difference)"),
        (
            "spectral-levels-of-silence-too",
            "active = power >= loudest",
            "active = power >= 0 * loudest",
        ),
    ),
    *mutants_of(
        "metrics/transfer.py",
        "metrics/test_transfer.py",
        ("transfer-upside-down", "distances[index] / to_others", "to_others / distances[index]"),
        (
            "transfer-own-source-among-the-others",
            "np.median(np.delete(distances, index))",
            "np.median(distances)",
        ),
    ),
    *mutants_of(
        "metrics/uncertainty.py",
        "metrics/test_uncertainty.py",
        (
            "error-of-one-not-of-the-mean",
            "np.std(values, ddof=1) / np.sqrt(len(values))",
            "np.std(values, ddof=1)",
        ),
        (
            "error-of-files-alone",
            "error_files**2 + error_seeds**2 - cells",
            "error_files**2 - cells",
        ),
        ("error-counts-cells-twice", "error_seeds**2 - cells", "error_seeds**2 + cells"),
        (
            "every-mixture-counts-once",
            "found[name] = float(own.mean())",
            "found[name] = float(own.sum())",
        ),
    ),
    *mutants_of(
        "data/batches/mixing_laws.py",
        "data/batches/test_mixing.py",
        (
            "paper-law-weights-swapped",
            "np.multiply(targets, weights[:-1, None], out=sources)",
            "np.multiply(targets, weights[1:, None], out=sources)",
        ),
        (
            "paper-law-others-unweighted",
            "[weights[-1]] * len(others)",
            "[np.float32(1)] * len(others)",
        ),
        (
            "snr-law-sign",
            "residual *= _gain(level, root_mean_square(residual), gain_db - reference_db)",
            "residual *= _gain(level, root_mean_square(residual), gain_db + reference_db)",
        ),
        (
            "snr-law-of-amplitude-as-power",
            "level * 10.0 ** (above_db / 20) / rms",
            "level * 10.0 ** (above_db / 10) / rms",
        ),
        (
            "snr-law-moves-the-second-source-alike",
            "gain_db + float(snr) - reference_db",
            "gain_db + 0 * float(snr)",
        ),
        (
            "snr-law-without-spread",
            "_gain(1.0, rms, level_db)",
            "_gain(1.0, rms, 0.0)",
        ),
        (
            "snr-law-raises-silence",
            "return rms if rms > 10.0 ** (silence_db / 20) else 0.0",
            "return rms",
        ),
        (
            "limit-the-mixture-only",
            "residual = np.multiply(residual, scale, out=out and out.residual)",
            "residual = np.multiply(residual, np.float32(1), out=out and out.residual)",
        ),
        (
            "limit-the-positive-peak-only",
            "peak = float(max(mixture.max(), -mixture.min()))",
            "peak = float(mixture.max())",
        ),
    ),
    *mutants_of(
        "layers/phase_shuffle.py",
        "layers/test_phase_shuffle.py",
        ("shuffle-zeros-at-the-edge", 'mode="reflect"', 'mode="constant"'),
        (
            "shuffle-all-alike",
            "drawn_by_row(self._shifts, batch)",
            "ops.repeat(self._shifts(1), batch)",
        ),
        (
            "shuffle-never-to-the-right",
            "keras.random.randint((rows,), 0, 2 * self.reach + 1,",
            "keras.random.randint((rows,), 0, 2 * self.reach,",
        ),
        ("shuffle-at-inference", "if not training or self.reach == 0:", "if self.reach == 0:"),
        (
            "shuffle-off",
            "if not training or self.reach == 0:",
            "if not training or self.reach >= 0:",
        ),
        (
            "shuffle-the-same-each-time",
            "2 * self.reach + 1, seed=self.draws)",
            "2 * self.reach + 1, seed=1)",
        ),
    ),
    *mutants_of(
        "layers/past_fakes.py",
        "layers/test_past_fakes.py",
        (
            "pool-lets-gradients-through",
            'fakes = ops.stop_gradient(ops.cast(fakes, "float32"))',
            'fakes = ops.cast(fakes, "float32")',
        ),
        ("pool-always-the-newest", "ops.where(ops.logical_and(full, tails), past, fake)", "fake"),
        ("pool-keeps-what-it-hands-on", "ops.where(stays, past, fake)", "fake"),
        ("pool-coin-is-false", "seed=self.coins) < 0.5", "seed=self.coins) < 0.1"),
        ("pool-forgets", "self.fakes.assign(kept)", "pass"),
    ),
    *mutants_of(
        "layers/spectra.py",
        "layers/test_spectra_layers.py",
        (
            "shares-do-not-sum-to-one",
            "raised / ops.sum(raised, axis=-2, keepdims=True)",
            "raised / ops.max(raised, axis=-2, keepdims=True)",
        ),
    ),
    *mutants_of(
        "dsp/filterbank.py",
        "layers/test_filterbank_layers.py",
        (
            "synthesis-window-of-another-pair",
            "short**2 / analysis[-synthesis_frame:]",
            "short",
            "test_a_short_synthesis_window_gives_the_signal_back_too",
        ),
    ),
    *mutants_of(
        "separation/numpy_stream.py",
        "separation/test_numpy_stream.py",
        (
            "numpy-stream-promises-too-little",
            "(masker.look_ahead - 1) * masker.hop",
            "(masker.look_ahead - 2) * masker.hop",
            "test_an_estimate_depends_on_nothing_after_the_latency",
        ),
        (
            "numpy-stream-forgets",
            "self._kept[place] = _detached(joined[count:])",
            "self._kept[place] = 0 * joined[count:]",
            "test_pieces_of_any_length_equal_one_pass",
        ),
    ),
    *mutants_of(
        "layers/filterbank.py",
        "layers/test_filterbank_layers.py",
        (
            "synthesis-of-another-level",
            "np.float32(2 * hop / self.synthesis_frame)",
            "np.float32(2 * hop / frame)",
        ),
        (
            "frames-joined-backwards",
            "moved = [_slice_of(parts[repeats - 1 - shift], shift, kept)",
            "moved = [_slice_of(parts[shift], shift, kept)",
        ),
    ),
    *mutants_of(
        "layers/upsampling.py",
        "layers/test_upsampling.py",
        (
            "upsampled-phases-shifted",
            "(phase + place - self.kernel_size // 2)",
            "(phase + place - self.kernel_size // 2 + 1)",
        ),
        ("upsampled-without-bias", "return frames + self.bias", "return frames"),
        ("upsampled-phases-mixed-up", "ops.transpose(phases, (1, 0, 2))", "phases"),
    ),
    *mutants_of(
        "layers/dilated.py",
        "layers/test_framing_layers.py",
        (
            "taps-side-by-side-reversed",
            "for tap in range(taps)]",
            "for tap in reversed(range(taps))]",
            "layers/test_upsampling.py::test_it_is_nearest_neighbours_and_then_a_convolution",
        ),
    ),
    *mutants_of(
        "data/batches/draws.py",
        "data/batches/test_windows.py",
        (
            "songs-share-upside-down",
            "1 - config.songs if pool.joined",
            "config.songs if pool.joined",
            "test_songs_among_recordings_are_heard_as_often_as_asked_for",
        ),
        ("solos-rest-too", "if config.rests and stream != SOLOS:", "if config.rests:"),
        ("others-rest", "& (draws.part != OTHER)", "& (draws.part == OTHER)"),
        (
            "what-is-alone-rests",
            "rests[draws.item] & with_others & ",
            "rests[draws.item] & ",
            "test_a_source_without_others_does_not_rest",
        ),
    ),
    *mutants_of(
        "dsp/measurements.py",
        "dsp/test_measurements.py",
        (
            "matrix-of-variance-one",
            "return entries / np.float32(np.sqrt(measurements))",
            "return entries",
            "test_entries_are_normal_with_variance_one_over_the_measurements",
        ),
    ),
)
