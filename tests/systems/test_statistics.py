"""Moving statistics of a generator's batch normalisation are those of mixtures alone."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from tfsepgan.networks.table import build_generator
from tfsepgan.settings.networks import GeneratorConfig
from tfsepgan.systems.base import STATISTICS_EVERY, STATISTICS_MOMENTUM
from tfsepgan.systems.statistics import (
    batch_normalisations,
    normalises_weighted_outputs,
    statistics_kept,
)


def statistics_of(network):
    """Every moving mean and variance, in order."""
    return [
        np.array(value)
        for norm in batch_normalisations(network)
        for value in (norm.moving_mean, norm.moving_variance)
    ]


def normalising(*, inside=False):
    """A network that starts with batch normalisation, by itself or in a model inside it."""
    signal = keras.Input((None, 3))
    norm = keras.layers.BatchNormalization(momentum=0.9)
    if inside:
        within = keras.Input((None, 3))
        norm = keras.Model(within, norm(within))
    return keras.Model(signal, keras.layers.Dense(2)(norm(signal)))


def windows(seed, *, mean=0.0):
    return (mean + np.random.default_rng(seed).standard_normal((4, 50, 3))).astype("float32")


@pytest.mark.parametrize("inside", [False, True])
@pytest.mark.parametrize("compiled", [False, True])
def test_only_calls_outside_move_the_statistics(inside, compiled):
    network = normalising(inside=inside)
    mixture, solo = windows(0), windows(1, mean=5.0)

    def both():
        out = network(mixture, training=True)
        with statistics_kept(network):
            alone = network(solo, training=True)
        return out, alone

    _, alone = tf.function(both)() if compiled else both()
    mean, variance = statistics_of(network)
    np.testing.assert_allclose(mean, 0.1 * mixture.mean(axis=(0, 1)), atol=1e-5)
    np.testing.assert_allclose(variance, 0.9 + 0.1 * mixture.var(axis=(0, 1)), atol=1e-5)
    # The call inside still normalises by its own batch: the mean of 5 is not in the output.
    bias = network.layers[-1].bias
    np.testing.assert_allclose(np.mean(alone, axis=(0, 1)), bias, atol=1e-5)


def test_a_network_without_batch_normalisation_is_left_as_it_is():
    signal = keras.Input((None, 3))
    network = keras.Model(signal, keras.layers.Dense(2)(signal))
    with statistics_kept(network):
        assert network(windows(0), training=True).shape == (4, 50, 2)


@pytest.mark.parametrize(
    "generator", [{}, {"kind": "resnet", "channels": 8, "blocks": 1}], ids=["filterbank", "resnet"]
)
def test_ssepgans_statistics_are_those_of_its_mixtures(generator, short, system_of, batch_of):
    """The identity pass has louder windows than any mixture and does not change them."""
    experiment = short(generator=generator, model={"identity_weight": 1.0, "identity_share": 1.0})
    system, batch = system_of(experiment), batch_of(experiment)
    system.optimizers["generator"].learning_rate.assign(0.0)
    twin = keras.models.clone_model(system.generator)
    twin.set_weights(system.generator.get_weights())
    before = statistics_of(twin)
    twin(batch["mixture"], training=True)
    system.train_step({**batch, "sources": 30.0 * batch["sources"]})
    for got, wanted, start in zip(
        statistics_of(system.generator), statistics_of(twin), before, strict=True
    ):
        np.testing.assert_allclose(got, wanted, atol=1e-6)
        assert not np.allclose(got, start)


def test_statistics_of_inputs_are_averaged_as_weights_are(short, system_of, batch_of):
    experiment = short(ema=0.75)
    system, batch = system_of(experiment), batch_of(experiment)
    before = statistics_of(system.ema_generator)
    system.train_step(batch)
    for mean, start, trained in zip(
        statistics_of(system.ema_generator), before, statistics_of(system.generator), strict=True
    ):
        assert not np.allclose(trained, start)
        np.testing.assert_allclose(mean, 0.75 * start + 0.25 * trained, atol=1e-6)


def test_levels_follow_the_mixtures_by_the_momentum(short, system_of, batch_of):
    """The filterbank's only normalisation, in NumPy: the mean loudness of each bin."""
    experiment = short()
    system, batch = system_of(experiment), batch_of(experiment)
    levels = system.generator.get_layer("levels")
    loudness = np.asarray(keras.Model(system.generator.input, levels.input)(batch["mixture"]))
    before = np.array(levels.moving_mean)
    system.train_step(batch)
    expected = levels.momentum * before + (1 - levels.momentum) * loudness.mean(axis=(0, 1))
    np.testing.assert_allclose(levels.moving_mean, expected, atol=1e-5)


def made_by_weights(*, before):
    """A network with batch normalisation after a layer with weights, or before it."""
    signal = keras.Input((None, 3))
    layers = [keras.layers.BatchNormalization(center=False, scale=False), keras.layers.Dense(3)]
    output = signal
    for layer in layers if before else reversed(layers):
        output = layer(output)
    return keras.Model(signal, output)


SHARING = {"tfc_tdf": False, "band_split": False}


def test_normalisation_of_weighted_outputs_is_recognised(generators_of_systems):
    assert normalises_weighted_outputs(made_by_weights(before=False))
    assert not normalises_weighted_outputs(made_by_weights(before=True))
    assert generators_of_systems == {
        "resnet": True,
        "filterbank": False,
        "learnable filterbank": True,
        **SHARING,
    }


@pytest.fixture
def generators_of_systems():
    small = {"channels": 8, "blocks": 1, "frame": 256, "hop": 64}
    kinds = {
        "resnet": {"kind": "resnet"},
        "filterbank": {"kind": "filterbank"},
        "learnable filterbank": {"kind": "filterbank", "learnable": True},
        **{kind: {"kind": kind} for kind in SHARING},
    }
    return {
        name: normalises_weighted_outputs(
            build_generator(GeneratorConfig(**small, **kind), sources=1, sample_rate_hz=16000)
        )
        for name, kind in kinds.items()
    }


def test_the_running_mean_has_statistics_of_its_own(short, system_of, batch_of):
    """From a pass of the averaged weights every fourth step, not averaged themselves."""
    experiment = short(generator={"kind": "resnet", "channels": 8, "blocks": 1}, ema=0.5)
    system = system_of(experiment)
    twin = keras.models.clone_model(system.ema_generator)
    for norm in batch_normalisations(twin):
        norm.momentum = STATISTICS_MOMENTUM
    for step in range(1, 2 * STATISTICS_EVERY + 1):
        batch, before = batch_of(experiment, step), statistics_of(system.ema_generator)
        system.train_step(batch)
        updates = step % STATISTICS_EVERY == 0
        if updates:
            twin.set_weights(system.ema_generator.get_weights())
            pairs = zip(before[::2], before[1::2], strict=True)
            for norm, (mean, variance) in zip(batch_normalisations(twin), pairs, strict=True):
                norm.moving_mean.assign(mean)
                norm.moving_variance.assign(variance)
            twin(batch["mixture"], training=True)
        expected = statistics_of(twin) if updates else before
        for got, wanted in zip(statistics_of(system.ema_generator), expected, strict=True):
            np.testing.assert_allclose(got, wanted, atol=1e-6)
