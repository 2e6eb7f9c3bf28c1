"""Gradient penalties, one-sided and two-sided, equal their closed forms."""

import numpy as np
import pytest
import tensorflow as tf

from tfsepgan.losses.penalties import mix_at_random, one_sided_slope_penalty, slope_penalty


def test_a_linear_critic_is_penalised_by_how_far_its_slope_is_from_one():
    weights = np.random.default_rng(0).normal(size=(7, 2)).astype(np.float32)
    waveform = tf.random.normal((5, 7, 2), seed=1)
    with tf.GradientTape() as tape:
        tape.watch(waveform)
        scores = tf.reduce_sum(waveform * weights)
    penalty = float(slope_penalty(tape.gradient(scores, waveform)))
    assert penalty == pytest.approx((np.linalg.norm(weights) - 1) ** 2, rel=1e-5)


def test_a_slope_of_one_costs_nothing_and_no_slope_costs_one():
    gradient = np.zeros((3, 8, 1), np.float32)
    assert float(slope_penalty(gradient)) == pytest.approx(1, abs=1e-5)
    gradient[:, 2] = -1
    assert float(slope_penalty(gradient)) == pytest.approx(0, abs=1e-6)


def test_each_example_is_penalised_separately():
    gradient = np.zeros((2, 4, 1), np.float32)
    gradient[0, 0], gradient[1, 0] = 3, 0.5
    assert float(slope_penalty(gradient)) == pytest.approx((4 + 0.25) / 2, rel=1e-5)


@pytest.mark.parametrize("kind", [slope_penalty, one_sided_slope_penalty])
def test_a_flat_critic_has_a_finite_gradient(kind):
    gradient = tf.zeros((2, 4, 1))
    with tf.GradientTape() as tape:
        tape.watch(gradient)
        penalty = kind(gradient)
    assert np.isfinite(tape.gradient(penalty, gradient)).all()


@pytest.mark.parametrize("factor", [0.0, 0.3, 0.999, 1.001, 2.0, 7.0])
def test_the_one_sided_penalty_is_the_square_of_the_slope_above_one(factor):
    weights = np.random.default_rng(0).normal(size=(7, 2))
    weights = (factor * weights / np.linalg.norm(weights)).astype(np.float32)
    waveform = tf.random.normal((5, 7, 2), seed=1)
    with tf.GradientTape() as tape:
        tape.watch(waveform)
        scores = tf.reduce_sum(waveform * weights)
    penalty = float(one_sided_slope_penalty(tape.gradient(scores, waveform)))
    assert penalty == pytest.approx(max(0.0, factor - 1) ** 2, rel=1e-3, abs=1e-6)


def test_a_flat_example_does_not_compensate_for_a_steep_one():
    gradient = np.zeros((2, 4, 1), np.float32)
    gradient[0, 0] = 3
    assert float(one_sided_slope_penalty(gradient)) == pytest.approx((3 - 1) ** 2 / 2, rel=1e-5)


def test_points_between_windows_are_on_a_line():
    real, fake = np.zeros((3, 4, 1), np.float32), np.ones((3, 4, 1), np.float32)
    position = np.array([0, 0.25, 1], np.float32)[:, None, None]
    between = np.asarray(mix_at_random(real, fake, position))
    assert np.array_equal(between, np.broadcast_to(position, between.shape))
