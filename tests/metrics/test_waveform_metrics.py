"""SNR and SI-SDR against closed forms: a reference plus orthogonal noise of a known level."""

import numpy as np
import pytest

from tfsepgan.errors import ShapeError
from tfsepgan.metrics.waveform import si_sdr, si_sdr_improvement, snr, snr_improvement

TIME = 16000


def sine(cycles: int) -> np.ndarray:
    """A sine of whole cycles: energy TIME / 2, orthogonal to one with other cycles."""
    return np.sin(2 * np.pi * cycles * np.arange(TIME) / TIME)


def level(db: float) -> float:
    return 10 ** (db / 20)


@pytest.mark.parametrize("level_db", [-20.0, -3.0, 0.0, 6.0, 40.0])
@pytest.mark.parametrize("metric", [snr, si_sdr])
def test_orthogonal_noise_gives_its_own_level(metric, level_db):
    reference = sine(440)
    estimate = reference + level(-level_db) * sine(1000)
    assert metric(reference, estimate) == pytest.approx(level_db, abs=1e-9)


@pytest.mark.parametrize("gain", [0.01, 0.5, -1.0, 30.0])
def test_volume_does_not_count_in_si_sdr(gain):
    reference, estimate = sine(440), sine(440) + 0.3 * sine(700)
    assert si_sdr(reference, gain * estimate) == pytest.approx(
        si_sdr(reference, estimate), abs=1e-9
    )
    assert si_sdr(gain * reference, estimate) == pytest.approx(
        si_sdr(reference, estimate), abs=1e-9
    )


@pytest.mark.parametrize("gain", [0.5, 0.9, 1.1, 3.0])
def test_volume_counts_in_snr(gain):
    assert snr(sine(440), gain * sine(440)) == pytest.approx(
        -20 * np.log10(abs(1 - gain)), abs=1e-9
    )


@pytest.mark.parametrize("metric", [snr, si_sdr])
def test_no_mean_is_removed_so_a_constant_is_an_error(metric):
    reference = np.array([1.0, -1.0, 1.0, -1.0])
    assert metric(reference, reference + 0.1) == pytest.approx(20.0, abs=1e-6)


def test_channels_share_one_gain_and_one_ratio():
    reference = np.stack([sine(440), 0.5 * sine(300)], axis=1)
    noise = np.stack([0.2 * sine(1000), np.zeros(TIME)], axis=1)
    expected = 10 * np.log10((1 + 0.25) / 0.04)
    assert snr(reference, reference + noise) == pytest.approx(expected, abs=1e-9)
    assert si_sdr(reference, reference + noise) == pytest.approx(expected, abs=1e-9)
    turned = np.stack([0.5 * reference[:, 0], reference[:, 1]], axis=1)
    assert np.isfinite(
        si_sdr(reference, turned)
    )  # with one gain for each channel it would be perfect


def test_mono_is_one_channel():
    reference, estimate = sine(440), sine(440) + 0.1 * sine(900)
    assert si_sdr(reference, estimate) == si_sdr(reference[:, None], estimate[:, None])


def test_perfect_and_silent_estimates_score_infinity_or_zero():
    reference = sine(440)
    assert snr(reference, reference) == np.inf
    assert si_sdr(reference, 0.5 * reference) == np.inf
    assert snr(reference, np.zeros(TIME)) == 0.0
    assert si_sdr(reference, np.zeros(TIME)) == -np.inf


def test_improvement_is_the_difference_to_the_mixture():
    reference, other = sine(440), sine(1000)
    mixture, estimate = reference + other, reference + level(-12.0) * other
    assert si_sdr_improvement(reference, estimate, mixture) == pytest.approx(12.0, abs=1e-9)
    assert snr_improvement(reference, estimate, mixture) == pytest.approx(12.0, abs=1e-9)
    assert si_sdr_improvement(reference, mixture, mixture) == 0.0


def test_improvement_on_a_perfect_mixture_is_undefined():
    assert np.isnan(snr_improvement(sine(440), sine(440), sine(440)))


def test_integers_score_like_floats_and_do_not_overflow():
    reference = np.array([30000, -30000, 20000, 10000], np.int16)
    estimate = np.array([30000, -30000, 20000, 9000], np.int16)
    assert snr(reference, estimate) == pytest.approx(snr(reference / 1.0, estimate / 1.0))


def test_arguments_are_not_changed():
    reference, estimate = sine(440).astype(np.float32), sine(441).astype(np.float32)
    before = reference.copy(), estimate.copy()
    si_sdr(reference, estimate)
    assert np.array_equal(before[0], reference) and np.array_equal(before[1], estimate)


@pytest.mark.parametrize("metric", [snr, si_sdr])
@pytest.mark.parametrize(
    ("reference", "estimate", "message"),
    [
        (np.ones(10), np.ones(11), r"\[10\].*\[11\]"),
        (np.ones((10, 1)), np.ones(10), r"\[10, 1\].*\[10\]"),
        (np.ones((2, 10, 1)), np.ones((2, 10, 1)), r"\[2, 10, 1\], wanted \[time\] or"),
        (np.ones(10), np.array([np.nan, np.inf] + [0.0] * 8), "estimate .* 2 values"),
        (np.full(10, np.nan), np.ones(10), "reference .* 10 values"),
        (np.zeros(10), np.ones(10), "reference .* silent"),
        (np.ones(0), np.ones(0), "holds no samples"),
        (np.ones(4), np.array(list("abcd")), "wanted real numbers"),
        (np.ones(4), np.ones(4, np.complex64), "wanted real numbers"),
    ],
)
def test_invalid_signals_are_named(metric, reference, estimate, message):
    with pytest.raises(ShapeError, match=message):
        metric(reference, estimate)


def test_an_invalid_mixture_is_named_as_the_mixture():
    with pytest.raises(ShapeError, match="mixture"):
        si_sdr_improvement(np.ones(4), np.ones(4), np.ones(5))
