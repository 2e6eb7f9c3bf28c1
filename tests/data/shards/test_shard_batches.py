"""Shards give the same batches as the folder that was packed, wherever they are."""

from dataclasses import replace

import numpy as np
import pytest
import soundfile
from sets_for_tests import MAKERS
from shards_for_tests import CONFIG, RATE_HZ, SMALL, assert_same_batches, files_of, first_batches

from tfsepgan.data.batches.cache import unpack
from tfsepgan.data.recordings.catalogue import scan
from tfsepgan.data.recordings.opening import open_catalogue
from tfsepgan.data.shards.manifest import parse
from tfsepgan.data.shards.packing import pack
from tfsepgan.data.shards.storage import Storage
from tfsepgan.errors import DataError


@pytest.mark.parametrize("rate_hz", [RATE_HZ, None])
def test_batches_of_shards_are_those_of_the_folder(unpaired, tmp_path, rate_hz):
    pack(scan(unpaired), tmp_path / "shards", sample_rate_hz=rate_hz, shard_bytes=SMALL)
    assert len(list((tmp_path / "shards").glob("*.tfrecord"))) > 3
    # At their own rate the vorbis files are rounded before they are resampled, so they are left out
    # there.
    without = () if rate_hz else ("plain/*.ogg",)
    ours = scan(tmp_path / "shards", leave_out=without, cache_dir=tmp_path / "cache")
    theirs = scan(unpaired, leave_out=without)
    assert files_of(ours) == files_of(theirs)
    assert (ours.layout, ours.sets) == ("unpaired", ("plain",))
    config = replace(CONFIG, labelled=0.5, sources=("piano",))
    batch_keys = ("mixture", "sources", "solo")
    assert_same_batches(
        first_batches(theirs, config, tmp_path / "a", batch_keys=batch_keys),
        first_batches(ours, config, tmp_path / "b", batch_keys=batch_keys),
    )


def test_batches_of_packed_songs_are_those_of_the_songs(multitrack, tmp_path):
    pack(scan(multitrack), tmp_path / "shards", sample_rate_hz=RATE_HZ, shard_bytes=SMALL)
    ours = scan(tmp_path / "shards", cache_dir=tmp_path / "cache")
    assert ours.layout == "multitrack"
    assert ours.tracks("train").keys() == {"one", "two"}
    config = replace(CONFIG, law="snr", remix=0.5, sources=("piano", "bass"))
    assert_same_batches(
        first_batches(scan(multitrack), config, tmp_path / "a"),
        first_batches(ours, config, tmp_path / "b"),
    )


def test_resampled_recordings_give_equal_windows(multitrack, tmp_path):
    pack(scan(multitrack), tmp_path / "shards", sample_rate_hz=5000)
    config = replace(CONFIG, sample_rate_hz=5000)
    ours = scan(tmp_path / "shards", cache_dir=tmp_path / "cache")
    assert_same_batches(
        first_batches(scan(multitrack), config, tmp_path / "a"),
        first_batches(ours, config, tmp_path / "b"),
    )


def test_what_the_cache_holds_is_the_same_to_the_bit(tmp_path):
    """Levels too: silence is told from them. A sample at -1, as clipped recordings have, must not
    cost a bit."""
    folder = tmp_path / "data" / "train" / "piano"
    folder.mkdir(parents=True)
    noise = np.random.default_rng(0).normal(size=9000)
    for name, level in (("usual", 0.2), ("quiet", 1e-5), ("loud", 2.0)):
        soundfile.write(
            folder / f"{name}.wav", (noise * level).astype(np.float32), 11025, subtype="FLOAT"
        )
    soundfile.write(folder / "silent.flac", np.zeros(9000), RATE_HZ)
    clipped = np.random.default_rng(1).integers(-32768, 32768, 9000).astype(np.int16)
    clipped[100] = -32768
    soundfile.write(folder / "clipped.wav", clipped, RATE_HZ)
    catalogue = scan(tmp_path / "data")
    pack(catalogue, tmp_path / "shards", sample_rate_hz=RATE_HZ)
    opened = scan(tmp_path / "shards", cache_dir=tmp_path / "cache")
    one, two = (
        unpack(there.splits["train"]["piano"], sample_rate_hz=RATE_HZ, cache_dir=tmp_path / "cache")
        for there in (catalogue, opened)
    )
    assert one.keys() == two.keys()
    for name in one:
        (first,), (second,) = one[name], two[name]
        np.testing.assert_array_equal(first.envelope, second.envelope)
        samples = [
            np.fromfile(r.path, "<i2", offset=44) * np.float32(r.scale) for r in (first, second)
        ]
        np.testing.assert_array_equal(*samples)
    suffixes = {
        file.name.rpartition("/")[2]: file.path.suffix for file in opened.splits["train"]["piano"]
    }
    assert suffixes == dict.fromkeys(
        ("usual.wav", "silent.flac", "clipped.wav"), ".flac"
    ) | dict.fromkeys(("quiet.wav", "loud.wav"), ".wav")


def test_sets_that_were_packed_together_stay_apart(tmp_path):
    places = [MAKERS[name][0](tmp_path / name) for name in ("maestro", "irmas")]
    joined = scan(places, leave_out=("irmas/*/piano/*",))
    pack(joined, tmp_path / "shards", sample_rate_hz=RATE_HZ, licence="mine")
    ours = scan(tmp_path / "shards", cache_dir=tmp_path / "cache")
    assert files_of(ours) == files_of(joined)
    assert ours.sets == ("maestro", "irmas")
    assert set(joined.notes) < set(ours.notes)
    assert ours.notes[-2:] == (
        "Packed at 8000 Hz: frequencies above 4000 Hz are missing.",
        "Licence: mine",
    )
    balanced = replace(CONFIG, balance="folders")
    assert_same_batches(
        first_batches(joined, balanced, tmp_path / "a"),
        first_batches(ours, balanced, tmp_path / "b"),
    )
    left = scan(
        tmp_path / "shards", leave_out=("maestro+irmas/*/voice/*",), cache_dir=tmp_path / "cache"
    )
    assert set(left.splits["train"]) == {"piano"}


def test_shards_are_joined_with_folders(packed, multitrack, tmp_path):
    both = open_catalogue(f"{multitrack}, {packed}", ("piano",), cache=str(tmp_path))
    assert both.sets == ("plain", "plain")
    assert {"train/piano/1~one.wav", "train/piano/2~a.wav"} < {
        file.name for file in both.splits["train"]["piano"]
    }


def test_shards_lie_wherever_fsspec_reaches(unpaired, packed, tmp_path):
    place = "memory://bucket/of/shards/"
    written = pack(scan(unpaired), place, sample_rate_hz=RATE_HZ, shard_bytes=SMALL)
    assert "unfinished.json" not in Storage(place).names()
    assert [shard.sha256 for shard in written.shards] == [
        shard.sha256 for shard in parse((packed / "shards.json").read_bytes(), "").shards
    ]
    there = open_catalogue(f"{place},demo", ("piano",), cache=str(tmp_path / "one"))
    assert "train/piano/1~a.wav" in {file.name for file in there.splits["train"]["piano"]}
    alone = open_catalogue(place, ("piano",), cache=str(tmp_path / "one"))
    assert alone.directory.parent == tmp_path / "one"
    with pytest.raises(
        DataError,
        match=r"memory://bucket/of/shards holds shards; use a folder that does not exist yet",
    ):
        pack(scan(unpaired), place)
    with pytest.raises(
        DataError, match=r"memory://bucket/of/nothing has no shards\.json, .* it holds nothing"
    ):
        open_catalogue("memory://bucket/of/nothing", ("piano",), cache=str(tmp_path))


def test_other_programs_read_the_shards(packed):
    import tensorflow as tf

    kinds = {
        name: tf.io.FixedLenFeature([], tf.string) for name in ("name", "source", "sha256", "audio")
    }
    kinds["sample_rate_hz"] = tf.io.FixedLenFeature([], tf.int64)
    paths = sorted(map(str, packed.glob("*.tfrecord")))
    records = [
        tf.io.parse_single_example(record, kinds) for record in tf.data.TFRecordDataset(paths)
    ]
    manifest = parse((packed / "shards.json").read_bytes(), "")
    assert [record["name"].numpy().decode() for record in records] == [
        record.name for record in manifest.records
    ]
    assert {int(record["sample_rate_hz"]) for record in records} == {RATE_HZ}
    assert sum(shard.bytes for shard in manifest.shards) == sum(
        path.stat().st_size for path in packed.glob("*.tfrecord")
    )


def test_an_unknown_file_system_is_reported():
    with pytest.raises(
        DataError, match=r"nosuch://bucket/x cannot be reached \(Protocol not known.*pip install"
    ):
        open_catalogue("nosuch://bucket/x", ("piano",))
