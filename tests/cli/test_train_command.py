"""`tfsepgan-train`: from recordings to an exported model; resuming; refusing what cannot work."""

import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile

import tfsepgan
from tfsepgan.cli import finish

TINY = ("--preset", "tiny")


def contents(directory):
    return {
        path.relative_to(directory): path.read_bytes()
        for path in directory.rglob("*")
        if path.is_file()
    }


# The output of one run.


def test_it_prints_what_it_does(trained_run):
    assert trained_run.exit_code == 0, trained_run.said
    printed = trained_run.said
    assert "Traceback" not in printed
    for words in (
        "  system         ssepgan, preset tiny, seed 0",
        "  generator      filterbank, 16 channels, blocks: 1",
        "  learning rate  0.001, constant",
        "All settings: ",
        "(unpaired)",
        "  parameters     generator ",
        "step      4",
        "step      8",
        "dB SI-SDR improvement on the valid split",
        "mixture",
        "oracle",
        "Exported to",
        f"tfsepgan-separate song.mp3 --model {trained_run.directory}",
        f"tfsepgan-export --run {trained_run.directory} --output exported_models/NAME",
    ):
        assert words in printed


def test_it_leaves_the_run_and_its_model(trained_run):
    there = {path.name for path in trained_run.directory.iterdir() if not path.name.startswith(".")}
    assert there == {
        *("settings.yaml", "state.npz", "model", "history.json", "curves.png", "tensorboard"),
        *("test", "separated", "exported", "metrics.jsonl", "sessions.jsonl"),
    }


def test_it_leaves_scores_beside_mixture_and_oracle(trained_run):
    report = json.loads((trained_run.directory / "test" / "report.json").read_text())
    assert {"mixture", "model", "oracle"} <= set(json.dumps(report).replace('"', " ").split())
    assert (trained_run.directory / "test" / "scores.png").is_file()
    assert list((trained_run.directory / "test" / "tracks").glob("*.json"))
    assert list((trained_run.directory / "test" / "pictures").iterdir())


def test_it_leaves_stems_that_sum_to_the_mixture(trained_run):
    (track,) = (trained_run.directory / "separated").iterdir()
    stems = {path.stem: soundfile.read(path, dtype="float32") for path in track.iterdir()}
    assert set(stems) == {"mixture", "piano", "piano-true", "residual", "residual-true"}
    assert {rate for _, rate in stems.values()} == {16000}
    assert len(stems["mixture"][0]) == 2 * 16000
    for kind in ("", "-true"):
        np.testing.assert_allclose(
            stems[f"piano{kind}"][0] + stems[f"residual{kind}"][0], stems["mixture"][0], atol=1e-6
        )


def test_it_leaves_a_saved_model_and_tflite(trained_run):
    exported = trained_run.directory / "exported" / "tiny"
    names = {path.name for path in exported.iterdir()}
    assert names == {
        "1",
        "tiny.tflite",
        "tiny.fp16.tflite",
        "model.keras",
        "manifest.json",
        "card.md",
    }
    assert (exported / "1" / "saved_model.pb").is_file()


def test_the_same_command_again_trains_nothing_and_finishes_again(
    trained_run, tmp_path, run, monkeypatch
):
    """Its export is replaced by another, as that of `tfsepgan-export` is; none is made here."""
    exports = []

    def export(bundle, output, audio):
        exports.append(output)
        return {"tflite": 0.0}

    monkeypatch.setattr(finish, "export_bundle", export)
    directory = shutil.copytree(trained_run.directory, tmp_path / "run")
    before = contents(directory)
    there = {str(trained_run.directory): str(directory)}
    result = run("train", *(there.get(one, one) for one in trained_run.arguments))
    assert result.code == 0, result.err
    assert f"Resuming {directory} at step 8." in result.out
    assert "step      8" not in result.out
    assert exports == [directory / "exported" / "tiny"]
    after = contents(directory)
    assert {
        name for name in after.keys() ^ before.keys() if name.parts[0] != "tensorboard"
    } == set()
    for name in (
        "state.npz",
        "settings.yaml",
        "model/model.keras",
        "model/manifest.json",
        "history.json",
    ):
        assert after[Path(name)] == before[Path(name)], name


def test_other_settings_in_the_same_folder_are_refused(trained_run, run):
    before = contents(trained_run.directory)
    result = run("train", *trained_run.arguments, "--learning-rate", "0.5")
    assert result.code == 1
    assert "learning_rate: the run has 0.001, you asked for 0.5" in result.error
    assert contents(trained_run.directory) == before


def test_ctrl_c_leaves_a_run_that_resumes(tones, tmp_path, run):
    places = (*TINY, "--data", tones, "--run", tmp_path / "run", "--window", 1024, "--batch", 2)
    steps = ("--steps", 100_000, "--steps-per-epoch", 2, "--validation-mixtures", 0)
    alone = ("--adversarial-weight", 0, "--identity-weight", 0, "--no-tensorboard", "--no-finish")
    arguments = [*places, *steps, *alone]
    line = [sys.executable, "-m", "tfsepgan.cli.train", *map(str, arguments)]
    environment = {**os.environ, "PYTHONPATH": str(Path(tfsepgan.__file__).parents[1])}
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True, "env": environment}
    with subprocess.Popen(line, **pipes) as process:
        for text in process.stdout:
            if text.startswith("step"):
                break
        process.send_signal(signal.SIGINT)
        _, error = process.communicate(timeout=120)
    assert process.returncode == 130, error
    assert "Traceback" not in error
    assert "Interrupted at step" in error
    assert "The same command resumes." in " ".join(error.split())
    step = int(error.partition("Interrupted at step ")[2].split(";")[0])
    with np.load(tmp_path / "run" / "state.npz") as state:
        assert json.loads(state["progress"].tobytes())["step"] == step
    # its time is over, so it only opens the run
    result = run("train", *arguments, "--minutes", "1e-6")
    assert result.code == 0
    assert f"Resuming {tmp_path / 'run'} at step {step}." in result.out


# What cannot work is one sentence, before anything is written.


@pytest.fixture
def broken(tmp_path, tones):
    """Data folders that cannot be trained on, by what is wrong with them."""
    folders = {
        name: tmp_path / name
        for name in ("empty", "no_split", "one_source", "text", "nothing_else")
    }
    for folder in folders.values():
        folder.mkdir()
    (folders["no_split"] / "piano").mkdir()
    for name in ("one_source", "text", "nothing_else"):
        (folders[name] / "train" / ("flute" if name == "one_source" else "piano")).mkdir(
            parents=True
        )
    audio = np.zeros(16000, np.float32)
    soundfile.write(folders["one_source"] / "train" / "flute" / "a.wav", audio, 16000)
    soundfile.write(folders["nothing_else"] / "train" / "piano" / "a.wav", audio, 16000)
    (folders["text"] / "train" / "piano" / "notes.wav").write_text("not audio")
    return {
        **folders,
        "missing": tmp_path / "missing",
        "file": tones / "train" / "piano" / "piano1.wav",
    }


@pytest.mark.parametrize(
    ("which", "words"),
    [
        ("missing", "does not exist"),
        ("file", "is a file"),
        ("empty", "has no train, valid or test folder"),
        ("no_split", "has no train, valid or test folder; it holds piano"),
        ("one_source", "holds no recording of 'piano'; it holds flute"),
        ("nothing_else", "there is nothing to mix it with"),
        ("text", "notes.wav is not audio"),
    ],
)
def test_data_that_cannot_be_trained_on(which, words, broken, tmp_path, run):
    result = run("train", *TINY, "--data", broken[which], "--run", tmp_path / "run")
    assert result.code == 1
    assert result.error.startswith("DataError: ")
    assert words in result.error
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((), "ConfigError: No recordings: give --data DIR"),
        (("--preset", "tinny"), "ConfigError: ssepgan has no preset 'tinny'; did you mean 'tiny'?"),
        (
            ("--system", "sepgan"),
            "ConfigError: There is no system 'sepgan'; did you mean 'ssepgan'?",
        ),
        (
            (*TINY, "--config", "missing.yaml"),
            "ConfigError: The settings file missing.yaml cannot be read",
        ),
        (
            (*TINY, "--data", "demo", "--batch", "0"),
            "ConfigError: batch is 0; it must be above zero.",
        ),
        ((*TINY, "--data", "demo", "--learning-rat", "1"), "--learning-rate"),
        ((*TINY, "--data", "demo", "--law", "papper"), "'paper'"),
    ],
)
def test_settings_that_are_wrong_end_with_code_2(arguments, words, run, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    result = run("train", *arguments)
    assert result.code == 2
    assert words in result.error
    assert not list(tmp_path.iterdir())


def test_an_unknown_key_in_a_file_is_named_with_the_nearest(run, tmp_path):
    (tmp_path / "mine.yaml").write_text("windw: 3\n")
    result = run(
        "train",
        *TINY,
        "--data",
        "demo",
        "--config",
        tmp_path / "mine.yaml",
        "--run",
        tmp_path / "run",
    )
    assert result.code == 2
    assert "mine.yaml has an unknown setting 'windw'; did you mean 'window'?" in result.error
    assert not (tmp_path / "run").exists()


def test_an_output_that_cannot_be_written_is_one_clear_error(run, tones, tmp_path):
    (tmp_path / "file").write_text("not a folder")
    result = run("train", *TINY, "--data", tones, "--run", tmp_path / "file" / "run")
    assert result.code == 1
    assert result.error.startswith(f"CheckpointError: Could not write {tmp_path / 'file' / 'run'}")
    assert (tmp_path / "file").read_text() == "not a folder"


def test_a_folder_of_other_files_is_refused_and_left_alone(run, tones, tmp_path):
    (tmp_path / "thesis.txt").write_text("years of work")
    result = run("train", *TINY, "--data", tones, "--run", tmp_path)
    assert result.code == 1
    assert "is not empty and not a run" in result.error
    assert contents(tmp_path) == {Path("thesis.txt"): b"years of work"}


def test_after_a_window_too_long_the_hint_can_be_followed(run, tones, tmp_path):
    """The refusal comes before any checkpoint, so the same folder takes the better settings."""
    places = ("--data", tones, "--run", tmp_path / "run")
    arguments = (*TINY, *places, "--no-tensorboard", "--no-finish")
    light = ("--adversarial-weight", 0, "--identity-weight", 0)
    light += ("--validation-mixtures", 0, "--batch", 2)
    result = run("train", *arguments, *light, "--window", 1_000_000)
    assert result.code == 1
    assert "none is longer than the window" in result.error
    assert "Use --window 32768" in result.error
    result = run(
        "train", *arguments, *light, "--window", 32768, "--steps", 1, "--steps-per-epoch", 1
    )
    assert result.code == 0, result.err
    assert (tmp_path / "run" / "model" / "manifest.json").is_file()
