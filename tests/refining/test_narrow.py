"""Networks cut down: what is of no use goes without a loss, and the rest is learned again."""

import json
from dataclasses import replace

import keras
import numpy as np
import pytest

from tfsepgan.errors import CheckpointError, ConfigError
from tfsepgan.models.bundle import load_bundle
from tfsepgan.networks.table import build_generator
from tfsepgan.refining.distil import FACT, distil, rate_at
from tfsepgan.refining.narrow import narrowed, principal_basis, strongest_units
from tfsepgan.refining.settings import NarrowSettings
from tfsepgan.settings.networks import GeneratorConfig

CONFIG = GeneratorConfig(
    kind="filterbank", channels=16, blocks=2, frame=64, hop=16, dilations=(1, 2), mask="complex"
)
ENDS = 200  # samples
NEW = {"sources": 1, "sample_rate_hz": 16000}


def noise(seed, batch=2, time=4000):
    return 0.1 * np.random.default_rng(seed).standard_normal((batch, time, 1)).astype(np.float32)


def network_of_few(components, units):
    """A network whose stream has few components, and whose blocks use few units."""
    draw = np.random.default_rng(3)
    network = build_generator(CONFIG, **NEW)
    span = draw.standard_normal((components, CONFIG.channels))
    for layer in network.layers:
        weights = layer.get_weights()
        if layer.name.endswith("norm"):
            weights = [draw.uniform(0.5, 2, len(weights[0])), draw.normal(size=len(weights[1]))]
        if layer.name == "enter" or layer.name.endswith("mix"):
            fan_in = len(weights[0])
            inside = draw.standard_normal((fan_in, components)) / np.sqrt(fan_in)
            weights = [inside @ span, draw.standard_normal(components) @ span]
        if layer.name.endswith("look"):
            weights[1][:] = draw.normal(size=CONFIG.channels)
            weights[1][units:] = -1e4  # never above zero
        layer.set_weights(weights)
    return network


def difference(one, other, mixture):
    """Away from both ends: there, a convolution pads after a norm that has another offset."""
    inside = slice(ENDS, -ENDS)
    a, b = (np.asarray(net(mixture, training=False))[:, :, inside] for net in (one, other))
    return np.sum((a - b) ** 2) / np.sum(a**2)


def test_components_and_units_of_no_use_go_without_a_loss():
    wide = network_of_few(components=6, units=7)
    narrow, config = narrowed(wide, CONFIG, [noise(0), noise(1)], channels=7, **NEW)
    assert config == replace(CONFIG, channels=7)
    assert narrow.count_params() < wide.count_params() / 2
    assert difference(wide, narrow, noise(2, time=1111)) < 1e-9


def test_what_is_cut_beyond_that_is_lost_little_by_little():
    wide = network_of_few(components=12, units=12)
    lost = [
        difference(wide, narrowed(wide, CONFIG, [noise(0)], channels=count, **NEW)[0], noise(1))
        for count in (13, 8, 3)
    ]
    assert lost[0] < 1e-8 < 1e-5 < lost[1] < lost[2]


def test_the_stream_turns_within_signals_of_zero_mean():
    products = np.cov(np.random.default_rng(0).standard_normal((9, 50)))
    basis = principal_basis(products, 5)
    np.testing.assert_allclose(basis.sum(axis=1), 0, atol=1e-12)
    values, vectors = np.linalg.eigh(products)
    strongest = vectors[:, -4:]
    np.testing.assert_allclose(basis @ basis.T, strongest @ strongest.T, atol=1e-12)


def test_units_left_out_are_predicted_from_those_kept():
    draw = np.random.default_rng(0)
    free = draw.uniform(0, 1, (200, 3))
    units = np.column_stack([free, 0.1 * free @ [[1.0], [2.0], [0.5]]])
    kept, spread = strongest_units(units.T @ units, np.ones((4, 2)), 3)
    assert kept.tolist() == [0, 1, 2]
    np.testing.assert_allclose(units[:, kept] @ spread.T, units, atol=1e-4)


@pytest.mark.parametrize(
    ("config", "channels", "mixtures", "words"),
    [
        (replace(CONFIG, kind="tfc_tdf"), 8, [noise(0)], "wanted a 'filterbank'"),
        (CONFIG, 16, [noise(0)], "fewer than 16"),
        (CONFIG, 1, [noise(0)], "at least 2"),
        (CONFIG, 8, [], "No mixtures"),
    ],
)
def test_what_cannot_be_narrowed_is_named(config, channels, mixtures, words):
    wide = build_generator(CONFIG, **NEW)
    with pytest.raises(ConfigError, match=words):
        narrowed(wide, config, mixtures, channels=channels, **NEW)


def test_training_against_the_wide_network_comes_closer(trained_run, tones, tmp_path):
    settings = NarrowSettings(channels=4, minutes=0.05, learning_rate=3e-3, measured_batches=2)
    done = distil(trained_run.directory, [str(tones)], tmp_path / "narrow", settings)
    assert done.steps > 1
    assert done.after < done.before
    assert done.parameters < done.wide_parameters
    wide, narrow = load_bundle(trained_run.directory / "model"), load_bundle(tmp_path / "narrow")
    assert narrow.generator.count_params() == done.parameters == narrow.manifest.parameters
    assert narrow.manifest.network_settings["channels"] == 4
    assert narrow.manifest.trained[FACT]["steps"] == done.steps
    assert narrow.manifest.context == wide.manifest.context


def test_without_training_the_cut_network_is_written(trained_run, tones, tmp_path):
    settings = NarrowSettings(channels=4, minutes=0, measured_batches=1)
    done = distil(trained_run.directory, [str(tones)], tmp_path / "narrow", settings)
    assert (done.steps, done.after) == (0, done.before)


def test_a_model_that_does_not_say_how_it_was_trained_is_refused(trained_run, tones, tmp_path):
    model = trained_run.directory / "model"
    for file in model.iterdir():
        (tmp_path / "model").mkdir(exist_ok=True)
        (tmp_path / "model" / file.name).write_bytes(file.read_bytes())
    path = tmp_path / "model" / "manifest.json"
    manifest = json.loads(path.read_text())
    del manifest["trained"]["settings"]
    path.write_text(json.dumps(manifest))
    with pytest.raises(CheckpointError, match="no settings of its training"):
        distil(tmp_path / "model", [str(tones)], tmp_path / "new", NarrowSettings(channels=4))
    assert not (tmp_path / "new").exists()


def test_the_learning_rate_rises_and_falls_to_zero():
    rates = [rate_at(share) for share in np.linspace(0, 1, 101)]
    assert max(rates) == pytest.approx(1) and rates[-1] == pytest.approx(0)
    assert np.argmax(rates) == 2  # percent of the time


def test_settings_that_cannot_be_used_are_all_named():
    settings = NarrowSettings(channels=1, minutes=-1, learning_rate=0, measured_batches=0)
    with pytest.raises(ConfigError) as error:
        settings.check()
    for flag in ("--channels", "--minutes", "--learning-rate", "--measured-batches"):
        assert flag in str(error.value)


def test_the_seed_of_keras_is_not_used():
    wide = network_of_few(components=12, units=12)
    results = []
    for seed in (0, 1):
        keras.utils.set_random_seed(seed)
        results.append(narrowed(wide, CONFIG, [noise(0)], channels=8, **NEW)[0].get_weights())
    for one, other in zip(*results, strict=True):
        np.testing.assert_array_equal(one, other)
