"""Levels, random crops and sources as windows of their own, in closed form."""

import keras
import numpy as np
import pytest

from tfsepgan.systems.crops import crops, gain_to_level, random_start, sources_as_windows


def test_a_level_is_an_amplitude_in_decibels_below_full_scale_and_each_windows_own():
    windows = np.array([0.5, 0.01], np.float32)[:, None, None] * np.ones((2, 8, 1), np.float32)
    gain = np.asarray(gain_to_level(windows, -20.0))
    np.testing.assert_allclose(gain[:, 0, 0], [0.1 / 0.5, 0.1 / 0.01], rtol=1e-4)
    np.testing.assert_array_equal(gain_to_level(windows, None), np.ones((2, 1, 1)))


def test_silence_has_a_finite_gain():
    assert np.isfinite(gain_to_level(np.zeros((1, 8, 1), np.float32), -20.0)).all()


def test_a_crop_starts_anywhere_the_last_place_too():
    seed = keras.random.SeedGenerator(0)
    starts = [int(random_start(10, 8, seed)) for _ in range(60)]
    assert set(starts) == {0, 1, 2}
    assert random_start(8, 8, seed) == 0


@pytest.mark.parametrize("start", [0, 3])
def test_crops_are_of_the_same_samples_and_sources_follow_each_other_window_by_window(start):
    mixture = np.arange(2 * 6, dtype=np.float32).reshape(2, 6, 1)
    sources = np.arange(2 * 3 * 6, dtype=np.float32).reshape(2, 3, 6, 1)
    of_mixture, of_sources = crops(start, 3, mixture, sources)
    np.testing.assert_array_equal(of_mixture, mixture[:, start : start + 3])
    for number, crop in enumerate(np.asarray(of_sources)):
        np.testing.assert_array_equal(crop, sources[number // 3, number % 3, start : start + 3])
    assert sources_as_windows(sources).shape == (6, 6, 1)
