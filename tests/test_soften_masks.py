"""Softer masks: the choice in closed form, and the tool on the packaged recordings."""

import json
import sys

import numpy as np
import pytest
from tools_for_tests import from_tools

from tfsepgan.networks.bundle import load_bundle, save_bundle
from tfsepgan.networks.folders import find_bundle


@pytest.fixture(scope="module")
def tool():
    return from_tools("soften_masks")


def run(tool, monkeypatch, output, *arguments):
    amount = ["--split", "test", "--mixtures", "2", "--seconds", "2", "--output", str(output)]
    monkeypatch.setattr(sys, "argv", ["soften_masks", "--data", "demo", *amount, *arguments])
    tool.main()


def test_a_recording_has_no_say_in_the_pair_it_is_scored_with(tool):
    gains = np.array([[5.0, 5.0, 0.0], [0.0, 0.0, 9.0]])  # the first pair suits a, the second b
    assert tool.elsewhere(gains, ["a", "a", "b"]).tolist() == [0.0, 0.0, 0.0]
    assert tool.elsewhere(gains, ["a", "b", "c"]).tolist() == [0.0, 0.0, 0.0]
    assert tool.elsewhere(np.array([[1.0, 2.0], [3.0, 1.0]]), ["a", "b"]).tolist() == [1.0, 1.0]


def test_the_target_is_read_from_the_name_of_a_mixture(tool):
    assert tool.recording("012_sweet_waltz") == "sweet_waltz"


def test_the_layer_gives_the_softened_sum(tool):
    draws = np.random.default_rng(0)
    kernel, bias, heard = draws.normal(size=(4, 3)), draws.normal(size=3), draws.normal(size=4)
    soft_kernel, soft_bias = tool.softened([kernel, bias], 2.0, 0.25)
    np.testing.assert_allclose(heard @ soft_kernel + soft_bias, (heard @ kernel + bias) / 2 + 0.25, rtol=1e-12)


def test_the_written_model_has_the_softened_masks_and_says_so(tool, tmp_path, monkeypatch):
    # A temperature of 1000 leaves half of every bin: a model that knows nothing, and 1 must win.
    run(tool, monkeypatch, tmp_path / "kept", "--model", "piano", "--temperatures", "1000", "--offsets", "0")
    kept, plain = load_bundle(tmp_path / "kept"), load_bundle(find_bundle("piano"))
    for ours, theirs in zip(kept.generator.get_weights(), plain.generator.get_weights(), strict=True):
        np.testing.assert_array_equal(ours, theirs)
    told = json.loads((tmp_path / "kept" / "manifest.json").read_text())["trained"]["masks_softened"]
    assert told == {"temperature": 1.0, "offset": 0.0, "chosen_on": "test, 2 mixtures"}

    # Of a model a thousand times too sure, a temperature of 1000 is the better half, and gives the first one back.
    plain.generator.get_layer("masks").set_weights(
        [1000 * weights for weights in plain.generator.get_layer("masks").get_weights()]
    )

    save_bundle(tmp_path / "sure", plain.generator, plain.manifest)
    run(
        tool,
        monkeypatch,
        tmp_path / "soft",
        "--model",
        str(tmp_path / "sure"),
        "--temperatures",
        "1000",
        "--offsets",
        "0",
    )
    soft = load_bundle(tmp_path / "soft")
    for ours, theirs in zip(soft.generator.get_weights(), kept.generator.get_weights(), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-6)
    assert soft.manifest.trained["masks_softened"]["temperature"] == 1000.0


def test_what_cannot_be_softened_is_named(tool, tmp_path, monkeypatch):
    with pytest.raises(SystemExit, match="is there already"):
        run(tool, monkeypatch, tmp_path, "--model", "piano")
    with pytest.raises(SystemExit, match="above zero"):
        run(tool, monkeypatch, tmp_path / "new", "--model", "piano", "--temperatures", "0")
