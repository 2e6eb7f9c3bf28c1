"""The search against a closed form and Adam in NumPy; windows that cross-fade into the signal."""

import numpy as np
import pytest
import tensorflow as tf

from tfsepgan.systems.latent_search import GROUP, in_windows, search


def quadratic(goal, scale=1.0):
    return lambda latents: tf.reduce_sum(scale * tf.square(latents - goal), axis=1)


def starts(windows, restarts, size=3, seed=0):
    drawn = np.random.default_rng(seed).uniform(-1, 1, (windows, restarts, size))
    return tf.constant(drawn, tf.float32)


def test_it_finds_the_minimum_of_a_bowl():
    best, least = search(quadratic([0.5, -0.25, 2.0]), starts(4, 2), iterations=400, rate=0.05)
    np.testing.assert_allclose(best, np.tile([0.5, -0.25, 2.0], (4, 1)), atol=1e-3)
    np.testing.assert_allclose(least, 0, atol=1e-5)


def test_its_steps_are_adams():
    """The best point of a path down a bowl is the last one, so it must be that of Adam in NumPy."""
    goal, start = np.array([3.0, -4.0, 5.0]), np.asarray(starts(1, 1))[0, 0].astype(np.float64)
    place, first, second = start.copy(), np.zeros(3), np.zeros(3)
    for step in range(1, 8):
        slope = 2 * (place - goal)
        first, second = 0.9 * first + 0.1 * slope, 0.999 * second + 0.001 * slope**2
        place -= 0.1 * (first / (1 - 0.9**step)) / (np.sqrt(second / (1 - 0.999**step)) + 1e-8)
    best, least = search(quadratic(goal.astype(np.float32)), starts(1, 1), iterations=7, rate=0.1)
    np.testing.assert_allclose(best[0], place, rtol=1e-4)
    assert float(least[0]) == pytest.approx(np.sum((place - goal) ** 2), rel=1e-4)


def test_it_is_never_worse_than_its_best_start_however_wild_the_steps():
    first = starts(5, 3)
    objective = quadratic([0.0, 0.0, 0.0])
    at_start = np.min(np.reshape(objective(tf.reshape(first, (-1, 3))), (5, 3)), axis=1)
    _, least = search(objective, first, iterations=3, rate=1000.0)
    np.testing.assert_array_equal(least, at_start)


def test_more_restarts_and_more_steps_never_make_it_worse():
    def bumpy(latents):
        return tf.reduce_sum(tf.sin(7 * latents) + tf.square(latents), axis=1)

    many = starts(6, 8)
    by_restarts = [
        np.asarray(search(bumpy, many[:, :count], iterations=20, rate=0.02)[1])
        for count in (1, 2, 8)
    ]
    assert np.all(np.diff(by_restarts, axis=0) <= 0)
    assert np.any(by_restarts[0] > by_restarts[-1] + 0.1)  # one start does get stuck
    by_steps = [
        np.asarray(search(bumpy, many, iterations=steps, rate=0.02)[1]) for steps in (0, 5, 20)
    ]
    assert np.all(np.diff(by_steps, axis=0) <= 0)


def test_an_objective_that_is_not_a_number_never_wins():
    def broken(latents):
        value = tf.reduce_sum(tf.square(latents), axis=1)
        return tf.where(value < 1.0, float("nan"), value)

    best, least = search(broken, tf.constant([[[2.0, 0.0], [3.0, 0.0]]]), iterations=60, rate=0.1)
    assert np.isfinite(least).all() and np.isfinite(best).all()
    assert float(least[0]) >= 1.0


def test_each_example_is_searched_by_itself():
    goals = np.random.default_rng(1).standard_normal((4, 3)).astype(np.float32)
    first = starts(4, 2)
    together, _ = search(quadratic(np.repeat(goals, 2, axis=0)), first, iterations=30, rate=0.1)
    for k in range(4):
        alone, _ = search(
            quadratic(np.repeat(goals[k : k + 1], 2, axis=0)),
            first[k : k + 1],
            iterations=30,
            rate=0.1,
        )
        np.testing.assert_allclose(together[k], alone[0], atol=1e-6)


@pytest.mark.parametrize("time", [1, 63, 64, 65, 1000])
def test_unchanged_windows_cross_fade_into_the_signal(time):
    mixture = np.random.default_rng(0).standard_normal((2, time, 1)).astype(np.float32)

    def twice(windows):
        assert windows.shape == (GROUP, 64, 1)
        return tf.stack([windows, 2 * windows], axis=1)

    estimates = in_windows(twice, mixture, window=64, outputs=2)
    assert estimates.shape == (2, 2, time, 1)
    np.testing.assert_allclose(estimates[:, 0], mixture, atol=1e-6)
    np.testing.assert_allclose(estimates[:, 1], 2 * mixture, atol=1e-6)
