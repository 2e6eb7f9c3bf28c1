"""Batch normalisation keeps the statistics of mixtures, whatever else the network gets."""

from dataclasses import replace

import keras
import numpy as np
import pytest
from cyclegan_for_tests import at_full_strength, experiment
from cyclegan_for_tests import step as step_of

from tfsepgan import systems
from tfsepgan.settings.networks import GeneratorConfig
from tfsepgan.systems.statistics import batch_normalisations

RESNET = {"kind": "resnet", "channels": 8, "blocks": 2}
SECTION_3_2 = {"identity": "paired", "mixture_fakes": "estimates"}  # and every other term too
WAYS = {"zhu": {}, "carry_rest": {"carry_rest": True}, "section 3.2": SECTION_3_2}


def moving(network):
    """Every moving mean and variance."""
    return [
        np.asarray(v)
        for norm in batch_normalisations(network)
        for v in (norm.moving_mean, norm.moving_variance)
    ]


def after_training_on(network, *windows):
    """The moving statistics of a copy of the network after passes on these windows alone."""
    twin = keras.models.clone_model(network)
    twin.set_weights(network.get_weights())
    for inputs in windows:
        twin(inputs, training=True)
    return moving(twin)


def inputs_of_first(network, windows):
    """The inputs of the first batch normalisation, `[batch, frames, channels]`, and that layer."""
    first = next(batch_normalisations(network))
    return (
        np.asarray(keras.Model(network.input, first.input)(windows, training=True), np.float64),
        first,
    )


def assert_equal(got, wanted):
    assert got and len(got) == len(wanted)
    for one, other in zip(got, wanted, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-6)


@pytest.fixture
def play(system_of, batch_of):
    """A CycleGAN of residual networks, and a batch, by settings."""

    def make(model):
        small = GeneratorConfig(**RESNET)
        settings = experiment(mixer=RESNET, model={"generator": small, **model})
        system = at_full_strength(system_of(settings))
        system.generator.set_weights(system.mixer.get_weights())  # at full strength too
        return system, batch_of(settings)

    return make


@pytest.mark.parametrize("way", WAYS)
def test_cyclegans_generator_keeps_the_statistics_of_mixtures(way, play):
    system, batch = play(WAYS[way])
    mixture = batch["mixture" if way == "section 3.2" else "unlabelled"]
    wanted = after_training_on(system.generator, mixture)
    before = moving(system.generator)
    step_of(system, batch)
    assert_equal(moving(system.generator), wanted)
    assert all(
        not np.allclose(one, other, rtol=1e-3) for one, other in zip(before, wanted, strict=True)
    )


@pytest.mark.parametrize("way", WAYS)
def test_cyclegans_mixer_keeps_the_statistics_of_what_it_makes_fakes_of(way, play):
    system, batch = play(WAYS[way])
    if way == "section 3.2":
        inputs = system.generator(batch["mixture"], training=True)[:, 0]
    else:
        inputs = batch["solo"][:, 0]
        if way == "carry_rest":
            residual = (
                batch["unlabelled"]
                - 0.8 * system.generator(batch["unlabelled"], training=True)[:, 0]
            )
            loud = [
                np.sqrt(np.mean(np.square(w), axis=(1, 2), keepdims=True))
                for w in (batch["solo"][:, 1], residual)
            ]
            inputs = inputs + residual * loud[0] / loud[1]
    wanted = after_training_on(system.mixer, inputs)
    step_of(system, batch)
    assert_equal(moving(system.mixer), wanted)


@pytest.mark.parametrize("way", ["zhu", "section 3.2"])
def test_the_moving_statistics_are_a_running_mean_in_numpy_too(way, play):
    """Of the first layer: 0.9 of the old value and 0.1 of the batch's mean and variance."""
    system, batch = play(WAYS[way])
    mixture = batch["mixture" if way == "section 3.2" else "unlabelled"]
    mean, variance = np.zeros(RESNET["channels"]), np.ones(RESNET["channels"])
    for _ in range(2):
        inputs, first = inputs_of_first(system.generator, mixture)
        mean = 0.9 * mean + 0.1 * inputs.mean(axis=(0, 1))
        variance = 0.9 * variance + 0.1 * inputs.var(axis=(0, 1))
        step_of(system, batch)
        np.testing.assert_allclose(first.moving_mean, mean, rtol=1e-3, atol=1e-6)
        np.testing.assert_allclose(first.moving_variance, variance, rtol=1e-3, atol=1e-6)


def test_the_semisupervised_separator_keeps_the_statistics_of_mixtures_labelled_and_not(
    system_of, batch_of
):
    """Labelled mixtures come first, then unlabelled ones; solos go to the critics only."""
    base = systems.preset("semisupervised", "tiny")
    model = replace(base.model, generator=GeneratorConfig(**RESNET), unlabelled_share=0.5)
    settings = replace(base, model=model, data=replace(base.data, window=1024, batch=2))
    system, batch = system_of(settings), batch_of(settings)
    wanted = after_training_on(system.generator, batch["mixture"], batch["unlabelled"][:1])
    mean, variance = np.zeros(RESNET["channels"]), np.ones(RESNET["channels"])
    for mixtures in (batch["mixture"], batch["unlabelled"][:1]):
        inputs, first = inputs_of_first(system.generator, mixtures)
        mean, variance = (
            0.9 * mean + 0.1 * inputs.mean(axis=(0, 1)),
            0.9 * variance + 0.1 * inputs.var(axis=(0, 1)),
        )
    system.train_step(batch)
    assert_equal(moving(system.generator), wanted)
    np.testing.assert_allclose(first.moving_mean, mean, rtol=1e-3, atol=1e-7)
    np.testing.assert_allclose(first.moving_variance, variance, rtol=1e-3, atol=1e-7)
