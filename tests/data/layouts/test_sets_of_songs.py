"""Slakh2100, MedleyDB and MoisesDB: stems by their metadata, splits by song or artist."""

import shutil

import numpy as np
import pytest
import soundfile
import yaml
from set_files_for_tests import RATE_HZ, noise, write
from sets_for_tests import MAKERS

from tfsepgan.data.recordings.catalogue import scan
from tfsepgan.errors import DataError


def test_slakh_adds_the_stems_of_a_class_and_leaves_duplicates_out(sets):
    catalogue = scan(sets["slakh2100"])
    assert {split: list(catalogue.tracks(split)) for split in catalogue.splits} == {
        "train": ["Track00001", "Track00002"],
        "valid": ["Track01501"],
        "test": ["Track01877"],
    }
    piano = catalogue.tracks("train")["Track00001"]["piano"]
    assert [path.name for path in (piano.path, *piano.further)] == ["S00.flac", "S02.flac"]
    expected = noise(10)
    expected[: len(noise(12, 1.3))] += noise(12, 1.3)
    np.testing.assert_allclose(piano.read(mono=True), expected, atol=1e-4)
    assert piano.frames == len(expected)
    assert (
        "2 songs left out whose MIDI file duplicates another song's: Track00049, Track00077."
        in catalogue.notes
    )


def test_slakh_duplicates_are_the_390_of_redux():
    from tfsepgan.data.layouts.slakh_duplicates import DUPLICATES

    counts = [
        sum(low <= number <= high for number in DUPLICATES)
        for low, high in ((1, 1500), (1501, 1875), (1876, 2100))
    ]
    # 1289, 270 and 151 of 1500, 375 and 225 are left, as its README says
    assert counts == [211, 105, 74]


def test_babyslakh_is_split_by_track(tmp_path):
    root = MAKERS["slakh2100"][0](tmp_path)
    for path in [*root.glob("*/Track*")]:
        shutil.move(path, tmp_path / "babyslakh_16k" / path.name)
    shutil.rmtree(root)
    catalogue = scan(tmp_path)
    assert sum(len(catalogue.tracks(split)) for split in catalogue.splits) == 6
    assert list(catalogue.splits) == ["train", "valid", "test"]


@pytest.mark.parametrize("text", ["stems: [", "nothing: here", ""])
def test_bad_metadata_are_named(text, tmp_path):
    root = MAKERS["slakh2100"][0](tmp_path)
    (root / "train" / "Track00002" / "metadata.yaml").write_text(text)
    with pytest.raises(DataError, match=r"Track00002/metadata\.yaml"):
        scan(root)
    problems = []
    assert "Track00001" in scan(root, problems=problems).tracks("train")
    assert len(problems) == 1


def test_medleydb_names_sources_by_instrument_and_splits_by_artist(sets):
    catalogue = scan(sets["medleydb"])
    where = {track: split for split in catalogue.splits for track in catalogue.tracks(split)}
    assert len(where) == 5
    assert where["LizNelson_Rainfall"] == where["LizNelson_Coldwar"]
    assert set(where.values()) == {"train", "valid", "test"}
    song = catalogue.tracks(where["LizNelson_Coldwar"])["LizNelson_Coldwar"]
    assert set(song) == {"piano", "distorted_electric_guitar", "male_singer", "fx_processed_sound"}
    assert len(song["distorted_electric_guitar"].further) == 1
    notes = " ".join(catalogue.notes)
    assert (
        "1 stems listed in the metadata are missing:"
        " Mozart_DiesBildnis Mozart_DiesBildnis_STEM_05.wav" in notes
    )
    assert "1 tracks with bleed from other instruments; --leave-out excludes them: Mozart_" in notes


def test_medleydb_without_metadata_is_named(tmp_path):
    root = MAKERS["medleydb"][0](tmp_path)
    shutil.rmtree(root / "Metadata")
    with pytest.raises(
        DataError, match=r"LizNelson_Coldwar has no LizNelson_Coldwar_METADATA\.yaml"
    ):
        scan(root)


def test_metadata_cannot_point_out_of_the_set(tmp_path):
    root = MAKERS["medleydb"][0](tmp_path)
    path = root / "Audio" / "LizNelson_Rainfall" / "LizNelson_Rainfall_METADATA.yaml"
    metadata = yaml.safe_load(path.read_text())
    metadata["stems"]["S01"]["filename"] = "../../../../secret.wav"
    write(tmp_path / "secret.wav", 5)
    path.write_text(yaml.safe_dump(metadata))
    notes = " ".join(scan(root).notes)
    assert "LizNelson_Rainfall secret.wav" in notes


def test_moisesdb_adds_tracks_of_a_stem_and_splits_by_artist(sets):
    catalogue = scan(sets["moisesdb"])
    where = {track[:8]: split for split in catalogue.splits for track in catalogue.tracks(split)}
    assert where["00000000"] == where["00000002"]
    assert set(where.values()) == {"train", "valid", "test"}
    song = next(
        song
        for name, song in catalogue.tracks(where["00000001"]).items()
        if name.startswith("00000001")
    )
    assert set(song) == {"piano", "bass", "other_keys"}
    assert [path.name for path in (song["bass"].path, *song["bass"].further)] == [
        "bass-1-0.wav",
        "bass-3-0.wav",
    ]
    stereo = song["piano"].read(mono=False)
    np.testing.assert_allclose(stereo, noise(100, channels=2) + noise(101), atol=1e-4)
    mono = song["piano"].read(mono=True)[:, 0]
    np.testing.assert_allclose(mono, stereo.mean(axis=1), atol=1e-6)
    assert any("5 tracks with bleed from other instruments" in note for note in catalogue.notes)


def test_files_of_two_rates_are_not_added(tmp_path):
    root = MAKERS["moisesdb"][0](tmp_path)
    path = next((root / "00000000-aaaa-bbbb-cccc-0123456789ab" / "piano").glob("piano-0-1.wav"))
    soundfile.write(path, noise(1), 2 * RATE_HZ)
    with pytest.raises(
        DataError, match=r"piano-0-1\.wav is at 16000 Hz, what it is added to at 8000 Hz"
    ):
        scan(root)
