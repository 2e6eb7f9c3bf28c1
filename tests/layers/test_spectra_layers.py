"""Frames are invertible, magnitudes are NumPy's, and shares sum to one."""

import numpy as np
import pytest
from keras import ops

from tfsepgan.dsp.filterbank import root_hann
from tfsepgan.layers.spectra import SILENCE, Spectra, level, shares, turned


def noise(*shape, seed=0):
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)


@pytest.mark.parametrize("time", [1, 63, 64, 1000])
def test_synthesis_returns_the_signal_at_its_length(time):
    spectra, signal = Spectra(128, 32), noise(2, time, 1)
    parts = ops.stack([spectra.analyse(signal), 2 * spectra.analyse(signal)], axis=1)
    back = np.asarray(spectra.synthesise(parts, time))
    assert back.shape == (2, 2, time, 1)
    np.testing.assert_allclose(back, np.stack([signal, 2 * signal], axis=1), atol=1e-5)


def test_magnitudes_are_those_of_numpys_transform():
    spectra, signal = Spectra(64, 16), noise(1, 160, 1)
    padded = np.pad(signal[0, :, 0], 48)
    frames = np.stack([padded[start : start + 64] for start in range(0, len(padded) - 63, 16)])
    expected = np.abs(np.fft.rfft(frames * root_hann(64))) * np.sqrt(2 / 64)
    np.testing.assert_allclose(spectra.magnitude(spectra.analyse(signal))[0], expected, atol=1e-5)


def test_white_noise_has_magnitudes_of_its_own_rms():
    spectra = Spectra(256, 64)
    magnitudes = np.asarray(spectra.magnitude(spectra.analyse(0.25 * noise(1, 32000, 1))))[
        0, 4:-4, 1:-1
    ]
    assert np.sqrt(np.mean(magnitudes**2)) == pytest.approx(0.25, rel=0.02)


def test_a_gain_scales_both_halves_of_a_bin():
    spectrum, gains = noise(3, 10), np.float32([[1, 2, 3, 4, 0]])
    np.testing.assert_array_equal(turned(spectrum, gains), spectrum * np.tile(gains, 2))


@pytest.mark.parametrize("power", [0.5, 1.0, 2.0])
def test_shares_are_ratios_of_powers_and_sum_to_one(power):
    parts = np.abs(noise(5, 3, 7))
    got = np.asarray(shares(parts, power))
    np.testing.assert_allclose(
        got, parts**power / np.sum(parts**power, axis=1, keepdims=True), atol=1e-5
    )
    np.testing.assert_allclose(got.sum(axis=1), 1, atol=1e-6)


@pytest.mark.parametrize("power", [1.0, 2.0])
def test_shares_ignore_the_overall_level_and_split_silence_evenly(power):
    parts = np.abs(noise(5, 2, 7))
    np.testing.assert_allclose(shares(1e-6 * parts, power), shares(parts, power), atol=1e-6)
    np.testing.assert_allclose(shares(np.zeros_like(parts), power), 0.5, atol=1e-6)


def test_the_level_of_silence_is_not_zero():
    magnitudes = np.stack([np.zeros(8), np.full(8, 3.0)]).astype(np.float32)
    np.testing.assert_allclose(level(magnitudes), [[SILENCE], [3 + SILENCE]])
