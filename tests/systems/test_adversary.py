"""Adversarial steps of every system: phase shuffle, crops, the Wasserstein loss and its penalty."""

from dataclasses import replace

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import ops

from tfsepgan import systems
from tfsepgan.layers.phase_shuffle import PhaseShuffle
from tfsepgan.settings.networks import DiscriminatorConfig
from tfsepgan.systems.adversary import input_gradient

WINDOW, CROP, BATCH, WEIGHT = 1024, 256, 2, 7.0
# Settings with which a step calls the discriminators in all ways.
ALL_CALLS = {
    "ssepgan": {"feature_weight": 1.0, "adversarial_weight": 1.0},
    "cyclegan": {"adversarial_source_weight": 1.0, "adversarial_mixture_weight": 1.0},
    "wavegan": {"diversity_weight": 1.0, "discriminator_steps": 1},
    "semisupervised": {"unsupervised_weight": 1.0},
    "decomposition": {"parts_weight": 1.0, "mixture_weight": 1.0},
    "compressed_sensing": {"adversarial_weight": 1.0},
}


@pytest.fixture
def system_with(short):
    """A system of the table on short windows, with settings of its model changed by name."""

    def make(name, **model):
        base, data = systems.preset(name, "tiny"), short().data
        network = replace(base.model.discriminator, kind="wavegan", phase_shuffle=2, channels=2)
        changed = replace(base.model, **{"discriminator": network, **ALL_CALLS[name], **model})
        system = systems.build(replace(base, model=changed, data=data))
        system.compile()
        return system

    return make


@pytest.mark.parametrize("name", sorted(ALL_CALLS))
def test_every_call_of_a_discriminator_has_phase_shuffle(name, system_with, batch_of, monkeypatch):
    """In its own steps, in the generator's, and where its slope is penalised."""
    system, trainings = (
        system_with(name, **({} if name == "semisupervised" else {"objective": "wgan-gp"})),
        [],
    )
    shuffle = PhaseShuffle.call

    def recording(self, signal, training=False):
        trainings.append(bool(training))
        return shuffle(self, signal, training=training)

    monkeypatch.setattr(PhaseShuffle, "call", recording)
    system.train_step(batch_of(system.experiment))
    assert trainings and all(trainings)


@pytest.mark.parametrize("name", sorted(ALL_CALLS))
def test_every_discriminator_gets_another_crop_at_each_step(name, system_with, monkeypatch):
    """In recordings that rise by one a sample, the values of a crop give its start."""
    network = {"discriminator": DiscriminatorConfig(kind="patch", channels=2, window=CROP)}
    system, starts = system_with(name, **network), []
    convolve = keras.layers.Conv1D.call

    def looking(self, signal):
        # real and fake together: its own step
        if signal.shape[1:] == (CROP, 1) and len(signal) > BATCH:
            rise = np.diff(np.asarray(signal)[..., 0], axis=1)
            straight = np.ptp(rise, axis=1) < 1e-3 * np.abs(rise[:, 0])
            starts.extend(
                np.round(np.asarray(signal)[straight, 0, 0] / rise[straight, 0]).astype(int)
            )
        return convolve(self, signal)

    monkeypatch.setattr(keras.layers.Conv1D, "call", looking)
    rising = np.arange(WINDOW, dtype=np.float32)[:, None] / WINDOW
    shapes = {"mixture": (), "unlabelled": (), "sources": (1,), "solo": (2,)}
    batch = {
        key: tf.constant(np.tile(rising, (BATCH, *more, 1, 1))) for key, more in shapes.items()
    }
    each = []
    for _ in range(2):
        starts.clear()
        system.train_step(batch)
        each.append(set(starts))
    assert all(each) and len(set.union(*each)) > 1
    assert all(0 <= start <= WINDOW - CROP for start in set.union(*each))


def quadratic(factors=(1.0,)):
    """A critic with scores `factor |x|^2 / 2`, one head a factor, and slope `factor x`."""
    waveform = keras.Input((WINDOW, 1))
    energy = ops.sum(ops.square(waveform), axis=(1, 2), keepdims=True)[:, 0]
    return keras.Model(
        waveform, {"scores": [0.5 * factor * energy for factor in factors], "features": []}
    )


def windows(seed, level):
    """Noise of expected length `level`, `[batch, window, 1]`."""
    drawn = np.random.default_rng(seed).standard_normal((BATCH, WINDOW, 1))
    return ops.convert_to_tensor((level / np.sqrt(WINDOW) * drawn).astype(np.float32))


def length(signal):
    return np.sqrt(np.sum(np.square(signal), axis=(1, 2)))


def next_positions(system):
    """The points that the system will draw next, `[batch, 1, 1]`, without drawing them."""
    state = np.array(system.draws.state)
    drawn = np.asarray(keras.random.uniform((BATCH, 1, 1), seed=system.draws))
    system.draws.state.assign(state)
    return drawn


def of_ssepgan(system, critic, real, fake):
    system.discriminator = critic
    return system.discriminator_loss(0.3 * real, real, fake)


def of_wavegan(system, critic, real, fake):
    system.discriminator, system.generator = critic, lambda latents, training: fake
    system.random_latents = lambda rows: None
    return system.discriminator_loss(real)


def of_cyclegan(system, critic, real, fake):
    system.discriminators = {"source": critic}
    return system.discriminator_loss("source", real, fake)


CRITICS_LOSS = {
    "ssepgan": of_ssepgan,
    "cyclegan": of_cyclegan,
    "wavegan": of_wavegan,
    "semisupervised": lambda system, *given: system.critic_loss(*given),
    "decomposition": lambda system, *given: system.critic_loss(*given),
    "compressed_sensing": lambda system, *given: system.discriminator_loss(*given),
}


@pytest.mark.parametrize("name", sorted(ALL_CALLS))
def test_a_critic_has_the_loss_and_the_penalty_of_the_equations(name, system_with):
    """A quadratic critic has a closed form: scores |x|^2 / 2, and a slope of length |x|."""
    settings = {"penalty_weight": WEIGHT}
    settings |= {"one_sided": False} if name == "semisupervised" else {"objective": "wgan-gp"}
    settings |= {"mixture_as_fake_weight": 0.0} if name == "ssepgan" else {}
    system = system_with(name, **settings)
    real, fake = windows(1, 3.0), windows(2, 1.5)
    for _ in range(2):  # the points are drawn anew
        position = next_positions(system)
        between = np.asarray(real) + position * np.asarray(fake - real)
        expected = np.mean(length(fake) ** 2 - length(real) ** 2) / 2 + WEIGHT * np.mean(
            (length(between) - 1) ** 2
        )
        assert float(CRITICS_LOSS[name](system, quadratic(), real, fake)) == pytest.approx(
            expected, rel=1e-4
        )
    assert position[0] != position[1]


def test_the_slope_of_several_heads_is_that_of_their_mean():
    critic, waveform = quadratic((1.0, 5.0)), windows(1, 2.0)
    slope = input_gradient(lambda x: critic(x)["scores"], tf.constant(waveform))
    np.testing.assert_allclose(slope, 3.0 * np.asarray(waveform), rtol=1e-5)
