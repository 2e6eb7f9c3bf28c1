"""`tfsepgan-data check` names the set, measures it, lists every problem, and fails on any."""

import importlib
import shutil
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile

RATE_HZ = 16000


@pytest.fixture(scope="module")
def miniatures():
    sys.path.insert(0, str(Path(__file__).parents[1] / "data"))
    try:
        return importlib.import_module("sets_for_tests")
    finally:
        sys.path.pop(0)


@pytest.fixture
def data(tones, tmp_path):
    """A data folder that a test may change."""
    return shutil.copytree(tones, tmp_path / "data")


def sound(seconds: float, level: float = 0.1, seed: int = 0, channels: int = 1) -> np.ndarray:
    return np.random.default_rng(seed).normal(
        scale=level, size=(round(seconds * RATE_HZ), channels)
    )


def test_a_set_is_named_with_its_levels_and_notes(miniatures, tmp_path, run):
    root = miniatures.make_mir1k(tmp_path)
    result = run("data", "check", root, "--sources", "voice")
    assert result.code == 0, result.err
    assert "(mir1k, multitrack)" in result.out
    assert "The singers abjones and amy are for training" in result.out
    assert "-20.0" in result.out  # noise of 0.1
    assert "-26.0" in result.out  # the accompaniment, half as loud
    assert "36 recordings, all of them readable: training can run." in result.out


def test_two_sets_are_checked_as_one(miniatures, tmp_path, run):
    places = f"{miniatures.make_maestro(tmp_path / 'm')},{miniatures.make_irmas(tmp_path / 'i')}"
    result = run("data", "check", places, "--leave-out", "irmas/*/piano/*")
    assert result.code == 0, result.err
    assert "maestro, irmas, unpaired" in result.out.replace("\n", " ")
    alone = run("data", "check", places.split(",")[0])
    assert alone.code == 1
    assert "holds piano and nothing else" in alone.error


def test_every_problem_is_listed_at_once(data, run):
    flute = data / "train" / "flute"
    (flute / "notes.wav").write_text("not audio")
    (flute / "empty.flac").write_bytes(b"")
    soundfile.write(
        flute / "nan.wav", np.full(RATE_HZ, np.nan, np.float32), RATE_HZ, subtype="FLOAT"
    )
    soundfile.write(flute / "silent.wav", np.zeros(RATE_HZ), RATE_HZ)
    soundfile.write(flute / "loud.wav", np.clip(sound(1.0, 3.0), -1, 1), RATE_HZ)
    soundfile.write(flute / "quad.wav", sound(1.0, channels=4), RATE_HZ)
    soundfile.write(flute / "opposite.wav", sound(1.0) * [[1, -1]], RATE_HZ)
    result = run("data", "check", data)
    assert result.code == 1
    assert result.error == "DataError: 3 of 15 recordings cannot be used; repair or remove them."
    for words in (
        "notes.wav is not audio",
        "empty.flac is empty",
        "nan.wav holds NaN",
        "1 recordings of flute in train are silent: train/flute/silent.wav",
        "1 recordings of flute in train have channels that cancel out, so that their mean is"
        " silent: train/flute/opposite.wav",
        "quad.wav has 4 channels, which are averaged",
        "1 of 6",  # clipped, of those that could be read
    ):
        assert words in result.out


def test_every_recording_in_two_splits_is_named(data, run):
    for number in range(2):
        soundfile.write(
            data / "train" / "piano" / f"twin{number}.wav",
            sound(1.0 + number, seed=number),
            RATE_HZ,
        )
        shutil.copy(
            data / "train" / "piano" / f"twin{number}.wav",
            data / "test" / "piano" / f"other{number}.wav",
        )
    result = run("data", "check", data)
    assert result.code == 1
    assert result.error == "DataError: 2 recordings are in two splits; remove one of each."
    assert result.out.count("are the same recording in two splits") == 2


@pytest.mark.parametrize("kind", ["silent", "short"])
def test_sources_without_a_usable_window_are_refused(kind, data, run):
    for path in (data / "train" / "piano").iterdir():
        soundfile.write(
            path,
            np.zeros(2 * RATE_HZ) if kind == "silent" else sound(0.9, seed=len(path.name)),
            RATE_HZ,
        )
    result = run("data", "check", data)
    assert result.code == 1
    assert (
        "Every recording of 'piano' in train is silent"
        if kind == "silent"
        else "as long as a window of 1.024 s"
    ) in result.error
    if kind == "short":
        assert run("data", "check", data, "--window-seconds", "0.5").code == 0


def test_a_wrong_extension_is_noted(data, run):
    soundfile.write(data / "train" / "flute" / "a.flac", sound(1.0), RATE_HZ)
    (data / "train" / "flute" / "a.flac").rename(data / "train" / "flute" / "a.wav")
    result = run("data", "check", data)
    assert result.code == 0
    assert "a.wav contains FLAC, but its suffix is .wav" in result.out


def test_a_layout_can_be_named(tones, run):
    result = run("data", "check", tones, "--layout", "slakh2100")
    assert result.code == 1
    assert (
        "is not laid out as slakh2100: Files are"
        " `{train,validation,test}/TrackNNNNN/stems/SNN.flac`" in result.error
    )
    assert run("data", "check", tones, "--layout", "slack").code == 2


def test_naming_every_source_is_noted(run, tones):
    result = run("data", "check", tones, "--sources", "piano", "flute")
    assert result.code == 0, result.err
    assert "Every source of the train split is named" in result.out
    assert "is named" not in run("data", "check", tones, "--sources", "piano").out
