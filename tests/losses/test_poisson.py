"""The Poisson loss equals SciPy's likelihood, and smoothness NumPy's differences."""

import numpy as np
import pytest
import scipy.special
import scipy.stats
import tensorflow as tf

from tfsepgan.losses.poisson import divergence, poisson_loss, smoothness


def positive(*shape, seed=0):
    return np.random.default_rng(seed).gamma(2.0, 1.0, shape).astype(np.float32)


def test_the_loss_is_the_poisson_likelihood_up_to_a_constant():
    rates = positive(6, 9).astype(np.float64)
    counts = np.random.default_rng(1).poisson(rates)
    likelihood = scipy.stats.poisson.logpmf(counts, rates)
    expected = -np.mean(likelihood + scipy.special.gammaln(counts + 1.0), axis=-1)
    np.testing.assert_allclose(
        poisson_loss(rates.astype("float32"), counts.astype("float32")), expected, rtol=1e-4
    )


def test_the_gradient_is_one_minus_observed_over_rate():
    rate, observed = tf.constant(positive(4, 7) + 0.1), positive(4, 7, seed=1)
    with tf.GradientTape() as tape:
        tape.watch(rate)
        loss = tf.reduce_sum(poisson_loss(rate, observed))
    np.testing.assert_allclose(
        tape.gradient(loss, rate), (1 - observed / rate) / 7, rtol=1e-4, atol=1e-6
    )


def test_the_divergence_is_its_definition_and_zero_for_equal_magnitudes_only():
    rate, observed = positive(5, 11) + 0.1, positive(5, 11, seed=1)
    expected = np.mean(scipy.special.kl_div(observed.astype(np.float64), rate), axis=-1)
    np.testing.assert_allclose(divergence(rate, observed), expected, rtol=1e-3, atol=1e-5)
    np.testing.assert_allclose(divergence(observed, observed), 0, atol=1e-6)
    assert (np.asarray(divergence(rate, observed)) > 0.01).all()


def test_silence_explained_as_silence_costs_nothing():
    zeros = np.zeros((2, 5), np.float32)
    np.testing.assert_array_equal(divergence(zeros, zeros), 0)
    assert np.isfinite(poisson_loss(zeros, positive(2, 5))).all()


def test_smoothness_is_the_absolute_change_over_the_level_of_both_frames():
    parts, levels = positive(2, 6, 3, 5), positive(2, 6, 1, seed=1) + 0.5
    expected = np.zeros((2, 5))
    for item in range(2):
        for frame in range(5):
            change = sum(
                np.mean(np.abs(parts[item, frame + 1, p] - parts[item, frame, p])) for p in range(3)
            )
            expected[item, frame] = change / (
                (levels[item, frame, 0] + levels[item, frame + 1, 0]) / 2
            )
    np.testing.assert_allclose(smoothness(parts, levels), expected, rtol=1e-5)


@pytest.mark.parametrize("frames", [1, 4])
def test_smoothness_is_zero_for_constant_magnitudes(frames):
    parts = np.repeat(positive(1, 1, 2, 5), frames, axis=1)
    got = np.asarray(smoothness(parts, np.ones((1, frames, 1), np.float32)))
    assert got.shape == (1, frames - 1)
    assert not got.any()


def test_smoothness_ignores_the_overall_level():
    parts, levels = positive(1, 6, 2, 5), positive(1, 6, 1, seed=1) + 0.5
    np.testing.assert_allclose(
        smoothness(1e-3 * parts, 1e-3 * levels), smoothness(parts, levels), rtol=1e-5
    )
