"""The catalogue: how data folders are read, and which ones are refused."""

import os
import shutil

import numpy as np
import pytest
import soundfile

from tfsepgan.data.recordings.catalogue import scan
from tfsepgan.errors import DataError


def test_an_unpaired_folder_is_read_as_such(unpaired):
    catalogue = scan(unpaired)
    assert catalogue.layout == "unpaired"
    assert list(catalogue.splits) == ["train", "valid", "test"]
    assert list(catalogue.splits["train"]) == ["piano", "rest", "voice"]
    names = [file.name for file in catalogue.splits["train"]["rest"]]
    assert names == [
        "train/rest/cello/c.wav",
        "train/rest/cello/short.wav",
        "train/rest/drums/d.ogg",
    ]
    assert [file.folder for file in catalogue.splits["train"]["rest"]] == ["rest/cello"] * 2 + [
        "rest/drums"
    ]
    assert catalogue.splits["train"]["voice"][0].folder == "voice"


@pytest.mark.parametrize("sources", [None, ("piano",)])
def test_a_multitrack_folder_is_read_as_such(multitrack, sources):
    catalogue = scan(multitrack, sources=sources)
    assert catalogue.layout == "multitrack"
    assert list(catalogue.tracks("train")) == ["one", "two"]
    assert sorted(catalogue.tracks("train")["one"]) == ["bass", "drums", "piano"]
    assert sorted(catalogue.splits["train"]) == ["bass", "drums", "piano"]


def test_one_song_is_recognised_by_the_source(tmp_path, write):
    for number, source in enumerate(("vocals", "band")):
        write(tmp_path / "train" / "song" / f"{source}.wav", 1.0, seed=number)
    assert scan(tmp_path, sources=("vocals",)).layout == "multitrack"
    assert scan(tmp_path, sources=("song",)).layout == "unpaired"


def test_the_mixture_of_a_song_is_not_a_source(tmp_path, write):
    for song in ("one", "two"):
        for number, source in enumerate(("vocals", "band", "mixture")):
            write(tmp_path / "train" / song / f"{source}.wav", 1.0, seed=number)
    catalogue = scan(tmp_path)
    assert sorted(catalogue.splits["train"]) == ["band", "vocals"]
    assert catalogue.ignored == ("train/one/mixture.wav", "train/two/mixture.wav")


def test_the_summary_says_minutes_rates_and_channels(unpaired):
    rows = {(row.split, row.source): row for row in scan(unpaired).summary()}
    rest = rows["train", "rest"]
    assert rest.files == 3
    assert rest.minutes == pytest.approx((2.2 + 0.2 + 2.4) / 60, rel=1e-3)
    assert rest.rates_hz == (8000, 11025)
    assert rest.channels == (1, 2)


def test_hidden_and_other_files_are_left_out_and_listed(tmp_path, write):
    write(tmp_path / "train" / "piano" / "a.wav", 1.0)
    write(tmp_path / "train" / "rest" / "b.wav", 1.0, seed=1)
    (tmp_path / "README.md").write_text("notes")
    (tmp_path / "train" / "piano" / "cover.jpg").write_bytes(b"picture")
    (tmp_path / "train" / "piano" / "._a.wav").write_bytes(b"resource fork")
    (tmp_path / "train" / ".DS_Store").write_bytes(b"x")
    catalogue = scan(tmp_path)
    assert sorted(catalogue.ignored) == [
        "README.md",
        "train/.DS_Store",
        "train/piano/._a.wav",
        "train/piano/cover.jpg",
    ]
    assert len(catalogue.splits["train"]["piano"]) == 1


def test_links_are_followed_but_not_in_circles(tmp_path, write):
    write(tmp_path / "elsewhere" / "a.wav", 1.0)
    write(tmp_path / "data" / "train" / "rest" / "b.wav", 1.0, seed=1)
    os.symlink(tmp_path / "elsewhere", tmp_path / "data" / "train" / "piano")
    os.symlink(tmp_path / "data" / "train" / "rest", tmp_path / "data" / "train" / "rest" / "again")
    catalogue = scan(tmp_path / "data")
    assert [file.name for file in catalogue.splits["train"]["piano"]] == ["train/piano/a.wav"]
    assert [file.name for file in catalogue.splits["train"]["rest"]] == ["train/rest/b.wav"]


def test_a_missing_folder_is_refused(tmp_path):
    with pytest.raises(DataError, match="nowhere does not exist; a folder was expected"):
        scan(tmp_path / "nowhere")


def test_a_file_in_place_of_a_folder_is_refused(tmp_path, write):
    write(tmp_path / "take.wav", 1.0)
    with pytest.raises(DataError, match=r"take\.wav is a file; a folder was expected"):
        scan(tmp_path / "take.wav")


def test_a_folder_without_splits_says_what_it_holds(tmp_path, write):
    write(tmp_path / "piano" / "a.wav", 1.0)
    with pytest.raises(DataError, match="has no train, valid or test folder; it holds piano"):
        scan(tmp_path)


def test_an_empty_folder_is_refused(tmp_path):
    (tmp_path / "train" / "piano").mkdir(parents=True)
    (tmp_path / "train" / "piano" / "notes.txt").write_text("soon")
    with pytest.raises(DataError, match=r"holds no recordings \(1 other files\)"):
        scan(tmp_path)


def test_a_folder_that_is_both_layouts_is_refused(tmp_path, write):
    write(tmp_path / "train" / "piano" / "take.wav", 1.0)
    write(tmp_path / "train" / "song" / "piano.wav", 1.0, seed=1)
    with pytest.raises(DataError, match="can be read in two ways for piano"):
        scan(tmp_path, sources=("piano",))


def test_one_name_in_common_does_not_make_folders_songs(tmp_path, write):
    for number, folder in enumerate(("piano", "rest")):
        write(tmp_path / "train" / folder / "take.wav", 1.0, seed=number)
    assert scan(tmp_path).layout == "unpaired"


def test_names_that_fit_both_layouts_need_the_sources(tmp_path, write):
    for number, folder in enumerate(("train/piano", "train/rest", "test/piano")):
        for take in range(2):
            write(tmp_path / folder / f"take{take}.wav", 1.0, seed=10 * number + take)
    with pytest.raises(DataError, match="name the wanted sources"):
        scan(tmp_path)
    assert scan(tmp_path, sources=("piano",)).layout == "unpaired"


def test_two_files_of_one_stem_are_refused(tmp_path, write):
    for song in ("one", "two"):
        for number, name in enumerate(("piano.wav", "bass.wav")):
            write(tmp_path / "train" / song / name, 1.0, seed=number)
    write(tmp_path / "train" / "one" / "piano.flac", 1.0, seed=5)
    with pytest.raises(DataError, match=r"piano\.flac and .*piano\.wav are both the piano of one"):
        scan(tmp_path)


def test_a_missing_split_or_source_says_what_there_is(unpaired, tmp_path, write):
    catalogue = scan(unpaired)
    with pytest.raises(
        DataError, match=r"holds no recording of 'harp'; it holds piano, rest, voice"
    ):
        catalogue.require("train", ("harp",))
    write(tmp_path / "test" / "piano" / "a.wav", 1.0)
    with pytest.raises(DataError, match="has no train split; it has test"):
        scan(tmp_path).require("train", ("piano",))
    with pytest.raises(DataError, match="holds piano and nothing else"):
        scan(tmp_path).require("test", ("piano",))


def test_a_bad_file_stops_the_scan_by_name(tmp_path, write):
    write(tmp_path / "train" / "piano" / "a.wav", 1.0)
    (tmp_path / "train" / "piano" / "b.wav").write_text("not audio")
    with pytest.raises(DataError, match=r"train/piano/b\.wav is not audio"):
        scan(tmp_path)


@pytest.mark.parametrize("copy", ["bytes", "flac"])
def test_one_recording_in_two_splits_is_refused(tmp_path, write, copy):
    path = tmp_path / "train" / "piano" / "a.wav"
    samples = write(path, 1.0)
    write(tmp_path / "train" / "rest" / "b.wav", 1.0, seed=1)
    (tmp_path / "test" / "piano").mkdir(parents=True)
    if copy == "bytes":
        shutil.copy(path, tmp_path / "test" / "piano" / "other-name.wav")
    else:
        soundfile.write(tmp_path / "test" / "piano" / "other-name.flac", samples, 8000)
    with pytest.raises(
        DataError, match=r"a\.wav and .*other-name\.(wav|flac) are the same recording in two splits"
    ):
        scan(tmp_path)


def test_silent_recordings_and_copies_within_a_split_are_no_leak(tmp_path, write):
    for split in ("train", "test"):
        write(tmp_path / split / "rest" / f"b-{split}.wav", 1.0, seed=30 + len(split))
        write(tmp_path / split / "piano" / "silence.wav", 1.0, level=0.0)
        write(tmp_path / split / "piano" / "a.wav", 1.0, seed=len(split))
        write(tmp_path / split / "piano" / "a-again.wav", 1.0, seed=len(split))
    assert len(scan(tmp_path, sources=("piano",)).splits["train"]["piano"]) == 3


def test_the_order_of_files_is_that_of_their_names(tmp_path, write):
    for number in np.random.default_rng(0).permutation(12):
        write(tmp_path / "train" / "piano" / f"{number:02d}.wav", 0.1, seed=int(number))
    names = [file.path.name for file in scan(tmp_path).splits["train"]["piano"]]
    assert names == sorted(names)
