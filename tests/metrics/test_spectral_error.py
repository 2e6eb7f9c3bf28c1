"""Spectral errors against closed forms: gains, filters of a known slope, holes, silence."""

import numpy as np
import pytest

from tfsepgan.errors import ShapeError
from tfsepgan.metrics.spectral_error import (
    LOW_DB,
    log_spectral_distance,
    spectral_errors,
    spectral_tilt,
)

RATE = 16000


def noise(seed=0, seconds=3.0):
    return np.random.default_rng(seed).standard_normal(round(seconds * RATE))


def tilted(signal, db_per_octave):
    """The signal through a filter of this slope, 0 dB at 1 kHz.

    The ends are faded, because the filter is circular.
    """
    fade = np.minimum(1.0, np.arange(len(signal)) / 4000)
    signal = signal * fade * fade[::-1]
    hertz = np.maximum(np.fft.rfftfreq(len(signal), 1 / RATE), 20.0)
    gain_db = db_per_octave * np.log2(hertz / 1000)
    return signal, np.fft.irfft(np.fft.rfft(signal) * 10 ** (gain_db / 20), len(signal))


@pytest.mark.parametrize("gain_db", [-12.0, -3.0, 0.0, 6.0])
def test_a_gain_has_a_distance_of_its_decibels_and_no_tilt(gain_db):
    signal = noise()
    errors = spectral_errors(signal, signal * 10 ** (gain_db / 20), RATE)
    assert errors.log_spectral_distance == pytest.approx(abs(gain_db), abs=1e-9)
    assert errors.spectral_tilt == pytest.approx(0.0, abs=1e-9)
    assert errors.frechet == pytest.approx(0.0, abs=1e-4)
    assert errors.low_bins == 0.0


@pytest.mark.parametrize("slope", [-6.0, -1.5, 3.0])
def test_a_sloped_filter_has_the_tilt_of_its_slope(slope):
    signal, filtered = tilted(noise(1), slope)
    assert spectral_tilt(signal, filtered, RATE) == pytest.approx(slope, abs=0.05)
    assert spectral_tilt(filtered, signal, RATE) == pytest.approx(-slope, abs=0.05)


def test_volume_changes_neither_tilt_nor_frechet_distance():
    signal, filtered = tilted(noise(2), -3.0)
    one, other = (spectral_errors(signal, gain * filtered, RATE) for gain in (1.0, 0.25))
    assert one.spectral_tilt == pytest.approx(other.spectral_tilt, abs=1e-6)
    assert one.frechet == pytest.approx(other.frechet, abs=1e-4) and one.frechet > 1
    assert one.log_spectral_distance != pytest.approx(other.log_spectral_distance, abs=1)


def test_removed_bins_are_counted():
    signal = noise(3)
    spectrum = np.fft.rfft(signal)
    hertz = np.fft.rfftfreq(len(signal), 1 / RATE)
    quieter = 10 ** (-(LOW_DB + 10) / 20)
    upper_half = np.fft.irfft(np.where(hertz > RATE / 4, quieter, 1.0) * spectrum, len(signal))
    assert spectral_errors(signal, upper_half, RATE).low_bins == pytest.approx(50, abs=1.0)
    still_there = np.fft.irfft(
        np.where(hertz > RATE / 4, 10 ** (-(LOW_DB - 10) / 20), 1.0) * spectrum, len(signal)
    )
    assert spectral_errors(signal, still_there, RATE).low_bins < 1.0


def test_bins_far_below_the_loudest_do_not_count():
    time = np.arange(3 * RATE) / RATE
    tone = np.sin(2 * np.pi * 1000 * time)
    hiss = 1e-5 * noise(4)
    assert spectral_errors(tone, tone + hiss, RATE).log_spectral_distance < 0.1
    assert log_spectral_distance(tone + hiss, tone, RATE) < 0.1


def test_two_tones_have_the_tilt_of_the_line_through_them():
    time = np.arange(3 * RATE) / RATE
    low, high = (np.sin(2 * np.pi * hertz * time) for hertz in (500.0, 4000.0))
    assert spectral_tilt(low + high, low + high / 2, RATE) == pytest.approx(-6.02 / 3, abs=0.02)


def test_every_octave_has_the_same_weight_in_the_tilt_of_three_tones():
    """Least squares with weights inverse to frequency; equal weights give -2.15 dB an octave."""
    hertz, gains_db = np.array([500.0, 1000.0, 4000.0]), np.array([0.0, 0.0, -6.0])
    tones = np.sin(2 * np.pi * hertz[:, None] * np.arange(3 * RATE) / RATE)
    octave, weight = np.log2(hertz), 1 / hertz
    octave = octave - np.average(octave, weights=weight)
    expected = np.sum(weight * octave * gains_db) / np.sum(weight * octave**2)
    got = spectral_tilt(
        tones.sum(axis=0), (10 ** (gains_db[:, None] / 20) * tones).sum(axis=0), RATE
    )
    assert expected == pytest.approx(-1.6, abs=0.02) and got == pytest.approx(expected, abs=0.03)


def test_a_silent_estimate_has_every_bin_too_low():
    errors = spectral_errors(noise(), np.zeros(3 * RATE), RATE)
    assert errors.low_bins == 100.0 and np.isnan(errors.spectral_tilt) and np.isnan(errors.frechet)
    assert 30 <= errors.log_spectral_distance <= 80


def test_channels_count_as_more_frames():
    signal, filtered = noise(5), noise(6)
    mono = spectral_errors(signal, filtered, RATE)
    stereo = spectral_errors(np.stack([signal] * 2, 1), np.stack([filtered] * 2, 1), RATE)
    np.testing.assert_allclose(stereo, mono, rtol=5e-3)  # the covariance divides by n - 1 frames


def test_short_signals_are_padded_and_have_no_frechet_distance():
    signal = noise(7, 0.02)
    errors = spectral_errors(signal, signal / 2, RATE)
    assert errors.log_spectral_distance == pytest.approx(6.02, abs=0.01) and np.isnan(
        errors.frechet
    )


def test_signals_that_cannot_be_compared_are_refused():
    with pytest.raises(ShapeError, match="differ"):
        spectral_errors(np.ones(5000), np.ones(4000), RATE)
    with pytest.raises(ShapeError, match="silent"):
        log_spectral_distance(np.zeros(5000), np.ones(5000), RATE)
