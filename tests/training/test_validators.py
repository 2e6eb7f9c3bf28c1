"""The validation score is the SI-SDR improvement over the mixture."""

from types import SimpleNamespace

import numpy as np
import pytest

from tfsepgan.data.references.fixed_mixtures import Mixture
from tfsepgan.training.validators import improvement_db, separator_of


def noise(*shape, seed=0):
    return 0.3 * np.random.default_rng(seed).standard_normal(shape).astype(np.float32)


def mixture_of(target, residual):
    return Mixture(
        name="m",
        mixture=target + residual,
        sources={"piano": target, "residual": residual},
        sample_rate_hz=16000,
    )


def test_an_estimate_that_halves_the_residual_gains_six_decibels():
    time = np.arange(16000) / 16000
    target = np.sin(2 * np.pi * 440 * time).astype(np.float32)[:, None]
    residual = np.cos(2 * np.pi * 660 * time).astype(np.float32)[:, None]
    mixtures = [mixture_of(target, residual), mixture_of(target, 0.1 * residual)]
    estimates = iter([(target + 0.5 * residual)[None], (target + 0.05 * residual)[None]])
    scores = improvement_db(lambda mixture: next(estimates), mixtures, ["piano"])
    assert scores.shape == (2, 1)
    np.testing.assert_allclose(scores, 20 * np.log10(2), atol=0.01)


def test_the_mixture_itself_gains_nothing():
    mixtures = [mixture_of(noise(8000, 1), noise(8000, 1, seed=1))]
    np.testing.assert_allclose(
        improvement_db(lambda mixture: mixture[None], mixtures, ["piano"]), 0, atol=1e-6
    )


def test_a_wrong_number_of_estimates_is_an_error():
    mixtures = [mixture_of(noise(800, 1), noise(800, 1, seed=1))]
    with pytest.raises(ValueError, match="zip"):
        improvement_db(lambda mixture: np.stack([mixture] * 2), mixtures, ["piano"])


def test_the_shipped_generator_takes_any_length_and_channels(tiny):
    from tfsepgan.networks.table import build_generator

    generator = build_generator(tiny().model.generator, sources=2, sample_rate_hz=16000)
    separate = separator_of(SimpleNamespace(kind="generator", shipped=generator))
    for shape in ((1000, 1), (777, 2)):
        mixture = noise(*shape)
        estimates = separate(mixture)
        assert estimates.shape == (2, *shape)
        alone = np.asarray(generator(mixture[None, :, :1], training=False))[0, ..., 0]
        np.testing.assert_allclose(estimates[..., 0], alone, atol=1e-5)
