"""Compressed sensing in training: the terms of generator and encoder, and their gradients."""

from dataclasses import replace

import keras
import numpy as np
import pytest
import tensorflow as tf
from sensing_for_tests import WINDOW, weights_of

from tfsepgan import systems
from tfsepgan.systems.latent_search import search
from tfsepgan.systems.statistics import batch_normalisations


def test_the_terms_are_what_they_say_and_the_total_is_their_weighted_sum(
    sensing_of, system_of, batch_of
):
    weights = {
        "distance_weight": 2.0,
        "paired_weight": 3.0,
        "made_weight": 0.5,
        "latent_weight": 0.1,
    }
    latents_as_encoded = {"taught_iterations": 0}
    experiment = sensing_of(
        **weights,
        **latents_as_encoded,
        adversarial_weight=0.25,
        distance="waveform",
        estimate="waveform",
    )
    system, batch = system_of(experiment), batch_of(experiment)
    mixture, target = np.asarray(batch["mixture"]), np.asarray(batch["sources"])
    gain = 0.1 / np.sqrt(np.mean(mixture**2, axis=(1, 2), keepdims=True))
    tracks = np.concatenate([target, mixture[:, None] - target], axis=1) * gain[:, None]
    latents = np.asarray(system.encoder(gain * mixture, training=True))
    made = np.asarray(system.generator(latents))
    log = {name: float(value) for name, value in system.train_step(batch).items()}
    assert log["distance"] == pytest.approx(np.sum((made - tracks) ** 2) / len(made), rel=1e-4)
    assert log["paired"] == pytest.approx(np.mean(np.abs(made - tracks)[:, 0]), rel=1e-4)
    assert log["latent"] == pytest.approx(np.sum(latents**2) / len(latents), rel=1e-4)
    assert 0 < log["made"] < 4 and log["adversarial"] > 0 and log["discriminator"] > 0
    total = sum(weight * log[name.removesuffix("_weight")] for name, weight in weights.items())
    assert log["total"] == pytest.approx(total + 0.25 * log["adversarial"], rel=1e-4)


def test_made_is_the_squared_error_of_the_recovered_latents(sensing_of, batch_of):
    experiment = sensing_of()
    system, seen = systems.build(experiment), []
    system.generator = lambda latents, training: seen.append(latents) or tf.zeros((2, 2, WINDOW, 1))
    system.encoder = lambda mixture, training: seen[-1] + 0.5 if seen else tf.zeros((2, 2, 8))
    batch = batch_of(experiment)
    losses = system.losses(batch["mixture"], tf.zeros((2, 2, WINDOW, 1)), batch["solo"])
    assert float(losses["made"]) == pytest.approx(0.25, rel=1e-5)


def test_the_encoders_statistics_are_those_of_mixtures_alone(sensing_of, system_of, batch_of):
    """Generated mixtures a hundred times louder do not change them."""
    experiment = sensing_of()
    system, batch = system_of(experiment), batch_of(experiment)
    mixture = np.asarray(batch["mixture"])
    (norm,) = batch_normalisations(system.encoder)
    levels = keras.Model(system.encoder.input, norm.input)
    inputs = np.asarray(
        levels(0.1 * mixture / np.sqrt(np.mean(mixture**2, axis=(1, 2), keepdims=True))), np.float64
    )
    mean, variance = np.array(norm.moving_mean), np.array(norm.moving_variance)
    system.train_step({**batch, "solo": 100 * batch["solo"]})
    keep = norm.momentum
    np.testing.assert_allclose(
        norm.moving_mean, keep * mean + (1 - keep) * inputs.mean(axis=(0, 1)), atol=1e-5
    )
    np.testing.assert_allclose(
        norm.moving_variance, keep * variance + (1 - keep) * inputs.var(axis=(0, 1)), atol=1e-5
    )


@pytest.mark.parametrize("teach", [False, True])
def test_only_a_taught_generator_learns_from_what_the_encoder_recovers(
    teach, sensing_of, system_of, batch_of
):
    after = []
    for weight in (1.0, 50.0):
        experiment = sensing_of(teach_generator=teach, models_rest=False, distance_weight=weight)
        system = system_of(experiment)
        system.train_step(batch_of(experiment))
        after.append((weights_of(system.generator), weights_of(system.encoder)))
    same = [
        all(np.array_equal(a, b) for a, b in zip(*pair, strict=True))
        for pair in zip(*after, strict=True)
    ]
    assert same == [not teach, False]


def test_with_a_search_the_terms_are_of_the_point_where_it_ends(sensing_of, batch_of):
    experiment = sensing_of(taught_iterations=3, search_rate=0.05)
    system, batch = systems.build(experiment), batch_of(experiment)
    mixture, tracks = system.at_one_level(
        batch["mixture"], system.targets(batch["mixture"], batch["sources"])
    )
    start = system.encoder(mixture, training=True)
    objective = system.mixture_objective(mixture, system.generator)
    end, least = search(objective, start[:, None], iterations=3, rate=0.05)
    assert np.all(least < objective(start))
    assert np.max(np.abs(end - start)) > 0.01
    losses = system.losses(mixture, tracks, batch["solo"])
    far = system.distance(tracks, system.generator(end, training=True))
    assert float(losses["distance"]) == pytest.approx(np.mean(far), rel=1e-4)
    assert float(losses["latent"]) == pytest.approx(
        np.mean(np.sum(np.square(end), axis=(1, 2))), rel=1e-4
    )


def test_the_search_is_a_constant_in_the_encoders_gradient(sensing_of, batch_of):
    """The gradient by the encoder's latents is that by the point where the search ends."""
    experiment = sensing_of(taught_iterations=3)
    system, batch = systems.build(experiment), batch_of(experiment)
    latents = tf.random.stateless_uniform((2, 2, 8), seed=(0, 1))
    with tf.GradientTape() as tape:
        tape.watch(latents)
        found = system.searched(latents, batch["mixture"])
        value = tf.reduce_sum(tf.square(found))
    np.testing.assert_allclose(tape.gradient(value, latents), 2 * found, rtol=1e-5)


def test_no_gradient_flows_through_the_search_into_the_generator(sensing_of, batch_of):
    """Else the generator in the objective would get a gradient of second order."""
    experiment = sensing_of(taught_iterations=3)
    system, batch = systems.build(experiment), batch_of(experiment)
    weights = [variable.value for variable in system.generator.trainable_variables]
    latents = tf.random.stateless_uniform((2, 2, 8), seed=(0, 1))
    with tf.GradientTape() as tape:
        tape.watch(weights)
        value = tf.reduce_sum(tf.square(system.searched(latents, batch["mixture"])))
    assert all(gradient is None for gradient in tape.gradient(value, weights))


def test_generated_mixtures_teach_the_encoder_and_not_the_generator(sensing_of, batch_of):
    experiment = sensing_of()
    system, batch = systems.build(experiment), batch_of(experiment)
    players = {
        name: [v.value for v in getattr(system, name).trainable_variables]
        for name in ("encoder", "generator")
    }
    with tf.GradientTape() as tape:
        tape.watch(players)
        made = system.losses(batch["mixture"], tf.zeros((2, 2, WINDOW, 1)), batch["solo"])["made"]
    gradients = tape.gradient(made, players)
    assert all(gradient is not None for gradient in gradients["encoder"])
    assert all(gradient is None for gradient in gradients["generator"])


def test_the_encoders_statistics_are_those_of_mixtures(sensing_of, batch_of):
    experiment = sensing_of(taught_iterations=0)
    system, like, batch = systems.build(experiment), systems.build(experiment), batch_of(experiment)
    before = weights_of(like.encoder)
    system.losses(batch["mixture"], tf.zeros((2, 2, WINDOW, 1)), batch["solo"])
    like.encoder(batch["mixture"], training=True)
    assert any(
        not np.array_equal(*pair) for pair in zip(before, weights_of(like.encoder), strict=True)
    )
    for got, expected in zip(weights_of(system.encoder), weights_of(like.encoder), strict=True):
        np.testing.assert_allclose(got, expected, rtol=1e-6)


@pytest.mark.parametrize("modelled", [False, True])
def test_the_encoder_gets_generated_sounds_mixed_with_others(modelled, sensing_of, batch_of):
    """With recorded others, or with generated ones where they are modelled."""
    experiment = sensing_of(models_rest=modelled, taught_iterations=0, adversarial_weight=0.0)
    system, batch, given = systems.build(experiment), batch_of(experiment), []
    made = 0.1 * np.random.default_rng(0).standard_normal((2, 1 + modelled, WINDOW, 1)).astype(
        np.float32
    )
    system.generator = lambda latents, training: tf.constant(made)
    system.encoder = lambda mixture, training: (
        given.append(mixture) or tf.zeros((2, 1 + modelled, 8))
    )
    system.losses(batch["mixture"], tf.zeros((2, 1 + modelled, WINDOW, 1)), batch["solo"])
    expected = made.sum(axis=1) + (0 if modelled else np.asarray(batch["solo"])[:, -1])
    np.testing.assert_allclose(given[-1], expected, atol=1e-6)


def test_without_adversarial_weight_there_is_no_critic(sensing_of, system_of, batch_of):
    experiment = sensing_of(adversarial_weight=0.0)
    system = system_of(experiment)
    assert set(system.players) == {"generator", "encoder"}
    assert float(system.train_step(batch_of(experiment))["discriminator"]) == 0


def test_every_source_has_a_generator_and_a_critic_of_its_own(sensing_of, system_of, batch_of):
    experiment = sensing_of(
        data={"sources": ("piano", "flute")}, objective="wgan-gp", discriminator_steps=2
    )
    system = system_of(experiment)
    assert set(system.players) == {
        "discriminator_piano",
        "discriminator_flute",
        "generator",
        "encoder",
    }
    assert all(
        np.isfinite(float(value)) for value in system.train_step(batch_of(experiment)).values()
    )
    assert int(system.optimizers["discriminator_flute"].iterations) == 2
    assert system.separate(np.ones((1, 700, 1), np.float32)).shape == (1, 2, 700, 1)


def test_the_running_means_follow_generator_and_encoder(sensing_of, system_of, batch_of):
    base = sensing_of()
    experiment = replace(base, training=replace(base.training, ema=0.75))
    system = system_of(experiment)
    for name in ("generator", "encoder"):
        assert all(
            np.array_equal(a, b)
            for a, b in zip(
                weights_of(system.shipped[name]), weights_of(getattr(system, name)), strict=True
            )
        )
    before = weights_of(system.shipped["encoder"])
    system.train_step(batch_of(experiment))
    for mean, old, variable in zip(
        system.shipped["encoder"].variables, before, system.encoder.variables, strict=True
    ):
        new = np.asarray(variable)
        np.testing.assert_allclose(
            mean, 0.75 * old + 0.25 * new if variable.trainable else new, atol=1e-6
        )
