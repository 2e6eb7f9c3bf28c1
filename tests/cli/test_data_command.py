"""`tfsepgan-data`: copies the packaged recordings; the check reads every file to its end."""

import shutil

import numpy as np
import pytest
import soundfile

from tfsepgan.data.recordings.demo import demo_directory


@pytest.fixture
def data(tones, tmp_path):
    """A data folder that a test may change."""
    return shutil.copytree(tones, tmp_path / "data")


def test_the_packaged_recordings_can_be_copied(tmp_path, run):
    result = run("data", "demo", tmp_path / "new")
    assert result.code == 0
    assert f"train on them with --data {tmp_path / 'new'}" in result.out
    names = {path.relative_to(tmp_path / "new") for path in (tmp_path / "new").rglob("*.ogg")}
    assert names == {path.relative_to(demo_directory()) for path in demo_directory().rglob("*.ogg")}


def test_a_folder_that_is_in_use_is_not_written_to(tmp_path, run):
    (tmp_path / "thesis.txt").write_text("years of work")
    result = run("data", "demo", tmp_path)
    assert result.code == 1
    assert "is not an empty folder" in result.error
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]
    result = run("data", "demo", tmp_path / "thesis.txt")
    assert result.code == 1
    assert (tmp_path / "thesis.txt").read_text() == "years of work"


def test_a_good_folder_passes(tones, run):
    result = run("data", "check", tones)
    assert result.code == 0, result.err
    assert "8 recordings, all of them readable: training can run." in result.out
    assert "unpaired" in result.out


def test_missing_splits_are_mentioned(data, run):
    shutil.rmtree(data / "valid")
    result = run("data", "check", data)
    assert result.code == 0
    assert "No valid split: models cannot be chosen." in result.out


def test_a_file_that_breaks_off_is_named_and_the_others_are_still_read(data, run):
    flute = data / "train" / "flute"
    samples = np.random.default_rng(0).uniform(-0.5, 0.5, 40000)
    soundfile.write(flute / "cut.flac", samples, 16000)
    whole = (flute / "cut.flac").read_bytes()
    (flute / "cut.flac").write_bytes(whole[: len(whole) // 2])
    bad = np.zeros(16000, np.float32)
    bad[100] = np.nan
    soundfile.write(flute / "nan.wav", bad, 16000, subtype="FLOAT")
    result = run("data", "check", data)
    assert result.code == 1
    assert result.error == "DataError: 2 of 10 recordings cannot be used; repair or remove them."
    assert "cut.flac" in result.out
    assert "nan.wav holds NaN" in result.out


def test_a_file_that_is_no_audio_is_named(data, run):
    (data / "train" / "flute" / "notes.wav").write_text("not audio")
    result = run("data", "check", data)
    assert result.code == 1
    assert "notes.wav is not audio" in result.out
    assert result.error == "DataError: 1 of 9 recordings cannot be used; repair or remove them."


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("check", "nowhere"), 1, "nowhere does not exist"),
        (("check", "demo", "--sources", "violin"), 1, "holds no recording of 'violin'"),
        (("chekc", "demo"), 2, "chekc"),
        (("check",), 2, "Folder of recordings"),
    ],
)
def test_data_says_what_is_wrong(arguments, code, words, run, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    result = run("data", *arguments)
    assert result.code == code
    assert words in result.error
