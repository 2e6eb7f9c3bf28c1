"""Decomposition with parts made by trained generators, and its saved and resumed runs."""

from dataclasses import replace

import keras
import numpy as np
import pytest
import tensorflow as tf
from decomposition_for_tests import (
    BATCH,
    WINDOW,
    batch_with,
    experiment,
    moved,
    step,
    weights_of,
)

from tfsepgan import systems
from tfsepgan.errors import CheckpointError, ConfigError
from tfsepgan.models.saved import load_trained, save_trained
from tfsepgan.training.checkpoint import restore_state, save_state, variables_of


@pytest.fixture(scope="module")
def trained_component(tmp_path_factory):
    """A tiny trained generator of sounds on disk."""
    base = systems.preset("wavegan", "tiny")
    system = systems.build(replace(base, data=replace(base.data, window=WINDOW, batch=BATCH)))
    random = np.random.default_rng(0)
    for network in {id(one): one for one in (system.generator, system.ema_generator)}.values():
        network.set_weights(
            [w + 0.1 * random.standard_normal(w.shape) for w in network.get_weights()]
        )
    directory = tmp_path_factory.mktemp("trained_component")
    save_trained(directory, system, {})
    return directory, system.config.generator, weights_of(system.ema_generator)


@pytest.fixture
def with_components(trained_component):
    """Gives an experiment; `recorded` chooses a recording or a generator for each part."""

    def make(*recorded, **changes):
        directory, component, _ = trained_component
        places = tuple("" if part else str(directory) for part in recorded)
        return experiment(model={"components": places, "component": component}, **changes)

    return make


def test_a_component_is_a_generated_sound_at_the_level_of_a_recording(
    trained_component, with_components, system_of
):
    """A part without a generator is the recording itself."""
    system = system_of(with_components(False, True))
    system.begin(load_trained)
    assert list(system.components) == ["piano"]
    generator, solo = system.components["piano"], np.asarray(batch_with()["solo"])
    assert not moved(trained_component[2], generator)
    seed = np.array(system.draws.state)
    windows = np.asarray(system.components_of(tf.constant(solo)))
    system.draws.state.assign(seed)
    latents = keras.random.uniform((BATCH, generator.input.shape[-1]), -1.0, 1.0, seed=system.draws)
    sound = np.asarray(generator(latents))

    def level(sounds):
        return np.sqrt(np.mean(np.square(sounds), axis=1, keepdims=True))

    np.testing.assert_allclose(
        windows[:, 0], sound * level(solo[:, 0]) / level(sound), rtol=2e-3, atol=1e-5
    )
    assert np.array_equal(windows[:, 1], solo[:, 1])
    # a new sound at each step
    assert not np.array_equal(system.components_of(tf.constant(solo))[:, 0], windows[:, 0])


def test_components_stay_as_they_are(trained_component, with_components, system_of):
    system = system_of(with_components(False, False))
    system.begin(load_trained)
    for seed in (0, 1):
        assert all(np.isfinite(value) for value in step(system, batch_with(seed=seed)).values())
    for part in ("piano", "residual"):
        assert not moved(trained_component[2], system.components[part])


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (
            {"window": 4096},
            "makes 1024 samples at 16000 Hz, this run uses 4096 .* Use --window 1024",
        ),
        ({"sample_rate_hz": 8000}, "Use --window 1024 --sample-rate-hz 16000"),
    ],
)
def test_components_of_another_length_or_rate_are_refused(data, said, with_components):
    with pytest.raises(ConfigError, match=said):
        systems.build(with_components(False, True, data=data)).begin(load_trained)


def test_components_of_another_network_are_refused_with_their_settings(trained_component):
    system = systems.build(experiment(model={"components": (str(trained_component[0]), "")}))
    with pytest.raises(
        ConfigError,
        match=(
            "do not fit.* --component.latent 8 --component.channels 2 .*--component.post-filter 0"
        ),
    ):
        system.begin(load_trained)


def test_every_part_has_an_entry_in_components(with_components):
    with pytest.raises(
        ConfigError, match="components has 1 entries; it must have 2: piano, residual"
    ):
        systems.build(with_components(False))


def test_components_must_be_models_that_make_sounds(tmp_path):
    other = systems.build(experiment())
    save_trained(tmp_path / "other", other, {})
    for place, said in (
        (tmp_path / "other", "is a decomposition model"),
        (tmp_path / "none", "does not exist"),
    ):
        with pytest.raises(CheckpointError, match=said):
            systems.build(experiment(model={"components": (str(place), "")})).begin(load_trained)


def test_a_resumed_run_equals_an_uninterrupted_one(with_components, system_of, tmp_path):
    """Also without the components' folders: their weights are in the checkpoint."""
    whole = system_of(with_components(False, True, discriminator={}))
    whole.begin(load_trained)
    for seed in (0, 1):
        step(whole, batch_with(seed=seed))
    save_state(tmp_path, whole, {})
    expected = step(whole, batch_with(seed=2))
    moved_away = replace(whole.config, components=(str(tmp_path / "gone"), ""))
    resumed = system_of(replace(whole.experiment, model=moved_away))
    restore_state(tmp_path, resumed)
    assert step(resumed, batch_with(seed=2)) == expected
    for one, other in zip(
        variables_of(whole).values(), variables_of(resumed).values(), strict=True
    ):
        assert np.array_equal(one, other)
