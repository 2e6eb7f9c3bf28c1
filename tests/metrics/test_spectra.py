"""Distances between sets of sounds, against closed forms for Gaussians and tones."""

import numpy as np
import pytest
from scipy.linalg import sqrtm

from tfsepgan.errors import ShapeError
from tfsepgan.metrics.spectra import (
    FLOOR_DB,
    Spectra,
    band_centres_hz,
    band_levels_db,
    distance_db,
    fit,
    frame_length,
    frechet_distance,
    mean_distance_db,
    mel_filters,
    spectra_of,
)

RATE = 16000


def gaussian(seed, bands=5):
    random = np.random.default_rng(seed)
    matrix = random.standard_normal((bands, bands))
    return Spectra(10 * random.standard_normal(bands), matrix @ matrix.T + 0.1 * np.eye(bands))


def noises(count, seed, slope=0.0):
    """Noise with a sloped spectrum and a different gain for each sound, `[count, 4096]`."""
    random = np.random.default_rng(seed)
    spectrum = np.fft.rfft(random.standard_normal((count, 4096)))
    shape = np.maximum(np.arange(spectrum.shape[1]), 1.0) ** -slope
    return np.fft.irfft(spectrum * shape) * 10 ** random.uniform(-2, 0, (count, 1))


def test_gaussians_of_equal_covariance_have_the_distance_of_their_means():
    one = gaussian(0)
    other = one._replace(mean=one.mean + 3.0)
    assert frechet_distance(one, other) == pytest.approx(9.0 * 5, rel=1e-9)
    assert distance_db(one, other) == pytest.approx(3.0, rel=1e-9)
    assert mean_distance_db(one, other) == pytest.approx(3.0, rel=1e-9)


def test_independent_bands_differ_by_their_deviations():
    ones, others = np.array([1.0, 4.0, 9.0]), np.array([16.0, 4.0, 1.0])
    one, other = Spectra(np.zeros(3), np.diag(ones)), Spectra(np.zeros(3), np.diag(others))
    assert frechet_distance(one, other) == pytest.approx(
        np.sum((np.sqrt(ones) - np.sqrt(others)) ** 2)
    )


def test_the_distance_equals_that_of_the_equation():
    one, other = gaussian(1), gaussian(2)
    root = sqrtm(one.covariance @ other.covariance).real
    expected = np.sum((one.mean - other.mean) ** 2) + np.trace(
        one.covariance + other.covariance - 2 * root
    )
    assert frechet_distance(one, other) == pytest.approx(expected, rel=1e-6)
    assert frechet_distance(other, one) == pytest.approx(expected, rel=1e-6)


def test_a_set_has_no_distance_to_itself_even_with_constant_bands():
    flat = Spectra(np.ones(4), np.diag([1.0, 0.0, 2.0, 0.0]))
    for one in (gaussian(3), flat):
        assert distance_db(one, one) == pytest.approx(0.0, abs=1e-5)


def test_the_fit_is_mean_and_covariance_of_all_frames():
    levels = np.random.default_rng(0).standard_normal((3, 7, 4))
    spectra = fit(levels)
    rows = levels.reshape(21, 4)
    np.testing.assert_allclose(spectra.mean, rows.mean(axis=0))
    np.testing.assert_allclose(spectra.covariance, np.cov(rows.T))
    with pytest.raises(ShapeError, match="1 frames are too few"):
        fit(np.zeros((1, 1, 4)))


def test_the_distance_grows_with_the_share_of_another_instrument():
    one, other = noises(40, 0), noises(40, 1, slope=1.0)
    own = spectra_of(one, RATE)
    distances = [
        distance_db(own, spectra_of(np.concatenate([other[:k], one[k:]]), RATE))
        for k in (0, 10, 20, 30, 40)
    ]
    assert distances[0] == pytest.approx(0, abs=1e-5)
    assert all(nearer < further for nearer, further in zip(distances, distances[1:], strict=False))


def test_the_level_of_a_sound_does_not_count():
    sounds = noises(4, 0)
    quieter = sounds * np.array([[1e-3], [0.5], [1.0], [2.0]])
    np.testing.assert_allclose(
        band_levels_db(quieter, RATE), band_levels_db(sounds, RATE), atol=1e-6
    )


def test_the_bands_of_a_frame_hold_all_its_power():
    sound = noises(1, 5)
    levels = band_levels_db(sound, RATE)
    frame = frame_length(RATE)
    assert frame == 1024
    assert levels.shape == (1, 1 + (4096 - frame) // (frame // 4), 40)
    window = np.hanning(frame + 1)[:-1]
    unit = sound[0] / np.sqrt(np.mean(sound[0] ** 2))
    expected = [
        np.sum((unit[k * 256 : k * 256 + frame] * window) ** 2) / np.sum(window**2)
        for k in range(13)
    ]
    # the floor adds a little
    np.testing.assert_allclose(np.sum(10 ** (levels[0] / 10), axis=1), expected, rtol=0.02)


def test_a_tone_is_loudest_in_its_band_and_no_level_is_below_the_floor():
    time = np.arange(8192) / RATE
    for frequency_hz in (220.0, 1000.0, 5000.0):
        levels = band_levels_db(np.sin(2 * np.pi * frequency_hz * time)[None], RATE).mean(
            axis=(0, 1)
        )
        centres = band_centres_hz(RATE)
        assert np.argmax(levels) == np.argmin(np.abs(centres - frequency_hz))
        assert levels.min() == FLOOR_DB


def test_filter_weights_of_every_bin_sum_to_one():
    for frame, rate, bands in ((1024, 16000, 40), (4096, 44100, 64)):
        np.testing.assert_allclose(mel_filters(frame, rate, bands).sum(axis=0), 1.0)


@pytest.mark.parametrize(
    ("sounds", "words"),
    [
        (np.zeros((2, 4096)), "sound 0 of 2 is silent"),
        (np.full((1, 4096), np.nan), "not finite"),
        (np.ones((1, 100)), "wanted .count, time. with a time of at least 1024"),
        (np.ones(4096), r"shape \[4096\]"),
        (np.ones((0, 4096)), r"shape \[0, 4096\]"),
    ],
)
def test_sounds_without_a_spectrum_are_refused(sounds, words):
    with pytest.raises(ShapeError, match=words):
        band_levels_db(sounds, RATE)
