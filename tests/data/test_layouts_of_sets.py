"""Published data sets are detected by folders, names and metadata, and read as distributed."""

import shutil
from dataclasses import replace

import numpy as np
import pytest
import soundfile
import yaml
from sets_for_tests import MAKERS, RATE_HZ, noise, write, write_stem_file

from tfsepgan.config import DataConfig
from tfsepgan.data.batches.draws import draw_plan
from tfsepgan.data.batches.pipeline import mix_batch
from tfsepgan.data.batches.readers import read_windows
from tfsepgan.data.batches.streams import open_pool
from tfsepgan.data.layouts.splitting import held_out, split_groups
from tfsepgan.data.recordings.catalogue import scan
from tfsepgan.errors import DataError


@pytest.fixture(scope="session")
def sets(tmp_path_factory):
    """A miniature of each set, by name; not to be changed."""
    return {name: make(tmp_path_factory.mktemp(name)) for name, (make, _) in MAKERS.items()}


def files_of(catalogue, split, source):
    return catalogue.splits[split][source]


def test_every_layout_is_tested():
    from typing import get_args

    from tfsepgan.config import SetLayout
    from tfsepgan.data.layouts.table import PLAIN, SETS

    assert set(get_args(SetLayout)) == {"auto", PLAIN, *SETS}
    assert set(SETS) == set(MAKERS)


@pytest.mark.parametrize("name", MAKERS)
def test_a_set_is_recognised_and_gives_windows(name, sets, tmp_path):
    sources = MAKERS[name][1]
    catalogue = scan(sets[name], sources=sources)
    assert catalogue.sets == (name,)
    assert catalogue.splits == scan(sets[name], sources=sources, layout=name).splits
    names = [
        file.name
        for parts in catalogue.splits.values()
        for files in parts.values()
        for file in files
    ]
    assert len(set(names)) == len(names)
    rate_hz = 8000
    config = DataConfig(
        sources=sources, sample_rate_hz=rate_hz, window=4096, batch=4, others=(0, 1), law="snr"
    )
    # a piano alone: nothing to mix it with, which is said before training; its windows are tried
    if name == "maestro":
        with pytest.raises(DataError, match="holds piano and nothing else"):
            catalogue.require("train", sources)
        catalogue = replace(
            catalogue,
            splits={
                "train": catalogue.splits["train"] | {"rest": catalogue.splits["valid"]["piano"]}
            },
        )
    pool = open_pool(catalogue, config, cache_dir=tmp_path)
    plan = draw_plan(pool, config, 0)
    mixtures, found, rest = mix_batch(
        pool, config, plan, read_windows(pool, plan.draws, config.window, "memmap")
    )
    np.testing.assert_array_equal(mixtures, found.sum(axis=1, dtype=np.float32) + rest)
    assert np.all(np.std(found, axis=2) > 0.01)


@pytest.mark.parametrize("name", MAKERS)
def test_a_set_is_found_in_the_folder_that_it_was_unpacked_into(name, sets):
    root = sets[name]
    parent = (
        root.parent
        if root.name in ("MIR-1K", "slakh2100_flac_redux", "MedleyDB", "maestro-v3.0.0")
        else root
    )
    assert scan(parent, sources=MAKERS[name][1]).sets == (name,)


@pytest.mark.parametrize("name", MAKERS)
def test_a_layout_that_a_folder_has_not_is_refused(name, unpaired):
    with pytest.raises(DataError, match=f"is not laid out as {name}: "):
        scan(unpaired, layout=name)


def test_a_folder_of_two_sets_is_refused(tmp_path):
    MAKERS["mir1k"][0](tmp_path)
    MAKERS["maestro"][0](tmp_path)
    with pytest.raises(
        DataError,
        match=(
            r"can be read as mir1k and as maestro\. Choose one with --layout, or .*--data DIR1,DIR2"
        ),
    ):
        scan(tmp_path)
    assert scan(tmp_path, layout="maestro").sets == ("maestro",)
    write(tmp_path / "train" / "piano" / "a.wav", 0)
    with pytest.raises(DataError, match="as mir1k and as maestro and as plain"):
        scan(tmp_path)
    shutil.rmtree(tmp_path / "maestro-v3.0.0")
    assert scan(tmp_path, layout="plain").sets == ("plain",)


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
        split: [file.path.suffix for file in files_of(catalogue, split, "piano")]
        for split in catalogue.splits
    }
    assert splits == {"train": [".wav", ".wav"], "valid": [".flac"]}
    assert catalogue.notes == (
        "1 recordings listed in maestro-v3.0.0.csv are missing: 2009/not-downloaded.wav.",
    )
    assert {file.folder for file in files_of(catalogue, "train", "piano")} == {"piano"}


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
        split: {file.path.name.split("_")[0] for file in files_of(catalogue, split, "voice")}
        for split in catalogue.splits
    }
    assert singers["test"] == {"Ani"}
    assert singers["train"] | singers["valid"] == {"abjones", "amy"}
    songs = {
        split: {file.path.name[:-7] for file in files_of(catalogue, split, "voice")}
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
    assert {file.folder for file in files_of(catalogue, "train", "vocals")} == {"vocals"}


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


def test_songs_with_a_valid_folder_of_their_own_are_plain(tmp_path):
    root = MAKERS["musdb18hq"][0](tmp_path)
    (root / "valid").mkdir()
    shutil.move(root / "train" / "Music Delta - 80s Rock", root / "valid")
    catalogue = scan(root)
    assert catalogue.sets == ("plain",)
    assert catalogue.layout == "multitrack"
    assert list(catalogue.tracks("valid")) == ["Music Delta - 80s Rock"]


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


def test_a_distributed_set_with_a_double_loses_it_from_training_and_says_so(tmp_path):
    root = MAKERS["mir1k"][0](tmp_path)
    shutil.copy(root / "Wavfile" / "Ani_1_01.wav", root / "Wavfile" / "amy_2_01.wav")
    catalogue = scan(root)
    assert "amy_2_01" not in {**catalogue.tracks("train"), **catalogue.tracks("valid")}
    assert "Ani_1_01" in catalogue.tracks("test")
    assert any(
        "amy_2_01 is left out: it is also test/Ani_1_01/" in note for note in catalogue.notes
    )


def test_held_out_groups_are_the_same_however_many_there_are():
    names = [f"artist {number}" for number in range(100)]
    held = held_out(names, 0.1)
    assert len(held) == 10
    assert held_out(names[::-1] + names[:50], 0.1) == held
    assert len(held_out([name for name in names if name not in sorted(held)[:1]], 0.1) & held) == 9
    assert held_out(["alone"]) == frozenset()
    assert set(split_groups(["one", "two"]).values()) == {"train", "valid"}
    assert split_groups(["one"]) == {"one": "train"}
