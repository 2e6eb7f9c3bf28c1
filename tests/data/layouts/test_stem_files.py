"""MUSDB18: its published songs, and stem files with five streams."""

import shutil

import numpy as np
import pytest
from set_files_for_tests import write_stem_file
from sets_for_tests import MAKERS

from tfsepgan.data.recordings.catalogue import scan
from tfsepgan.errors import DataError


@pytest.mark.parametrize("name", ["musdb18", "musdb18hq"])
def test_musdb_has_its_published_validation_songs(name, sets):
    catalogue = scan(sets[name])
    assert list(catalogue.tracks("valid")) == ["Actions - One Minute Smile"]
    assert list(catalogue.tracks("train")) == [
        "A Classic Education - NightOwl",
        "Music Delta - 80s Rock",
    ]
    assert list(catalogue.tracks("test")) == ["AM Contra - Heart Peripheral"]
    assert set(catalogue.tracks("test")["AM Contra - Heart Peripheral"]) == {
        "drums",
        "bass",
        "other",
        "vocals",
    }
    assert {file.folder for file in catalogue.splits["train"]["vocals"]} == {"vocals"}


@pytest.mark.parametrize("name", ["musdb18", "musdb18hq"])
def test_part_of_musdb_has_other_validation_songs_and_says_so(name, tmp_path):
    root = MAKERS[name][0](tmp_path)
    for path in (root / "train").glob("Actions*"):
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    catalogue = scan(root)
    assert len(catalogue.tracks("valid")) == len(catalogue.tracks("train")) == 1
    assert (
        "None of the published validation songs was found; a fixed rule chose 1"
        in catalogue.notes[0]
    )


def test_the_streams_of_a_stem_file_are_its_sources_in_time(tmp_path):
    signals = write_stem_file(tmp_path / "train" / "Song.stem.mp4", 3)
    song = scan(tmp_path, sources=("vocals",)).tracks("train")["Song"]
    for source, signal in zip(("drums", "bass", "other", "vocals"), signals[1:], strict=True):
        decoded = song[source].read(mono=True)[: len(signal), 0]
        inside = slice(4000, 60000)
        error = np.sum((decoded[inside] - signal[inside]) ** 2) / np.sum(signal[inside] ** 2)
        assert error < 0.02  # the codec's; a sample's shift of a tone at 2 kHz would give 0.08
        assert song[source].frames == len(signal)
        assert song[source].channels == 2


def test_the_example_that_stempeg_ships_can_be_read():
    from importlib.util import find_spec
    from pathlib import Path

    from tfsepgan.audio.recording import open_audio

    path = (
        Path(find_spec("stempeg").submodule_search_locations[0])
        / "data"
        / "The Easton Ellises - Falcon 69.stem.mp4"
    )
    files = [open_audio(path, str(stream), stream=stream) for stream in range(5)]
    assert {(file.frames, file.sample_rate_hz, file.channels) for file in files} == {
        (268288, 44100, 2)
    }
    mixture, *sources = (file.read(mono=True) for file in files)
    assert np.std(mixture - sum(sources)) < 0.2 * np.std(mixture)


@pytest.mark.parametrize("damage", ["cut", "text", "empty", "few streams"])
def test_a_bad_stem_file_is_named(damage, tmp_path):
    write_stem_file(tmp_path / "train" / "Good.stem.mp4", 0)
    path = tmp_path / "train" / "Bad.stem.mp4"
    write_stem_file(path, 1, streams=3 if damage == "few streams" else 5)
    whole = path.read_bytes()
    if damage != "few streams":
        path.write_bytes(
            {"cut": whole[: len(whole) // 2], "text": b"notes " * 99, "empty": b""}[damage]
        )
    with pytest.raises(
        DataError, match=r"Bad\.stem\.mp4 (is no recording|is empty|holds 3 audio streams)"
    ):
        scan(tmp_path)


def test_without_pyav_one_line_says_what_to_install(tmp_path, monkeypatch):
    write_stem_file(tmp_path / "train" / "Song.stem.mp4", 0)
    monkeypatch.setitem(__import__("sys").modules, "av", None)
    with pytest.raises(DataError, match=r"PyAV, which cannot be loaded"):
        scan(tmp_path)
