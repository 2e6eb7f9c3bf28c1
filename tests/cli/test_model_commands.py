"""The commands that use a model (separate, evaluate, export), and their errors without one."""

import json
from pathlib import Path

import numpy as np
import pytest
import soundfile


def test_separating_a_file_leaves_its_stems_at_its_own_rate_channels_and_length(
    trained_run, recordings, tmp_path, run
):
    source = recordings / "song.wav"
    result = run("separate", source, "--model", trained_run.directory, "--output", tmp_path / "out")
    assert result.code == 0, result.err
    folder = tmp_path / "out" / "song"
    assert sorted(path.name for path in folder.iterdir()) == ["piano.wav", "residual.wav"]
    mixture, _ = soundfile.read(source, dtype="float32")
    stems = [
        soundfile.read(folder / name, dtype="float32") for name in ("piano.wav", "residual.wav")
    ]
    assert all(audio.shape == (22051, 2) and rate == 44100 for audio, rate in stems)
    np.testing.assert_allclose(stems[0][0] + stems[1][0], mixture, atol=1e-6)
    assert f"{folder}: piano.wav, residual.wav; 0.5 s, 44100 Hz, 2 channels" in result.out


def test_only_the_chosen_stems_are_written(trained_run, recordings, tmp_path, run):
    whole, chosen = tmp_path / "whole", tmp_path / "chosen"
    command = ("separate", recordings / "song.wav", "-m", trained_run.directory, "-o")
    assert run(*command, whole).code == 0
    assert run(*command, chosen, "--sources", "residual").code == 0
    assert [path.name for path in (chosen / "song").iterdir()] == ["residual.wav"]
    written, expected = (
        soundfile.read(folder / "song" / "residual.wav")[0] for folder in (chosen, whole)
    )
    np.testing.assert_array_equal(written, expected)
    wrong = run(*command, tmp_path / "wrong", "--sources", "drums")
    assert wrong.code == 2 and "the stems of the model are piano, residual" in wrong.error
    assert not (tmp_path / "wrong").exists()


def test_recordings_whose_stems_exist_are_skipped(trained_run, recordings, tmp_path, run):
    command = ("separate", recordings, "-m", trained_run.directory, "-o", tmp_path / "out")
    assert run(*command).code == 0
    (removed,) = (tmp_path / "out").rglob("song/residual.wav")
    kept = {path: path.stat().st_mtime_ns for path in (tmp_path / "out").rglob("*.wav")}
    removed.unlink()
    (tmp_path / "out/results.jsonl").unlink()  # it would say what is done, too
    result = run(*command, "--skip-existing")
    assert result.code == 0 and result.out.count("x real time") == 1
    assert result.err.count("is skipped: its stems exist.") == 1
    again = {path for path, time in kept.items() if path.stat().st_mtime_ns != time}
    assert again == {removed.with_name("piano.wav"), removed}


def test_results_as_json_and_nothing_else_on_stdout(trained_run, recordings, tmp_path, run):
    (recordings / "notes.wav").write_text("not audio")
    command = ("separate", recordings, "-m", trained_run.directory, "-o", tmp_path / "out")
    result = run(*command, "--json", "-q")
    assert result.code == 1
    facts = {Path(one["input"]).name: one for one in map(json.loads, result.out.splitlines())}
    assert len(facts) == 3
    assert facts["notes.wav"]["status"] == "failed"
    assert "is not audio" in facts["notes.wav"]["reason"]
    song = facts["song.wav"]
    assert (song["status"], song["sample_rate_hz"], song["channels"]) == ("done", 44100, 2)
    assert song["seconds"] == pytest.approx(22051 / 44100)
    assert all(Path(path).is_file() for path in song["stems"].values())
    assert set(song["stems"]) == {"piano", "residual"}


def test_one_bad_file_does_not_stop_the_others(trained_run, recordings, tmp_path, run):
    (recordings / "notes.wav").write_text("not audio")
    result = run(
        "separate", recordings, "--model", trained_run.directory, "--output", tmp_path / "out"
    )
    assert result.code == 1
    assert result.error.endswith(
        "DataError: 1 of 3 recordings could not be separated; the reasons are above and in"
        f" {tmp_path / 'out/results.jsonl'}."
    )
    assert "notes.wav is not audio" in result.error
    made = {
        path.relative_to(tmp_path / "out").as_posix() for path in (tmp_path / "out").rglob("*.wav")
    }
    assert made == {
        "song/piano.wav",
        "song/residual.wav",
        "album/track/piano.wav",
        "album/track/residual.wav",
    }


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        ((), 2, "Nothing to separate"),
        (("missing.wav",), 1, "missing.wav does not exist"),
        (("empty",), 1, "empty holds no audio"),
        (
            ("song.wav", "--model", "nowhere"),
            1,
            "No model 'nowhere': as a folder it does not exist",
        ),
        (
            ("song.wav", "--model", "empty"),
            1,
            "No model 'empty': as a folder it has no manifest.json",
        ),
        (("song.wav", "--subtype", "MP3"), 2, "FLOAT"),
    ],
)
def test_separate_says_what_is_missing(arguments, code, words, recordings, run, monkeypatch):
    monkeypatch.chdir(recordings)
    (recordings / "empty").mkdir()
    result = run("separate", *arguments)
    assert result.code == code
    assert words in result.error
    assert not (recordings / "separated").exists()


def test_separating_into_something_that_is_no_folder_is_one_clear_error(
    trained_run, recordings, tmp_path, run
):
    (tmp_path / "file").write_text("not a folder")
    result = run(
        "separate",
        recordings / "song.wav",
        "--model",
        trained_run.directory,
        "--output",
        tmp_path / "file",
    )
    assert result.code == 1
    failure, error = result.error.splitlines()
    assert failure.startswith(f"failed {recordings / 'song.wav'}: cannot write to ")
    assert error.startswith("DataError: 1 of 1 recordings")
    assert (tmp_path / "file").read_text() == "not a folder"


@pytest.fixture
def spoilt(trained_run, tmp_path):
    """The tiny model with a file of weights that cannot be read."""
    import shutil

    model = shutil.copytree(trained_run.model, tmp_path / "spoilt")
    (model / "model.keras").write_bytes(b"nothing")
    return model


def test_a_model_whose_weights_are_damaged_is_refused_by_every_command(
    spoilt, recordings, tmp_path, run
):
    output = tmp_path / "out"
    for result in (
        run("separate", recordings, "--model", spoilt, "--output", output),
        run(
            "evaluate",
            "--model",
            spoilt,
            "--data",
            "demo",
            "--output",
            output,
            "--mixtures",
            1,
            "--seconds",
            1,
        ),
        run("export", "--run", spoilt, "--output", output),
    ):
        assert result.code == 1
        assert result.error.startswith("CheckpointError: ")
        assert "model.keras is not the file that its manifest.json describes" in result.error
    assert not output.exists()


def test_evaluating_on_the_packaged_recordings(trained_run, tmp_path, run):
    output = tmp_path / "scores"
    result = run(
        *(
            "evaluate",
            "--model",
            trained_run.directory,
            "--data",
            "demo",
            "--output",
            output,
            "--mixtures",
            2,
        ),
        *("--seconds", 2, "--no-bss", "--workers", 0, "--stems"),
    )
    assert result.code == 0, result.err
    for words in ("SI-SDR", "mixture", "oracle", f"Scores and pictures: {output}"):
        assert words in result.out
    assert len(list((output / "tracks").glob("*.json"))) == 2
    assert json.loads((output / "report.json").read_text())
    assert len(list((output / "separated").iterdir())) == 2


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("--data", "demo", "--split", "tset"), 1, "has no tset split; it has train, valid, test"),
        (("--data", "missing"), 1, "missing does not exist"),
        (("--data", "demo", "--mixtures", 0), 2, "mixtures is 0; it must be above zero"),
        (("--data", "demo", "--seconds", -1), 2, "seconds is -1.0; it must be above zero"),
        ((), 2, "--data"),
        (("--data", "demo", "--output", "file/below", "--mixtures", 1, "--seconds", 1), 1, "file"),
    ],
)
def test_evaluate_says_what_is_wrong(
    arguments, code, words, trained_run, tmp_path, run, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file").write_text("not a folder")
    result = run("evaluate", "--model", trained_run.directory, *arguments)
    assert result.code == code
    assert words in result.error
    assert [path.name for path in tmp_path.iterdir()] == ["file"]
