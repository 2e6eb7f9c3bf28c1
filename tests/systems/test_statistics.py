"""Moving statistics of a generator's batch normalisation: of mixtures, and of nothing else that it is asked in training."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from tfsepgan.systems.statistics import batch_normalisations, statistics_kept


def statistics_of(network):
    """Every moving mean and variance, in order."""
    return [
        np.array(value) for norm in batch_normalisations(network) for value in (norm.moving_mean, norm.moving_variance)
    ]


def normalising(*, inside=False):
    """A network whose first layer is batch normalisation, by itself or in a model inside it."""
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
    # The call inside still normalises by its own batch: what comes out has no trace of the mean of 5.
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
    """The identity pass hears louder windows than any mixture has, and leaves no trace in what ships."""
    experiment = short(generator=generator, model={"identity_weight": 1.0, "identity_share": 1.0})
    system, batch = system_of(experiment), batch_of(experiment)
    system.optimizers["generator"].learning_rate.assign(0.0)
    twin = keras.models.clone_model(system.generator)
    twin.set_weights(system.generator.get_weights())
    before = statistics_of(twin)
    twin(batch["mixture"], training=True)
    system.train_step({**batch, "sources": 30.0 * batch["sources"]})
    for got, wanted, start in zip(statistics_of(system.generator), statistics_of(twin), before, strict=True):
        np.testing.assert_allclose(got, wanted, atol=1e-6)
        assert not np.allclose(got, start)
    decay, shipped = experiment.training.ema, statistics_of(system.ema_generator)
    for mean, trained, start in zip(shipped, statistics_of(system.generator), before, strict=True):
        np.testing.assert_allclose(mean, decay * start + (1 - decay) * trained, atol=1e-6)


def test_levels_follow_the_mixtures_by_the_momentum(short, system_of, batch_of):
    """The filterbank's only batch norm, in NumPy: what a bin's loudness is on average over the batch's frames."""
    experiment = short()
    system, batch = system_of(experiment), batch_of(experiment)
    levels = system.generator.get_layer("levels")
    loudness = np.asarray(keras.Model(system.generator.input, levels.input)(batch["mixture"]))
    before = np.array(levels.moving_mean)
    system.train_step(batch)
    expected = levels.momentum * before + (1 - levels.momentum) * loudness.mean(axis=(0, 1))
    np.testing.assert_allclose(levels.moving_mean, expected, atol=1e-5)
