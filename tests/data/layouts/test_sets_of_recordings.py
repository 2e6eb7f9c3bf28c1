"""IRMAS, MAESTRO and MIR-1K are read as distributed."""

import numpy as np
import pytest
import soundfile
from set_files_for_tests import write
from sets_for_tests import MAKERS

from tfsepgan.data.recordings.catalogue import scan
from tfsepgan.errors import DataError


def test_irmas_keeps_the_excerpts_of_a_recording_in_one_split(sets):
    catalogue = scan(sets["irmas"])
    where = {}
    for split, sources in catalogue.splits.items():
        for source, files in sources.items():
            for file in files:
                assert file.name.startswith(f"{split}/{source}/")
                where.setdefault((source, file.path.name.rpartition("__")[0]), set()).add(split)
    assert len(where) == 16
    assert all(len(splits) == 1 for splits in where.values())
    assert {split for splits in where.values() for split in splits} == {"train", "valid", "test"}
    assert any("IRMAS-TestingData-Part1" in note for note in catalogue.notes)


def test_irmas_classes_drums_and_genres_can_be_left_out(sets):
    catalogue = scan(sets["irmas"], leave_out=("irmas/*/piano/*", "irmas/*-dru-*"))
    names = [
        file.path.name
        for sources in catalogue.splits.values()
        for files in sources.values()
        for file in files
    ]
    assert names
    assert all(name.startswith("[voi][pop_roc]") for name in names)
    with pytest.raises(
        DataError,
        match=r"Nothing is left out by 'irmas/\*/harp/\*'.*as irmas/train/piano/pia-nod-cla-",
    ):
        scan(sets["irmas"], leave_out=("irmas/*/harp/*",))
    with pytest.raises(DataError, match="leaves no recording"):
        scan(sets["irmas"], leave_out=("*",))


def test_maestro_follows_its_table(sets):
    catalogue = scan(sets["maestro"])
    splits = {
        split: [file.path.suffix for file in catalogue.splits[split]["piano"]]
        for split in catalogue.splits
    }
    assert splits == {"train": [".wav", ".wav"], "valid": [".flac"]}
    assert catalogue.notes == (
        "1 recordings listed in maestro-v3.0.0.csv are missing: 2009/not-downloaded.wav.",
    )
    assert {file.folder for file in catalogue.splits["train"]["piano"]} == {"piano"}


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("A,B,dev,2018,x.midi,2018/x.wav,1", "assigns split 'dev'"),
        ("A,B,train,2018,x.midi,../../x.wav,1", "to '../../x.wav'"),
    ],
)
def test_a_bad_line_of_the_table_is_named(line, words, tmp_path):
    root = MAKERS["maestro"][0](tmp_path)
    with open(root / "maestro-v3.0.0.csv", "a", encoding="utf-8") as file:
        file.write(line + "\n")
    with pytest.raises(DataError, match=words):
        scan(root)


def test_a_table_without_its_columns_is_named(tmp_path):
    root = MAKERS["maestro"][0](tmp_path)
    (root / "maestro-v3.0.0.csv").write_text("a,b\n1,2\n")
    with pytest.raises(DataError, match=r"maestro-v3\.0\.0\.csv has columns"):
        scan(root)


def test_mir1k_has_the_voice_on_the_right_and_its_published_singers(sets):
    catalogue = scan(sets["mir1k"])
    singers = {
        split: {file.path.name.split("_")[0] for file in catalogue.splits[split]["voice"]}
        for split in catalogue.splits
    }
    assert singers["test"] == {"Ani"}
    assert singers["train"] | singers["valid"] == {"abjones", "amy"}
    songs = {
        split: {file.path.name[:-7] for file in catalogue.splits[split]["voice"]}
        for split in ("train", "valid")
    }
    assert not songs["train"] & songs["valid"]
    song = catalogue.tracks("train")["amy_1_01"]
    stereo = soundfile.read(song["voice"].path, dtype="float32")[0]
    np.testing.assert_array_equal(song["accompaniment"].read(mono=True)[:, 0], stereo[:, 0])
    np.testing.assert_array_equal(song["voice"].read(mono=False)[:, 0], stereo[:, 1])
    assert np.std(stereo[:, 0]) < 0.6 * np.std(stereo[:, 1])


def test_a_mono_clip_of_mir1k_is_named(tmp_path):
    root = MAKERS["mir1k"][0](tmp_path)
    write(root / "Wavfile" / "amy_1_01.wav", 0)
    with pytest.raises(
        DataError, match=r"amy_1_01\.wav has 1 channel\(s\); channel 2 of it was expected"
    ):
        scan(root)
