"""The encoder and the oscillator generator: shapes, ranges, and use of the whole input."""

import numpy as np
import pytest

from tfsepgan.errors import ConfigError
from tfsepgan.networks.encoder import frames_of, inference_encoder, oscillator_generator
from tfsepgan.settings.compressed_sensing import FramesConfig

CONFIG = FramesConfig(channels=8, blocks=2, squeeze=4)
SIZES = {"window": 512, "frame": 128, "hop": 64}


def windows(count=2, seed=0):
    return np.random.default_rng(seed).uniform(-1, 1, (count, 512, 1)).astype(np.float32)


def test_every_source_has_a_latent_inside_the_generators_range():
    encoder = inference_encoder(CONFIG, **SIZES, tracks=3, latent=5)
    latents = np.asarray(encoder(100 * windows()))
    assert latents.shape == (2, 3, 5)
    assert np.abs(latents).max() <= 1


def test_the_encoder_depends_on_every_part_of_the_window():
    encoder = inference_encoder(CONFIG, **SIZES, tracks=1, latent=5)
    whole = windows(1)
    before = np.asarray(encoder(whole))
    for start in range(0, 512, 64):
        changed = whole.copy()
        changed[:, start : start + 64] *= -0.5
        assert np.abs(np.asarray(encoder(changed)) - before).max() > 1e-6, start


def test_the_oscillators_fill_the_window_and_every_latent_number_counts():
    generator = oscillator_generator(CONFIG, latent=6, **SIZES, seed=0)
    latents = np.zeros((1, 6), np.float32)
    silent = np.asarray(generator(latents))
    assert silent.shape == (1, 512, 1)
    for number in range(6):
        latents[:] = 0
        latents[0, number] = 1.0
        assert np.abs(np.asarray(generator(latents)) - silent).max() > 1e-7, number


def test_frames_of_a_window_are_those_that_overlap_it():
    assert frames_of(512, 128, 64) == 9
    assert frames_of(512, 128, 32) == 19
    with pytest.raises(ConfigError, match="window is 500 and hop 64"):
        frames_of(500, 128, 64)
