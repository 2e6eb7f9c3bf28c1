"""`tfsepgan-tune`: from recordings to a preset for `tfsepgan-train`; the same command resumes."""

import json

import numpy as np
import pytest

SPACE = "learning_rate: {low: 1e-3, high: 1e-2, log: true}\ngenerator.channels: [4, 8]\n"
SHORT = (
    *("--preset", "tiny", "--window", 1024, "--batch", 2, "--steps", 2, "--steps-per-epoch", 1),
    *(
        "--validation-mixtures",
        1,
        "--validation-seconds",
        0.5,
        "--adversarial-weight",
        0,
        "--identity-weight",
        0,
    ),
)


def test_a_search_ends_in_a_preset_that_gives_its_score_again(run, step_by_step, tones, tmp_path):
    (tmp_path / "space.yaml").write_text(SPACE)
    folder = tmp_path / "search"
    arguments = (
        *SHORT,
        "--data",
        tones,
        "--output",
        folder,
        "--space",
        tmp_path / "space.yaml",
        "--algorithm",
        "random",
    )
    result = run("tune", *arguments, "--trials", 2)
    assert result.code == 0, result.err
    for words in (
        "Searched from ssepgan",
        "generator.channels",
        "random, 2 trials",
        "trial 1: ",
        "Report: ",
    ):
        assert words in result.out
    there = {path.name for path in folder.iterdir() if not path.name.startswith(".")}
    pictures = {"scores.png", "settings.png", "parallel.png"}
    assert (
        there
        == {
            "search.yaml",
            "oracle",
            "results",
            "trials",
            "report.md",
            "report.json",
            "preset.yaml",
        }
        | pictures
    )
    report = json.loads((folder / "report.json").read_text())
    assert [trial["outcome"] for trial in report["trials"]] == ["finished"] * 2
    assert report["trials"][1]["values"]["generator.channels"] in (4, 8, 16)
    assert report["winner"]["score"] == max(trial["score"] for trial in report["trials"])

    # The same command again tries nothing more; another search does not touch this one.
    before = (
        (folder / "oracle" / "state.json").stat().st_mtime_ns,
        (folder / "results" / "001.json").read_bytes(),
    )
    again = run("tune", *arguments, "--trials", 2)
    assert again.code == 0
    assert "step " not in again.out
    assert (folder / "results" / "001.json").read_bytes() == before[1]
    other = run("tune", *arguments, "--trials", 2, "--seed", 1)
    assert other.code == 1
    assert "seed: the run has 0, you asked for 1" in other.error

    trained = run(
        "train",
        "--config",
        folder / "preset.yaml",
        "--run",
        tmp_path / "run",
        "--no-finish",
        "--no-tensorboard",
    )
    assert trained.code == 0, trained.err
    with np.load(tmp_path / "run" / "state.npz") as state:
        score = json.loads(state["progress"].tobytes())["best"]["score"]
    assert score == pytest.approx(report["winner"]["score"], abs=1e-4)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((), "ConfigError: No recordings: give --data DIR"),
        (("--data", "demo", "--workers", 0), "workers is 0; it must be at least 1"),
        (("--data", "demo", "--poor-db", 0), "poor_db is 0.0; it must be above zero"),
        (("--data", "demo", "--validation-mixtures", 0), "trials are compared by validation"),
        (("--data", "demo", "--trials", 1), "trials is 1; it must be at least 2"),
        (
            ("--data", "demo", "--algorithm", "hyperband", "--factor", 3),
            "a whole trial has 2",
        ),
        (
            ("--data", "demo", "--space", "missing.yaml"),
            "The settings file missing.yaml cannot be read",
        ),
        (("--data", "demo", "--algorithm", "grid"), "'bayesian'"),
    ],
)
def test_what_is_wrong_ends_with_code_2_before_anything_is_made(
    arguments, words, run, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    result = run("tune", "--preset", "tiny", *arguments)
    assert result.code == 2
    assert words in result.error
    assert not list(tmp_path.iterdir())


def test_a_search_without_a_valid_split_is_refused(run, tones, tmp_path):
    import shutil

    shutil.copytree(tones, tmp_path / "data", ignore=shutil.ignore_patterns("valid"))
    result = run("tune", *SHORT, "--data", tmp_path / "data", "--output", tmp_path / "search")
    assert result.code == 1
    assert "valid" in result.error
    assert not (tmp_path / "search").exists()


def test_a_folder_that_another_process_searches_is_left_alone(run, tones, tmp_path):
    import subprocess
    import sys

    (tmp_path / "space.yaml").write_text(SPACE)
    arguments = (
        *SHORT,
        "--data",
        tones,
        "--output",
        tmp_path / "search",
        "--space",
        tmp_path / "space.yaml",
    )
    (tmp_path / "search").mkdir()
    held = (
        "import fcntl, sys, time; f = open(sys.argv[1], 'a'); fcntl.flock(f, fcntl.LOCK_EX);"
        " print(1, flush=True); time.sleep(600)"
    )
    line = [sys.executable, "-c", held, str(tmp_path / "search" / ".lock")]
    with subprocess.Popen(line, stdout=subprocess.PIPE) as holder:
        holder.stdout.readline()
        result = run("tune", *arguments)
        holder.kill()
    assert result.code == 1
    assert "Another process" in result.error
    assert not (tmp_path / "search" / "trials").exists()
