"""Softer masks: the choice in closed form, and the tool on the packaged recordings."""

import sys

import keras
import numpy as np
import pytest
from tools_for_tests import from_tools

from tfsepgan.errors import CheckpointError
from tfsepgan.models.bundle import Bundle, describe, load_bundle
from tfsepgan.models.folders import find_bundle
from tfsepgan.networks.table import build_generator
from tfsepgan.settings.networks import GeneratorConfig


@pytest.fixture(scope="module")
def tool():
    return from_tools("soften_masks")


def run(tool, monkeypatch, output, *arguments):
    amount = ["--split", "test", "--mixtures", "2", "--seconds", "2", "--output", str(output)]
    monkeypatch.setattr(sys, "argv", ["soften_masks", "--data", "demo", *amount, *arguments])
    tool.main()


def test_a_target_has_no_say_in_the_pair_it_is_scored_with(tool):
    gains = np.array([[5.0, 5.0, 0.0], [0.0, 0.0, 9.0]])  # the first pair suits a, the second b
    assert tool.chosen_by_others(gains, ["a", "a", "b"]).tolist() == [0.0, 0.0, 0.0]
    assert tool.chosen_by_others(np.array([[1.0, 2.0], [3.0, 1.0]]), ["a", "b"]).tolist() == [
        1.0,
        1.0,
    ]


@pytest.mark.parametrize(
    ("name", "target"), [("012_sweet_waltz", "sweet_waltz"), ("Artist_Title", "Artist_Title")]
)
def test_the_target_is_read_from_the_name_of_a_mixture(tool, name, target):
    assert tool.target_of(name) == target


def test_the_layer_gives_the_softened_sum(tool):
    draws = np.random.default_rng(0)
    kernel, bias, heard = draws.normal(size=(4, 3)), draws.normal(size=3), draws.normal(size=4)
    soft_kernel, soft_bias = tool.softened([kernel, bias], 2.0, 0.25)
    np.testing.assert_allclose(
        heard @ soft_kernel + soft_bias, (heard @ kernel + bias) / 2 + 0.25, rtol=1e-12
    )


@pytest.mark.parametrize("kind", ["filterbank", "tfc_tdf", "band_split"])
@pytest.mark.parametrize("mask", ["real", "complex"])
def test_masks_of_every_kind_soften_by_the_numbers(tool, kind, mask):
    """The two numbers act before the sigmoid and leave what turns the phase alone."""
    config = GeneratorConfig(kind=kind, channels=16, blocks=1, frame=64, hop=16, mask=mask)
    generator = build_generator(config, sources=1, sample_rate_hz=16000)
    heads = [
        name for name in ("masks", "turns") if any(layer.name == name for layer in generator.layers)
    ]
    probe = keras.Model(generator.input, [generator.get_layer(name).output for name in heads])
    music = np.random.default_rng(0).normal(size=(1, 320, 1)).astype("float32")
    before = probe(music)
    layer = generator.get_layer("masks")
    layer.set_weights(tool.softened(layer.get_weights(), 2.0, 0.25))
    (learnt, *turns), (soft, *turns_after) = (
        [np.asarray(one) for one in values] for values in (before, probe(music))
    )
    odds = np.log(learnt / (1 - learnt))
    np.testing.assert_allclose(soft, 1 / (1 + np.exp(-(odds / 2 + 0.25))), atol=1e-5)
    np.testing.assert_array_equal(turns_after, turns)


def test_what_has_no_masks_is_refused(tool, monkeypatch):
    config = GeneratorConfig(kind="resnet", channels=4, blocks=1)
    generator = build_generator(config, sources=1, sample_rate_hz=16000)
    facts = {
        "name": "x",
        "system": "ssepgan",
        "sample_rate_hz": 16000,
        "sources": ("piano",),
        "trained": {},
    }
    bundle = Bundle(generator, describe(generator, config, **facts))
    monkeypatch.setattr(tool, "find_bundle", lambda name: name)
    monkeypatch.setattr(tool, "load_bundle", lambda folder: bundle)
    with pytest.raises(CheckpointError, match="'resnet' generator: it has no masks"):
        tool.open_masker("x")


def test_the_best_pair_is_written_into_the_last_layer(tool, tmp_path, monkeypatch):
    plain = load_bundle(find_bundle("piano"))
    learnt = plain.generator.get_layer("masks").get_weights()
    heard = []

    def gains_of(separator, mixtures, source):  # a kernel half as large is best
        heard.append(len(mixtures))
        kernel, _ = separator.generator.get_layer("masks").get_weights()
        return np.full(len(mixtures), -np.abs(kernel - learnt[0] / 2).max())

    class Heard:
        def __init__(self, bundle):
            self.generator = bundle.generator

    monkeypatch.setattr(tool, "gains_of", gains_of)
    monkeypatch.setattr(tool, "Separator", Heard)
    monkeypatch.setattr(tool, "FACT", "softened_for_a_test")  # what ships may be softened already
    run(
        tool,
        monkeypatch,
        tmp_path / "soft",
        "--model",
        "piano",
        "--temperatures",
        "4",
        "2",
        "--offsets",
        "0.5",
    )
    soft = load_bundle(tmp_path / "soft")
    assert heard == [2, 2, 2]
    kernel, bias = soft.generator.get_layer("masks").get_weights()
    np.testing.assert_allclose(kernel, learnt[0] / 2, rtol=1e-6)
    np.testing.assert_allclose(bias, learnt[1] / 2 + 0.5, rtol=1e-6)
    for ours, theirs in zip(soft.generator.layers, plain.generator.layers, strict=True):
        same = [
            np.array_equal(*pair)
            for pair in zip(ours.get_weights(), theirs.get_weights(), strict=True)
        ]
        assert all(same) or ours.name == "masks", ours.name
    told = soft.manifest.trained
    assert told["softened_for_a_test"] == {
        "temperature": 2.0,
        "offset": 0.5,
        "chosen_on": "2 mixtures of 2 s, split test, seed 17",
    }
    assert "scores" not in told

    with pytest.raises(SystemExit, match="softened already"):
        run(tool, monkeypatch, tmp_path / "softer", "--model", str(tmp_path / "soft"))


def test_on_recordings_a_temperature_that_leaves_half_of_everything_loses(
    tool, tmp_path, monkeypatch
):
    monkeypatch.setattr(tool, "FACT", "softened_for_a_test")
    run(
        tool,
        monkeypatch,
        tmp_path / "kept",
        "--model",
        "piano",
        "--temperatures",
        "1000",
        "--offsets",
        "0",
    )
    kept, plain = load_bundle(tmp_path / "kept"), load_bundle(find_bundle("piano"))
    for ours, theirs in zip(
        kept.generator.get_weights(), plain.generator.get_weights(), strict=True
    ):
        np.testing.assert_array_equal(ours, theirs)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("--temperatures", "0"), "above zero"),
        (("--temperatures", "nan"), "above zero"),
        (("--offsets", "inf"), "must be a number"),
        (("--mixtures", "0"), "at least 1"),
        (("--model", "no such model"), "No model 'no such model'"),
        (("--split", "nowhere"), "nowhere"),
    ],
)
def test_what_cannot_be_softened_is_told_in_a_sentence(
    tool, tmp_path, monkeypatch, arguments, told
):
    monkeypatch.setattr(tool, "FACT", "softened_for_a_test")
    with pytest.raises(SystemExit, match=told):
        run(tool, monkeypatch, tmp_path / "new", "--model", "piano", *arguments)
    assert not (tmp_path / "new").exists()


def test_an_output_that_is_there_is_left_alone(tool, tmp_path, monkeypatch):
    with pytest.raises(SystemExit, match="is there already"):
        run(tool, monkeypatch, tmp_path, "--model", "piano")
