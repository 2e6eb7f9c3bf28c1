"""Softer masks: the choice in closed form, and the command's work on the packaged recordings.

Where no mask must be good, the model is small and has random weights.
"""

import keras
import numpy as np
import pytest
from bundles_for_tests import random_bundle

from tfsepgan.errors import CheckpointError, ConfigError, DataError
from tfsepgan.models.bundle import Bundle, describe, load_bundle, save_bundle
from tfsepgan.models.folders import find_bundle
from tfsepgan.networks.table import build_generator
from tfsepgan.refining import soften as softening
from tfsepgan.refining.settings import SoftenSettings
from tfsepgan.refining.soften import best_pair, held_out_gains, open_masker, soften, softened
from tfsepgan.settings.networks import GeneratorConfig

SHORT = {"split": ("test",), "mixtures": 2, "seconds": 2.0}


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    """The folder of a small model."""
    settings = {"channels": 8, "blocks": 1, "frame": 256, "hop": 64}
    facts = {"rate_hz": 16000, "sources": ("piano",), "trained": {"scores": {"test": 1.0}}}
    folder = tmp_path_factory.mktemp("small") / "model"
    save_bundle(folder, *random_bundle("filterbank", **facts, **settings))
    return folder


@pytest.fixture
def unmarked(monkeypatch):
    """Another name of the fact in the manifest: the shipped model is already softened."""
    monkeypatch.setattr(softening, "FACT", "softened_for_a_test")


def test_a_target_does_not_choose_the_pair_it_is_scored_with():
    gains = np.array([[5.0, 5.0, 0.0], [0.0, 0.0, 9.0]])  # the first pair suits a, the second b
    [held_out] = held_out_gains([gains], [["a", "a", "b"]])
    assert held_out.tolist() == [0.0, 0.0, 0.0]
    [held_out] = held_out_gains([np.array([[1.0, 2.0], [3.0, 1.0]])], [["a", "b"]])
    assert held_out.tolist() == [1.0, 1.0]


def test_every_set_counts_the_same_however_many_mixtures_it_has():
    few = np.array([[0.0], [3.0], [2.0]])
    many = np.array([[2.0] * 5, [0.0] * 5, [2.0] * 5])
    assert best_pair([few, many]) == 2  # means 1, 1.5 and 2
    assert best_pair([few]) == 1
    assert best_pair([few, many[:, :0]]) == 1  # a set without mixtures does not count


def test_a_target_is_held_out_of_every_set():
    first, second = np.array([[0.0, 1.0], [4.0, 0.0]]), np.array([[0.0, 1.0], [4.0, 0.0]])
    held_out = held_out_gains([first, second], [["a", "b"], ["a", "b"]])
    assert [values.tolist() for values in held_out] == [[0.0, 0.0], [0.0, 0.0]]
    held_out = held_out_gains([first, second], [["a", "b"], ["c", "b"]])
    assert held_out[0][0] == 4.0  # c in the other set chooses the second pair for a


def test_the_layer_gives_the_softened_sum():
    draws = np.random.default_rng(0)
    kernel, bias, inputs = draws.normal(size=(4, 3)), draws.normal(size=3), draws.normal(size=4)
    soft_kernel, soft_bias = softened([kernel, bias], 2.0, 0.25)
    np.testing.assert_allclose(
        inputs @ soft_kernel + soft_bias, (inputs @ kernel + bias) / 2 + 0.25, rtol=1e-12
    )


@pytest.mark.parametrize("kind", ["filterbank", "tfc_tdf", "band_split"])
@pytest.mark.parametrize("mask", ["real", "complex"])
def test_masks_of_every_kind_soften_by_the_numbers(kind, mask):
    """The two numbers act before the sigmoid; the rotation of the phase does not change."""
    config = GeneratorConfig(kind=kind, channels=16, blocks=1, frame=64, hop=16, mask=mask)
    generator = build_generator(config, sources=1, sample_rate_hz=16000)
    names = {layer.name for layer in generator.layers}
    heads = [name for name in ("masks", "turns") if name in names]
    probe = keras.Model(generator.input, [generator.get_layer(name).output for name in heads])
    music = np.random.default_rng(0).normal(size=(1, 320, 1)).astype("float32")
    before = [np.asarray(value) for value in probe(music)]
    layer = generator.get_layer("masks")
    layer.set_weights(softened(layer.get_weights(), 2.0, 0.25))
    after = [np.asarray(value) for value in probe(music)]
    odds = np.log(before[0] / (1 - before[0]))
    np.testing.assert_allclose(after[0], 1 / (1 + np.exp(-(odds / 2 + 0.25))), atol=1e-5)
    np.testing.assert_array_equal(after[1:], before[1:])


def test_a_generator_without_masks_is_refused(monkeypatch):
    config = GeneratorConfig(kind="resnet", channels=4, blocks=1)
    generator = build_generator(config, sources=1, sample_rate_hz=16000)
    facts = {"system": "ssepgan", "sample_rate_hz": 16000, "sources": ("piano",), "trained": {}}
    bundle = Bundle(generator, describe(generator, config, name="x", **facts))
    monkeypatch.setattr(softening, "find_bundle", lambda name: name)
    monkeypatch.setattr(softening, "load_bundle", lambda folder: bundle)
    with pytest.raises(CheckpointError, match="'resnet' generator: it has no masks"):
        open_masker("x")


def test_the_best_pair_is_written_into_the_last_layer(small, tmp_path, monkeypatch, unmarked):
    plain = load_bundle(small)
    trained = plain.generator.get_layer("masks").get_weights()
    scored = []

    def gains_of(separator, mixtures, source):  # best where the kernel is half as large
        scored.append(len(mixtures))
        kernel, _ = separator.generator.get_layer("masks").get_weights()
        return np.full(len(mixtures), -np.abs(kernel - trained[0] / 2).max())

    class SeparatorOfBundle:
        def __init__(self, bundle):
            self.generator = bundle.generator

    monkeypatch.setattr(softening, "gains_of", gains_of)
    monkeypatch.setattr(softening, "Separator", SeparatorOfBundle)
    settings = SoftenSettings(temperatures=(4.0, 2.0), offsets=(0.5,), **SHORT)
    done = soften(small, ["demo"], tmp_path / "soft", settings)
    assert scored == [2, 2, 2]
    assert done.pairs == [(1.0, 0.0), (4.0, 0.5), (2.0, 0.5)]
    assert done.kept == 2
    soft = load_bundle(tmp_path / "soft")
    kernel, bias = soft.generator.get_layer("masks").get_weights()
    np.testing.assert_allclose(kernel, trained[0] / 2, rtol=1e-6)
    np.testing.assert_allclose(bias, trained[1] / 2 + 0.5, rtol=1e-6)
    for new, old in zip(soft.generator.layers, plain.generator.layers, strict=True):
        weights = zip(new.get_weights(), old.get_weights(), strict=True)
        assert all(np.array_equal(*pair) for pair in weights) or new.name == "masks", new.name
    assert soft.manifest.trained["softened_for_a_test"] == {
        "temperature": 2.0,
        "offset": 0.5,
        "chosen_on": "2 mixtures of 2 s, split test, seed 17",
    }
    assert "scores" not in soft.manifest.trained
    with pytest.raises(CheckpointError, match="already softened"):
        soften(tmp_path / "soft", ["demo"], tmp_path / "softer", settings)


def test_two_sets_choose_by_the_mean_of_their_means(small, tmp_path, unmarked):
    settings = SoftenSettings(
        split=("test", "valid"), mixtures=2, seconds=2.0, temperatures=(2.0,), offsets=(0.0,)
    )
    done = soften(small, ["demo", "demo"], tmp_path / "soft", settings)
    assert [of_set.name for of_set in done.sets] == ["demo, test", "demo, valid"]
    means = np.mean([of_set.gains.mean(axis=1) for of_set in done.sets], axis=0)
    assert done.kept == int(np.argmax(means))
    assert len(done.held_out) == 2
    fact = load_bundle(tmp_path / "soft").manifest.trained["softened_for_a_test"]["chosen_on"]
    assert fact.count(";") == 1
    assert "split test" in fact
    assert "split valid" in fact


def test_a_temperature_that_leaves_half_of_everything_loses(tmp_path, unmarked):
    settings = SoftenSettings(temperatures=(1000.0,), offsets=(0.0,), **SHORT)
    soften("piano", ["demo"], tmp_path / "kept", settings)
    kept, plain = load_bundle(tmp_path / "kept"), load_bundle(find_bundle("piano"))
    weights = zip(kept.generator.get_weights(), plain.generator.get_weights(), strict=True)
    for new, old in weights:
        np.testing.assert_array_equal(new, old)


@pytest.mark.parametrize(
    ("changes", "error", "words"),
    [
        ({"temperatures": (0.0,)}, ConfigError, "above zero"),
        ({"temperatures": (float("nan"),)}, ConfigError, "above zero"),
        ({"offsets": (float("inf"),)}, ConfigError, "must be a number"),
        ({"mixtures": 0}, ConfigError, "at least 1"),
        ({"seconds": float("inf")}, ConfigError, "above zero"),
        ({"split": ("valid", "test")}, ConfigError, "2 splits for 1 sets"),
        ({"split": ("nowhere",)}, DataError, "nowhere"),
    ],
)
def test_settings_that_cannot_be_used_are_named(small, tmp_path, changes, error, words):
    settings = SoftenSettings(**{**SHORT, **changes})
    with pytest.raises(error, match=words):
        soften(small, ["demo"], tmp_path / "new", settings)
    assert not (tmp_path / "new").exists()


def test_an_existing_output_is_left_alone(tmp_path):
    with pytest.raises(CheckpointError, match="already exists"):
        soften("piano", ["demo"], tmp_path)
