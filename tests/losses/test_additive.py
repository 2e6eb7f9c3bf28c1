"""The additive loss is zero where estimates sum to the mixture, and NumPy's elsewhere."""

import numpy as np
import pytest
import tensorflow as tf

from tfsepgan.losses.additive import additive_loss
from tfsepgan.losses.reconstruction import mean_square


def noise(*shape, seed=0):
    return 0.3 * np.random.default_rng(seed).standard_normal(shape).astype(np.float32)


@pytest.mark.parametrize("parts", [1, 2, 5])
def test_estimates_that_sum_to_the_mixture_cost_nothing(parts):
    estimates = noise(2, parts, 60, 1)
    assert float(additive_loss(estimates.sum(axis=1), estimates)) == pytest.approx(0, abs=1e-6)
    assert float(additive_loss(estimates.sum(axis=1), estimates[:, ::-1])) == pytest.approx(
        0, abs=1e-6
    )


def test_the_additive_loss_is_the_mean_of_the_difference():
    mixture, estimates = noise(3, 50, 1), noise(3, 2, 50, 1, seed=1)
    expected = np.mean(np.abs(mixture.astype(np.float64) - estimates[:, 0] - estimates[:, 1]))
    assert float(additive_loss(mixture, estimates)) == pytest.approx(expected, rel=1e-5)


def test_the_papers_distance_is_the_mean_square():
    mixture, estimates = noise(3, 50, 1), noise(3, 2, 50, 1, seed=1)
    expected = np.mean((mixture.astype(np.float64) - estimates[:, 0] - estimates[:, 1]) ** 2)
    assert float(additive_loss(mixture, estimates, mean_square)) == pytest.approx(
        expected, rel=1e-5
    )
    assert float(additive_loss(estimates.sum(axis=1), estimates, mean_square)) == pytest.approx(
        0, abs=1e-10
    )


def test_an_added_constant_costs_its_size_in_any_estimate():
    estimates = noise(2, 3, 40, 1)
    mixture = estimates.sum(axis=1)
    for part in range(3):
        more = estimates.copy()
        more[:, part] += 0.25
        assert float(additive_loss(mixture, more)) == pytest.approx(0.25, rel=1e-5)


def test_an_exchange_between_estimates_costs_nothing():
    """The loss cannot identify sources; critics and labels do."""
    estimates, moved = noise(2, 2, 40, 1), noise(2, 40, 1, seed=1)
    traded = np.stack([estimates[:, 0] + moved, estimates[:, 1] - moved], axis=1)
    assert float(additive_loss(estimates.sum(axis=1), traded)) == pytest.approx(0, abs=1e-6)


def test_estimates_in_half_precision_are_added_in_float32():
    estimates = tf.cast(tf.fill((1, 256, 4, 1), 0.01), tf.bfloat16)
    mixture = tf.reduce_sum(tf.cast(estimates, tf.float32), axis=1)
    assert float(additive_loss(mixture, estimates)) == pytest.approx(0, abs=1e-5)
