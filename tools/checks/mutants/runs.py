"""Wrong lines of training runs, blocks and what is exported."""

from mutation import mutants_of

_PARITY = "test_a_file_that_differs_by_more_than_was_promised_is_refused"

RUNS = (
    *mutants_of(
        "training/checkpoint.py",
        "training/test_checkpoint.py",
        (
            "resume-without-optimizers",
            'groups[f"{player}_optimizer"] = optimizer.variables',
            "pass",
            "training/test_resume.py::test_a_resumed_run_ends_with_the_same_weights",
        ),
        (
            "resume-without-seeds",
            "for variable in system.variables if id(variable) not in logged]",
            "for variable in system.variables if id(variable) not in logged"
            ' and "seed" not in variable.path]',
            "training/test_resume.py::test_the_checkpoint_holds_every_variable_that_changes",
        ),
        (
            "resume-trainable-weights-only",
            "for variable in system.variables if id(variable) not in logged]",
            "for variable in system.trainable_variables if id(variable) not in logged]",
            "training/test_resume.py::test_the_checkpoint_holds_every_variable_that_changes",
        ),
        (
            "resume-restores-nothing",
            "variable.assign(arrays[name])",
            "pass",
            "test_a_restored_state_equals_the_saved_one",
        ),
        (
            "broken-weights-are-saved",
            "    check_finite(system)\n    arrays",
            "    arrays",
            "test_weights_that_are_not_finite_never_replace_good_ones",
        ),
    ),
    *mutants_of(
        "training/batches.py",
        "training/test_resume.py",
        (
            "resume-draws-from-the-start",
            '"first_step": step}',
            '"first_step": 0}',
            "test_a_resumed_run_ends_with_the_same_weights",
        ),
    ),
    *mutants_of(
        "training/run.py",
        "training/test_run.py",
        (
            "worst-weights-kept",
            'score > best["score"]',
            'score < best["score"]',
            "test_the_best_or_the_last_weights_are_kept",
        ),
        (
            "start-forgets-the-model",
            "start_from(self.system, start)",
            "pass",
            "test_a_run_can_start_from_the_weights_of_a_model",
        ),
        (
            "diverged-weights-kept",
            "check_finite(self.system)",
            "pass",
            "test_weights_that_the_last_step_of_an_epoch_spoils_are_not_kept",
        ),
        (
            "epoch-ends-without-a-fit",
            "self.system.finish_epoch()",
            "pass",
            "test_a_system_ends_each_epoch_before_it_is_validated",
        ),
    ),
    *mutants_of(
        "separation/engine.py",
        "separation/test_engine.py",
        (
            "blocks-without-context-ahead",
            "held[: end + self._context])[:, self._lead : end]",
            "held[:end])[:, self._lead : end]",
            "test_blocks_equal_one_pass_at_every_length",
        ),
        (
            "blocks-without-context-behind",
            "kept = held[max(0, end - self._context) :].copy()",
            "kept = held[end:].copy()",
            "test_blocks_equal_one_pass_at_every_length",
        ),
        (
            "blocks-overlap",
            "[:, self._lead : end]",
            "[:, max(0, self._lead - 1) : end]",
            "test_blocks_equal_one_pass_at_every_length",
        ),
        (
            "last-block-with-its-lead",
            "self._estimate(self._joined())[:, self._lead :]",
            "self._estimate(self._joined())",
            "test_blocks_equal_one_pass_at_every_length",
        ),
        (
            "last-block-lost",
            "if self._held <= self._lead:",
            "if self._held <= self._lead + self._block:",
            "test_blocks_equal_one_pass_at_every_length",
        ),
        (
            "channels-mixed-up",
            "output[..., 0].transpose(1, 2, 0)",
            "output[::-1, ..., 0].transpose(1, 2, 0)",
            "test_six_channels_equal_each_channel_alone",
        ),
    ),
    *mutants_of(
        "separation/stream.py",
        "separation/test_separator.py",
        (
            "residual-with-the-estimate",
            "residual -= estimate",
            "residual += estimate",
            "test_stems_have_the_length_of_the_mixture_and_sum_to_it",
        ),
        (
            "resampled-way-back-too-short",
            "self._margin = int(np.ceil(sample_rate_hz / model_rate_hz))",
            "self._margin = 0",
            "test_stems_have_the_length_of_the_mixture_and_sum_to_it",
        ),
    ),
    *mutants_of(
        "export/parity.py",
        "export/test_parity.py",
        (
            "parity-of-a-saved-model-ten-times-wider",
            '"saved_model": 1e-4',
            '"saved_model": 1e-3',
            _PARITY,
        ),
        ("parity-of-tflite-ten-times-wider", '"tflite": 1e-4', '"tflite": 1e-3', _PARITY),
        (
            "parity-of-half-precision-ten-times-wider",
            '"tflite_fp16": 1e-2',
            '"tflite_fp16": 1e-1',
            _PARITY,
        ),
        (
            "parity-of-one-signature-only",
            "max(largest_difference(reference, stems) for stems in served.values())",
            'largest_difference(reference, served["separate"])',
            "test_every_signature_and_every_file_is_compared",
        ),
        (
            "parity-not-checked",
            "    check_limits(figures)\n",
            "",
            "test_every_signature_and_every_file_is_compared",
        ),
        (
            "parity-of-the-mean",
            "worst = max(differences) / peak",
            "worst = sum(differences) / len(differences) / peak",
            "test_the_worst_sample_of_the_worst_stem_counts_over_the_peak_of_all",
        ),
        (
            "parity-over-its-own-peak",
            "peak = max(float(np.abs(samples).max())",
            "peak = min(float(np.abs(samples).max())",
            "test_the_worst_sample_of_the_worst_stem_counts_over_the_peak_of_all",
        ),
        (
            "parity-of-what-is-no-number",
            'return worst if np.isfinite(differences).all() else float("inf")',
            "return worst",
            "export/test_exporter.py::test_stems_that_are_missing_or_not_finite_never_agree",
        ),
        (
            "limits-let-what-is-no-number-pass",
            "if not figure <= LIMITS[kind]:",
            "if figure > LIMITS[kind]:",
            _PARITY,
        ),
    ),
)
