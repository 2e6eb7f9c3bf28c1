"""Objectives equal their formulas; the three terms of the paper; feature matching."""

import keras
import numpy as np
import pytest
from keras import ops

from tfsepgan.errors import ConfigError
from tfsepgan.losses.adversarial import (
    OBJECTIVES,
    fake_loss,
    feature_matching,
    generator_loss,
    real_loss,
    three_term_discriminator_loss,
)


def softplus(x):
    return np.logaddexp(0, x)


# For each objective: the loss of a score that should be high, of one that should be low, and the
# generator's loss of the score of an estimate.
TWINS = {
    "vanilla": (lambda s: softplus(-s), softplus, lambda s: softplus(-s)),
    "lsgan": (lambda s: (s - 1) ** 2, lambda s: s**2, lambda s: (s - 1) ** 2),
    "hinge": (lambda s: np.maximum(0, 1 - s), lambda s: np.maximum(0, 1 + s), lambda s: -s),
    "wgan-gp": (lambda s: -s, lambda s: s, lambda s: -s),
}
SCORES = [
    np.linspace(-30, 30, 24, dtype=np.float32).reshape(4, 3, 2),
    np.array([[0.5], [-2.0]], np.float32),
]


def of_branches(loss, scores):
    return np.mean([np.mean(loss(score.astype(np.float64))) for score in scores])


def test_every_objective_has_a_twin():
    assert set(OBJECTIVES) == set(TWINS)


@pytest.mark.parametrize("objective", sorted(TWINS))
def test_an_objective_is_its_formula(objective):
    for loss, twin in zip((real_loss, fake_loss, generator_loss), TWINS[objective], strict=True):
        assert float(loss(objective, SCORES)) == pytest.approx(of_branches(twin, SCORES), rel=1e-5)


def test_the_vanilla_objective_is_the_logarithm_of_a_sigmoid():
    scores = [np.array([-2.0, 0.0, 3.0], np.float32)]
    sigmoid = 1 / (1 + np.exp(-scores[0]))
    assert float(real_loss("vanilla", scores)) == pytest.approx(-np.mean(np.log(sigmoid)), rel=1e-5)
    assert float(fake_loss("vanilla", scores)) == pytest.approx(
        -np.mean(np.log(1 - sigmoid)), rel=1e-5
    )
    assert float(generator_loss("vanilla", scores)) == pytest.approx(
        -np.mean(np.log(sigmoid)), rel=1e-5
    )


@pytest.mark.parametrize(
    ("objective", "good_real", "good_fake"),
    [("vanilla", 80, -80), ("lsgan", 1, 0), ("hinge", 1, -1)],
)
def test_a_perfect_discriminator_has_no_loss(objective, good_real, good_fake):
    assert float(real_loss(objective, [np.full((2, 1), good_real, np.float32)])) == pytest.approx(
        0, abs=1e-6
    )
    assert float(fake_loss(objective, [np.full((2, 1), good_fake, np.float32)])) == pytest.approx(
        0, abs=1e-6
    )


@pytest.mark.parametrize("objective", sorted(TWINS))
def test_half_precision_scores_are_added_in_float32(objective):
    scores = [ops.cast(np.full(4096, 0.1, np.float32), "bfloat16")]
    loss = fake_loss(objective, scores)
    assert keras.backend.standardize_dtype(loss.dtype) == "float32"
    rounded = float(ops.cast(scores[0][:1], "float32")[0])
    assert float(loss) == pytest.approx(TWINS[objective][1](rounded), rel=1e-4)


@pytest.mark.parametrize("objective", sorted(TWINS))
@pytest.mark.parametrize("weight", [0.0, 0.3, 1.0])
def test_the_discriminators_loss_is_the_sum_of_its_three_terms(objective, weight):
    random = np.random.default_rng(0)
    real, generated, mixture = ([random.normal(size=(4, 2)).astype(np.float32)] for _ in range(3))
    loss = three_term_discriminator_loss(objective, real, generated, mixture, mixture_weight=weight)
    one, other, _ = TWINS[objective]
    expected = (
        of_branches(one, real)
        + of_branches(other, generated)
        + weight * of_branches(other, mixture)
    )
    assert float(loss) == pytest.approx(expected, rel=1e-5)


def test_an_unknown_objective_is_named_with_the_nearest():
    for loss in (real_loss, fake_loss, generator_loss):
        with pytest.raises(ConfigError, match="no objective 'hing'; did you mean 'hinge'"):
            loss("hing", SCORES)


def test_feature_matching_is_zero_on_equal_features():
    features = [np.ones((2, 3), np.float32), np.zeros((2, 5, 1), np.float32)]
    assert float(feature_matching(features, features)) == 0


def test_feature_matching_is_its_formula():
    random = np.random.default_rng(0)
    real, fake = (
        [random.normal(size=shape).astype(np.float32) for shape in ((2, 5, 3), (2, 7))]
        for _ in range(2)
    )
    expected = np.mean(
        [np.mean(np.abs(r - f)) / np.mean(np.abs(r)) for r, f in zip(real, fake, strict=True)]
    )
    assert float(feature_matching(real, fake)) == pytest.approx(expected, rel=1e-4)
    assert float(feature_matching([2 * r for r in real], [2 * f for f in fake])) == pytest.approx(
        expected, rel=1e-4
    )


def test_feature_matching_has_a_gradient_for_the_estimate_only():
    import tensorflow as tf

    real, fake = tf.constant([[1.0, 2.0]]), tf.constant([[0.0, 4.0]])
    with tf.GradientTape() as tape:
        tape.watch([real, fake])
        loss = feature_matching([real], [fake])
    to_real, to_fake = tape.gradient(loss, [real, fake])
    assert to_real is None
    np.testing.assert_allclose(to_fake, [[-0.5 / 1.5, 0.5 / 1.5]], rtol=1e-4)


def test_features_that_do_not_pair_up_are_refused():
    with pytest.raises(ValueError, match="zip"):
        feature_matching([np.ones(2, np.float32)], [np.ones(2, np.float32)] * 2)
