"""Models along a training: copies of what changed, scores that stay, the order of steps."""

import argparse
import json
import shutil

import numpy as np
import pytest
from rich.console import Console
from tools_for_tests import from_tools

from tfsepgan.models.folders import read_manifest

tool = from_tools("score_curve")


def at_step(model, step):
    """The manifest of a model says another step from now on."""
    path = model / "manifest.json"
    values = json.loads(path.read_text())
    values["trained"]["steps"] = f"{step} of 100"
    path.write_text(json.dumps(values))


@pytest.fixture
def run(trained_run, tmp_path):
    shutil.copytree(trained_run.model, tmp_path / "run" / "model")
    return tmp_path / "run"


def test_a_models_step_is_that_of_its_manifest(run):
    at_step(run / "model", 100)
    assert tool.step_of(read_manifest(run / "model")) == 100
    assert tool.is_last(read_manifest(run / "model"))
    at_step(run / "model", 40)
    assert tool.step_of(read_manifest(run / "model")) == 40
    assert not tool.is_last(read_manifest(run / "model"))


def test_a_model_is_copied_when_it_is_another_and_only_then(run, tmp_path):
    copies = tmp_path / "copies"
    copies.mkdir()
    assert tool.copy_model(tmp_path / "nothing", copies) is None
    at_step(run / "model", 8)
    assert tool.copy_model(run, copies) == copies / "step-0000008"
    assert tool.copy_model(run, copies) is None
    at_step(run / "model", 40)
    assert tool.copy_model(run, copies) == copies / "step-0000040"
    assert sorted(path.name for path in copies.iterdir()) == ["step-0000008", "step-0000040"]
    assert tool.fingerprint(copies / "step-0000040") == tool.fingerprint(run / "model")


@pytest.mark.usefixtures("drawn_pictures")
def test_models_are_scored_once_and_stand_in_the_order_of_their_steps(
    run, tones, tmp_path, monkeypatch
):
    copies, output = tmp_path / "copies", tmp_path / "curve"
    copies.mkdir()
    for step in (40, 8):
        at_step(run / "model", step)
        tool.copy_model(run, copies)
    words = [
        "score",
        "--models",
        str(copies / "step-0000040"),
        str(copies / "step-0000008"),
        "--output",
        str(output),
    ]
    words += [
        "--score",
        f"one={tones}/test",
        f"two={tones}/valid",
        "--mixtures",
        "2",
        "--seconds",
        "1",
    ]
    options = tool.parser().parse_args(words)
    tool.score(options, Console(quiet=True))
    curve = json.loads((output / "curve.json").read_text())
    assert [row["step"] for row in curve["rows"]] == [8, 40]
    gains = [tool.figure(row, "si_sdr_improvement") for row in curve["rows"]]
    # the same weights
    assert gains[0] == gains[1] and gains[0].files == 2 and np.isfinite(gains[0].error)
    assert tool.figure(curve["rows"][0]["bounds"]["mixture"], "low_bins").mean >= 0
    assert (output / "curve.png").stat().st_size > 1000

    def refuse(*_, **__):
        raise AssertionError("scored twice")

    monkeypatch.setattr("tfsepgan.evaluation.score.evaluate", refuse)
    tool.score(options, Console(quiet=True))
    with pytest.raises(AssertionError, match="scored twice"):
        tool.score(argparse.Namespace(**vars(options) | {"mixtures": 3}), Console(quiet=True))
