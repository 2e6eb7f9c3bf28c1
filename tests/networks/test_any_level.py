"""Features relative to the level around them: the estimates of a recording at any volume."""

import numpy as np
import pytest
from networks_for_tests import RATE, small_generator

from tfsepgan.layers.filterbank import Analysis
from tfsepgan.networks.masking import AtOneLevel

KINDS = tuple(f"{kind} at any level" for kind in ("filterbank", "tfc_tdf", "band_split"))


def music(seconds=0.5, seed=0):
    """A decaying chord over a little noise, `[1, time, 1]`, at about -26 dBFS."""
    time = np.arange(round(seconds * RATE)) / RATE
    chord = sum(np.sin(2 * np.pi * hz * time) for hz in (220.0, 277.2, 329.6)) * np.exp(-4 * time)
    noise = np.random.default_rng(seed).standard_normal(len(time))
    return (0.05 * chord + 0.005 * noise)[None, :, None].astype(np.float32)


@pytest.mark.parametrize("gain", [1e-3, 0.1, 10.0])
@pytest.mark.parametrize("kind", KINDS)
def test_the_estimates_follow_the_volume(kind, gain):
    generator, _ = small_generator(kind)
    mixture = music()
    once, scaled = np.asarray(generator(mixture)), np.asarray(generator(gain * mixture)) / gain
    difference = np.sqrt(np.mean(np.square(scaled - once)) / np.mean(np.square(once)))
    assert difference < 1e-3  # -60 dB


def test_features_of_the_level_as_it_is_do_not():
    generator, _ = small_generator("filterbank")
    mixture = music()
    once, scaled = np.asarray(generator(mixture)), np.asarray(generator(1e-3 * mixture)) / 1e-3
    assert np.sqrt(np.mean(np.square(scaled - once)) / np.mean(np.square(once))) > 1e-2


def test_the_level_is_its_closed_form():
    spectrum = np.random.default_rng(1).standard_normal((1, 7, 6)).astype(np.float32)
    got = np.asarray(AtOneLevel(2)(spectrum))
    padded = np.pad((spectrum[0].astype(float) ** 2).mean(axis=1), 2)
    mean = np.array([padded[k : k + 5].sum() / 5 for k in range(7)])[:, None]
    np.testing.assert_allclose(got[0], spectrum[0] / np.sqrt(mean), rtol=1e-5)


def test_silence_has_finite_features():
    spectrum = Analysis(64, 16, 20, name="analysis")(np.zeros((1, 160, 1), np.float32))
    assert np.isfinite(np.asarray(AtOneLevel(2)(spectrum))).all()
