"""GASS in training: losses of critics and generators, and the frames that they get."""

from dataclasses import replace

import keras
import numpy as np
import pytest
import tensorflow as tf
from gass_for_tests import (
    BINS,
    experiment,
    gamma,
    noise,
    scores_of,
    solos,
    varied,
)

from tfsepgan import systems
from tfsepgan.systems.statistics import batch_normalisations


def test_the_critics_loss_is_the_difference_of_scores_and_the_penalty_of_the_slope(system_of):
    system = system_of(experiment(objective="wgan-gp", penalty_weight=7.0))
    real, fake = gamma(6, 2, BINS), gamma(6, 2, BINS, seed=1)
    system.config = replace(system.config, penalty_weight=0.0)
    expected = np.mean(scores_of(system, fake)[0]) - np.mean(scores_of(system, real)[0])
    assert float(system.critic_loss(real, fake)) == pytest.approx(expected, rel=1e-3, abs=1e-6)
    system.config = replace(system.config, penalty_weight=7.0)
    slopes = scores_of(system, real)[1]  # between frames that are equal there is one point only
    assert float(system.critic_loss(real, real)) == pytest.approx(
        7 * np.mean((slopes - 1) ** 2), rel=1e-3
    )


def test_the_penalty_is_taken_at_a_random_point_between_each_pair_of_frames(system_of):
    """A critic with tanh has another slope at each point, so other points give another penalty."""
    system = system_of(experiment(objective="wgan-gp", penalty_weight=7.0))
    for part in range(2):
        layer = system.critic.get_layer(f"part{part}_hidden")
        layer.set_weights(
            [noise(*layer.kernel.shape, seed=part) / 4, noise(*layer.bias.shape, seed=5)]
        )
    real, fake = gamma(6, 2, BINS), 2 * gamma(6, 2, BINS, seed=1)
    state = np.array(system.draws.state)
    position = np.asarray(keras.random.uniform((6, 2, 1), seed=system.draws))
    system.draws.state.assign(state)
    difference = np.mean(scores_of(system, fake)[0]) - np.mean(scores_of(system, real)[0])
    slopes = scores_of(system, real + position * (fake - real))[1]
    expected = difference + 7 * np.mean((slopes - 1) ** 2)
    assert float(system.critic_loss(real, fake)) == pytest.approx(expected, rel=1e-3)


def test_critics_and_generators_are_trained_without_the_running_mean(system_of):
    system = varied(system_of(experiment(training={"ema": 0.5})))
    system.ema_generator.set_weights([0 * weight for weight in system.ema_generator.get_weights()])
    latents, given, loss = noise(system.config.frames, 2, 3), [], system.critic_loss
    made = np.asarray(system.generator(latents))
    system.latents = lambda: tf.constant(latents)
    system.critic_loss = lambda real, fake: given.append(np.asarray(fake)) or loss(real, fake)
    expected = -np.mean(scores_of(system, made)[0])
    assert float(system.generator_loss(latents)) == pytest.approx(expected, rel=1e-3)
    system.train_step(solos())
    np.testing.assert_allclose(given[0], made, rtol=1e-4, atol=1e-5)


def test_latents_are_standard_normal_and_drawn_anew(system_of):
    system = system_of(experiment(frames=3000))
    one, other = np.asarray(system.latents()), np.asarray(system.latents())
    assert one.shape == (3000, 2, 3) and not np.array_equal(one, other)
    assert np.mean(one) == pytest.approx(0, abs=0.04) and np.var(one) == pytest.approx(1, abs=0.05)


def test_the_paper_has_no_penalty_but_bounded_weights(system_of):
    system = system_of(experiment(objective="wgan", clip=0.02))
    real, fake = gamma(6, 2, BINS), gamma(6, 2, BINS, seed=1)
    expected = np.mean(scores_of(system, fake)[0]) - np.mean(scores_of(system, real)[0])
    assert float(system.critic_loss(real, fake)) == pytest.approx(expected, rel=1e-3, abs=1e-6)
    assert max(np.abs(weight).max() for weight in system.critic.get_weights()) > 0.02
    system.train_step(solos())
    assert max(np.abs(weight).max() for weight in system.critic.get_weights()) <= 0.02


def test_the_generators_loss_is_minus_the_score_of_their_frames(system_of):
    system = system_of(experiment())
    latents = noise(8, 2, 3)
    expected = -np.mean(scores_of(system, np.asarray(system.generator(latents)))[0])
    assert float(system.generator_loss(latents)) == pytest.approx(expected, rel=1e-3, abs=1e-6)


@pytest.mark.parametrize("wrap", [lambda step: step, tf.function], ids=["eager", "graph"])
def test_critics_step_more_often_in_the_first_steps(wrap, system_of):
    """Two first steps of 7 critic steps each, then 2 each; the generators step once each time."""
    system = system_of(experiment(critic_steps=2, first_critic_steps=7, first_steps=2))
    step = wrap(system.train_step)
    counted = []
    for seed in range(4):
        step(solos(seed))
        counted.append(
            [int(system.optimizers[player].iterations) for player in ("critic", "generator")]
        )
    assert counted == [[7, 1], [14, 2], [16, 3], [18, 4]]


def test_further_critic_steps_are_those_of_one_long_step(system_of):
    """Two steps and three further ones give the weights, and draw the numbers, of five."""
    few = system_of(experiment(critic_steps=2, first_critic_steps=5, first_steps=1))
    many = system_of(experiment(critic_steps=5))
    for network in ("generator", "critic"):
        getattr(few, network).set_weights(getattr(many, network).get_weights())
    logs = [system.train_step(solos()) for system in (few, many)]
    for one, other in zip(few.critic.get_weights(), many.critic.get_weights(), strict=True):
        np.testing.assert_allclose(one, other, atol=1e-6)
    assert float(logs[0]["critic"]) == pytest.approx(float(logs[1]["critic"]), rel=1e-4, abs=1e-6)


def test_fewer_first_critic_steps_than_later_are_refused():
    assert list(experiment(critic_steps=5, first_critic_steps=5).model.problems()) == []
    (problem,) = experiment(critic_steps=5, first_critic_steps=4).model.problems()
    assert "first_critic_steps is 4" in problem


def test_the_networks_of_the_paper_start_as_the_authors_do(system_of):
    """The authors' sizes, uniform within one over the root of the inputs, no normalisation."""
    system = system_of(systems.preset("gass", "paper"))
    sizes = {"hidden": (513, 100), "magnitudes": (100, 513)}
    for part in range(2):
        for name, (inputs, units) in sizes.items():
            kernel, bias = system.generator.get_layer(f"part{part}_{name}").get_weights()
            assert kernel.shape == (inputs, units)
            for weight in (kernel, bias):
                assert 0.8 < np.abs(weight).max() * inputs**0.5 <= 1.0001
        assert system.critic.get_layer(f"part{part}_hidden").get_weights()[0].shape == (513, 90)
    for network in (system.generator, system.critic):
        assert not list(batch_normalisations(network))
        # no statistics that signals could move
        assert all(weight.trainable for weight in network.weights)


def test_frames_have_mean_one_at_any_level_of_the_recording(system_of):
    system = system_of(experiment(compression=0.5))
    loud, quiet = (system.frames(gain * solos()["solo"]) for gain in (1.0, 0.01))
    for one, other in zip(loud, quiet, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-3, atol=1e-3)
    np.testing.assert_allclose(np.mean(np.square(loud[0]), axis=-1), 1, atol=1e-3)


def test_frames_are_drawn_in_proportion_to_their_level(system_of):
    system = system_of(experiment(frames=4000))
    loudness = np.float32([[1, 3, 0, 4], [5, 0, 1, 2]])
    frames = np.repeat(np.arange(4, dtype=np.float32)[None, :, None], 2, axis=0)
    drawn = np.asarray(system.drawn(tf.constant(frames), tf.constant(loudness)))
    assert drawn.shape == (4000, 2, 1)
    for part in range(2):
        often = np.bincount(drawn[:, part, 0].astype(int), minlength=4) / 4000
        np.testing.assert_allclose(often, loudness[part] / 8, atol=0.04)
