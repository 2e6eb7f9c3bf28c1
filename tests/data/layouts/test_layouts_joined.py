"""Joined data sets: the piano of one set against the instruments of another."""

from dataclasses import replace

import numpy as np
import pytest
from set_files_for_tests import write
from sets_for_tests import MAKERS

from tfsepgan.config import DataConfig
from tfsepgan.data.batches.pipeline import training_batches
from tfsepgan.data.batches.streams import open_pool, share_out
from tfsepgan.data.recordings.catalogue import scan
from tfsepgan.data.recordings.opening import open_catalogue
from tfsepgan.errors import DataError


@pytest.fixture(scope="module")
def places(tmp_path_factory):
    return {
        name: MAKERS[name][0](tmp_path_factory.mktemp(name))
        for name in ("maestro", "irmas", "mir1k", "musdb18hq")
    }


def test_maestro_against_irmas_in_one_command(places, tmp_path):
    catalogue = open_catalogue(
        f"{places['maestro']},{places['irmas']}", ("piano",), leave_out=("irmas/*/piano/*",)
    )
    catalogue.require("train", ("piano",))
    assert catalogue.sets == ("maestro", "irmas")
    assert {source: len(files) for source, files in catalogue.splits["train"].items()} == {
        "piano": 2,
        "voice": 12,
    }
    assert all("maestro" in str(file.path) for file in catalogue.splits["train"]["piano"])
    assert {file.folder for file in catalogue.splits["train"]["voice"]} == {"voice"}
    pool = open_pool(catalogue, DataConfig(sample_rate_hz=8000, window=4096), cache_dir=tmp_path)
    assert [len(group) for group in pool.groups] == [2, 12]


def test_files_of_one_name_stay_apart(tmp_path):
    for seed, folder in enumerate(("one", "two")):
        write(tmp_path / folder / "train" / "piano" / "a.wav", seed)
        write(tmp_path / folder / "train" / "rest" / "cello" / "b.wav", 10 + seed)
    catalogue = scan([tmp_path / "one", tmp_path / "two"])
    names = [file.name for files in catalogue.splits["train"].values() for file in files]
    assert names == [
        "train/piano/1~a.wav",
        "train/piano/2~a.wav",
        "train/rest/cello/1~b.wav",
        "train/rest/cello/2~b.wav",
    ]
    assert {file.folder for file in catalogue.splits["train"]["rest"]} == {"rest/cello"}


def test_songs_joined_with_songs_stay_songs(places):
    catalogue = scan([places["mir1k"], places["musdb18hq"]])
    assert catalogue.layout == "multitrack"
    assert set(catalogue.tracks("test")["2~AM Contra - Heart Peripheral"]) == {
        "bass",
        "drums",
        "other",
        "vocals",
    }
    assert "1~Ani_1_01" in catalogue.tracks("test")


def test_songs_joined_with_recordings_are_drawn_apart(places):
    catalogue = scan([places["maestro"], places["musdb18hq"]])
    assert catalogue.layout == "unpaired"
    names = [file.name for file in catalogue.splits["train"]["drums"]]
    assert names == [
        "train/drums/2~A Classic Education - NightOwl.wav",
        "train/drums/2~Music Delta - 80s Rock.wav",
    ]
    assert any(
        "The songs of musdb18hq are joined with unpaired recordings" in note
        for note in catalogue.notes
    )


def test_a_recording_in_two_plain_folders_is_found(tmp_path):
    for folder, split in (("one", "train"), ("two", "test")):
        write(tmp_path / folder / split / "piano" / f"{folder}.wav", 0)
        write(tmp_path / folder / split / "rest" / "b.wav", 5 if split == "train" else 6)
    with pytest.raises(
        DataError, match=r"one\.wav and .*two\.wav are the same recording in two splits"
    ):
        scan([tmp_path / "one", tmp_path / "two"])


def test_a_folder_whose_name_holds_a_comma_is_one_folder(tmp_path):
    for seed, source in enumerate(("piano", "rest")):
        write(tmp_path / "a,b" / "train" / source / "x.wav", seed)
    assert open_catalogue(str(tmp_path / "a,b"), ("piano",)).sets == ("plain",)
    with pytest.raises(DataError, match=r"The data folder .*gone does not exist"):
        open_catalogue(f"{tmp_path / 'gone'},{tmp_path / 'away'}", ("piano",))


def test_balanced_sets_are_drawn_equally_often(tmp_path):
    for seed, (folder, count) in enumerate((("one", 1), ("two", 7))):
        for number in range(count):
            write(tmp_path / folder / "train" / "piano" / f"{number}.wav", 20 * seed + number)
        write(tmp_path / folder / "train" / "rest" / "b.wav", 100 + seed)
    catalogue = scan([tmp_path / "one", tmp_path / "two"])
    config = DataConfig(sample_rate_hz=8000, window=4096)
    chances = (np.arange(1000) + 0.5) / 1000
    shares = {}
    for balance in ("length", "folders"):
        pool = open_pool(catalogue, replace(config, balance=balance), cache_dir=tmp_path / "cache")
        drawn = pool.choose(np.zeros(1000, np.int64), chances)
        shares[balance] = np.mean(
            [pool.recordings[number].name.startswith("train/piano/1~") for number in drawn]
        )
    assert shares == {
        "length": pytest.approx(1 / 8, abs=0.01),
        "folders": pytest.approx(1 / 2, abs=0.01),
    }


def test_balanced_players_are_drawn_equally_often(tmp_path):
    for seed, (folder, count) in enumerate((("anna", 1), ("ben", 2), ("carl", 5))):
        for number in range(count):
            write(tmp_path / "train" / "piano" / folder / f"{number}.wav", 20 * seed + number)
    write(tmp_path / "train" / "rest" / "b.wav", 100)
    config = DataConfig(sample_rate_hz=8000, window=4096, balance="folders")
    pool = open_pool(scan(tmp_path), config, cache_dir=tmp_path / "cache")
    drawn = pool.choose(np.zeros(900, np.int64), (np.arange(900) + 0.5) / 900)
    names = [pool.recordings[number].name.split("/")[2] for number in drawn]
    assert {name: names.count(name) / 900 for name in set(names)} == pytest.approx(
        dict.fromkeys(names, 1 / 3), abs=0.01
    )


def test_songs_among_recordings_stay_aligned_in_the_given_share(tmp_path):
    """A song holds one signal twice, so a mixture from one place of it is a multiple of its source;
    one that is drawn apart is not."""
    for seed in range(3):
        write(tmp_path / "songs" / "train" / f"song{seed}" / "piano.wav", seed)
        write(tmp_path / "songs" / "train" / f"song{seed}" / "bass.wav", seed)
        write(tmp_path / "alone" / "train" / "piano" / f"p{seed}.wav", 10 + seed)
        write(tmp_path / "alone" / "train" / "rest" / "cello" / f"c{seed}.wav", 20 + seed)
    catalogue = scan([tmp_path / "alone", tmp_path / "songs"], sources=("piano",))
    assert catalogue.layout == "unpaired" and set(catalogue.tracks("train")) == {
        "2~song0",
        "2~song1",
        "2~song2",
    }
    assert {file.unit for file in catalogue.splits["train"]["bass"]} == {
        f"train/2~song{n}" for n in range(3)
    }

    def in_time(songs: float) -> float:
        config = DataConfig(
            sample_rate_hz=8000, window=1024, batch=200, law="snr", others=(1, 1), songs=songs
        )
        batch = next(iter(training_batches(catalogue, config, cache_dir=tmp_path / "cache")))
        mixture, source = (batch[key].numpy().reshape(200, -1) for key in ("mixture", "sources"))
        alike = (
            np.sum(mixture * source, 1)
            / np.linalg.norm(mixture, axis=1)
            / np.linalg.norm(source, axis=1)
        )
        return float(np.mean(alike > 0.9999))

    assert in_time(0.0) == 0 and in_time(1.0) == 1
    assert in_time(0.4) == pytest.approx(0.4, abs=0.12)


def test_a_song_among_recordings_is_labelled_as_a_whole(tmp_path):
    for seed in range(6):
        write(tmp_path / "songs" / "train" / f"song{seed}" / "piano.wav", seed)
        write(tmp_path / "songs" / "train" / f"song{seed}" / "bass.wav", 30 + seed)
        write(tmp_path / "alone" / "train" / "piano" / f"p{seed}.wav", 10 + seed)
    catalogue = scan([tmp_path / "alone", tmp_path / "songs"], sources=("piano",))
    labelled, others = share_out(catalogue, DataConfig(labelled=0.5), "train")
    assert len(labelled) == 3 + 2 * 3 and not labelled & others
    for stems in catalogue.tracks("train").values():
        assert {file.name for file in stems.values()} <= labelled or {
            file.name for file in stems.values()
        } <= others
