"""Shards: the same batches as from the folder, shard by shard, without partial files."""

import json
import shutil
from dataclasses import replace

import numpy as np
import pytest
import soundfile
from sets_for_tests import MAKERS

from tfsepgan.config import DataConfig
from tfsepgan.data.batches.cache import unpack
from tfsepgan.data.batches.pipeline import training_batches
from tfsepgan.data.recordings.catalogue import scan
from tfsepgan.data.recordings.opening import open_catalogue
from tfsepgan.data.shards import packing
from tfsepgan.data.shards import reading as shards
from tfsepgan.data.shards.manifest import parse
from tfsepgan.data.shards.packing import encoded, pack
from tfsepgan.data.shards.storage import Storage
from tfsepgan.errors import ConfigError, DataError

RATE_HZ = 8000
CONFIG = DataConfig(sample_rate_hz=RATE_HZ, window=2048, batch=3, reader="memmap", silence_db=-25.0)
SMALL = 60_000  # bytes of a shard: a few recordings


@pytest.fixture(scope="module")
def packed(unpaired, tmp_path_factory):
    """Shards of the unpaired recordings at 8 kHz; not to be changed."""
    place = tmp_path_factory.mktemp("packed") / "shards"
    pack(scan(unpaired), place, sample_rate_hz=RATE_HZ, shard_bytes=SMALL)
    return place


@pytest.fixture
def copy_of(packed, tmp_path):
    """Shards to be spoiled."""
    return shutil.copytree(packed, tmp_path / "spoiled")


def first_batches(catalogue, config, cache, *, count=4, batch_keys=("mixture", "sources")):
    batches = training_batches(catalogue, config, batch_keys=batch_keys, cache_dir=cache).take(
        count
    )
    return [{key: value.numpy() for key, value in batch.items()} for batch in batches]


def assert_same_batches(one, two):
    for first, second in zip(one, two, strict=True):
        for key in first:
            assert np.any(first[key])
            np.testing.assert_array_equal(first[key], second[key])


def files_of(catalogue):
    return [
        (split, source, file.name)
        for split, sources in catalogue.splits.items()
        for source, files in sources.items()
        for file in files
    ]


def damage(place, offset):
    data = bytearray(place.read_bytes())
    data[offset] ^= 1
    place.write_bytes(data)


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


@pytest.mark.parametrize(
    ("bits", "channels", "exact"),
    [(16, 1, True), (16, 2, True), (24, 1, True), (24, 2, False), (16, 3, False)],
)
def test_at_its_own_rate_a_recording_is_kept_to_the_bit_where_24_bits_hold_it(
    tmp_path, bits, channels, exact
):
    path = tmp_path / "data" / "train" / "piano" / "a.wav"
    path.parent.mkdir(parents=True)
    noise = (
        np.random.default_rng(0).integers(-(2**31), 2**31, (4000, channels)).astype(np.int32) // 4
    )
    soundfile.write(path, noise, RATE_HZ, subtype=f"PCM_{bits}")
    pack(scan(tmp_path / "data"), tmp_path / "shards")
    (ours,), (theirs,) = (
        scan(tmp_path / place, cache_dir=tmp_path / "cache").splits["train"]["piano"]
        for place in ("shards", "data")
    )
    assert np.array_equal(ours.read(mono=True), theirs.read(mono=True)) == exact
    np.testing.assert_allclose(ours.read(mono=True), theirs.read(mono=True), atol=2.0**-17)


@pytest.mark.parametrize("rate_hz", [RATE_HZ, 700_000])
def test_a_sound_file_gives_back_what_went_in(tmp_path, rate_hz):
    whole = (np.random.default_rng(0).integers(-(2**23), 2**23, 5000) / 2**23).astype(np.float32)
    audio, suffix = encoded(whole, rate_hz, rounded=False)
    assert suffix == (".flac" if rate_hz == RATE_HZ else ".wav")
    (tmp_path / f"a{suffix}").write_bytes(audio)
    np.testing.assert_array_equal(
        soundfile.read(tmp_path / f"a{suffix}", dtype="float32")[0], whole
    )
    assert encoded(whole, rate_hz, rounded=False)[0] == audio


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


def test_recordings_are_fetched_once(packed, tmp_path, monkeypatch):
    copy = shards.fetch(packed, tmp_path / "cache")
    monkeypatch.setattr(shards, "_recordings", lambda *_: pytest.fail("fetched again"))
    assert shards.fetch(packed, tmp_path / "cache") == copy
    # a copy is used where it is, without what it was made of
    assert shards.fetch(copy, tmp_path / "elsewhere") == copy
    assert not (tmp_path / "elsewhere").exists()
    assert files_of(scan(copy)) == files_of(scan(packed, cache_dir=tmp_path / "cache"))


def test_fetching_continues_after_the_existing_shards(packed, tmp_path, monkeypatch):
    read, fetched = shards._recordings, []

    def breaks_off(storage, shard):
        fetched.append(shard.name)
        for number, one in enumerate(read(storage, shard)):
            if len(fetched) == 3 and number == 1:
                raise KeyboardInterrupt
            yield one

    monkeypatch.setattr(shards, "_recordings", breaks_off)
    with pytest.raises(KeyboardInterrupt):
        shards.fetch(packed, tmp_path / "cache")
    again = []
    monkeypatch.setattr(
        shards,
        "_recordings",
        lambda storage, shard: again.append(shard.name) or read(storage, shard),
    )
    copy = shards.fetch(packed, tmp_path / "cache")
    names = [shard.name for shard in parse((packed / "shards.json").read_bytes(), "").shards]
    assert fetched == names[:3]
    assert again == names[2:]
    next((copy / "test" / "piano").iterdir()).unlink()
    short = next((copy / "train" / "piano").iterdir())
    short.write_bytes(short.read_bytes()[:-1])  # as a full disk or a power cut leaves it
    again.clear()
    assert shards.fetch(packed, tmp_path / "cache") == copy
    assert again == [names[0], names[-2]]


def test_packing_continues_after_the_existing_shards(unpaired, packed, tmp_path, monkeypatch):
    catalogue, done = scan(unpaired), []

    def breaks_off(file):
        done.append(file.name)
        if len(done) == 7:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        pack(
            catalogue,
            tmp_path / "shards",
            sample_rate_hz=RATE_HZ,
            shard_bytes=SMALL,
            done=breaks_off,
        )
    assert not [
        path for path in (tmp_path / "shards").iterdir() if path.name.startswith(".writing")
    ]
    with pytest.raises(
        DataError,
        match=r"holds unfinished shards: no shards\.json, but unfinished\.json\. Run",
    ):
        scan(tmp_path / "shards", cache_dir=tmp_path / "cache")
    with pytest.raises(
        DataError, match=r"holds unfinished shards of other recordings, or with other settings"
    ):
        pack(catalogue, tmp_path / "shards", sample_rate_hz=None, shard_bytes=SMALL)
    recorded, made = packing._recorded, []
    monkeypatch.setattr(packing, "_recorded", lambda *of: made.append(of[0].name) or recorded(*of))
    pack(catalogue, tmp_path / "shards", sample_rate_hz=RATE_HZ, shard_bytes=SMALL)
    assert 0 < len(made) < 18
    assert sorted(path.name for path in (tmp_path / "shards").iterdir()) == sorted(
        path.name for path in packed.iterdir()
    )
    for path in packed.iterdir():
        assert (tmp_path / "shards" / path.name).read_bytes() == path.read_bytes()


def test_changed_shards_are_fetched_again(packed, copy_of, tmp_path):
    before = shards.fetch(packed, tmp_path / "cache")
    manifest = json.loads((copy_of / "shards.json").read_text())
    (copy_of / "shards.json").write_text(json.dumps(manifest | {"licence": "another"}))
    assert shards.fetch(copy_of, tmp_path / "cache") != before


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (
            lambda path: damage(path, 5000),
            r"\(train/piano/a\.wav has another checksum\)\. Copy that file again",
        ),
        (lambda path: damage(path, 3), r"\(a record is longer than was packed\)"),
        (lambda path: path.write_bytes(path.read_bytes()[:-1]), r"\(it is truncated\)"),
        (
            lambda path: path.write_bytes(path.read_bytes() + b"x"),
            r"\(it holds more than was packed\)",
        ),
        (lambda path: path.write_bytes(b""), r"\(it is truncated\)"),
        (lambda path: path.unlink(), r"cannot be read \(No such file or directory\)"),
    ],
)
def test_a_spoiled_shard_is_named(copy_of, tmp_path, spoil, words):
    spoil(copy_of / "shard-00000.tfrecord")
    with pytest.raises(DataError, match=rf"shard-00000\.tfrecord .*{words}"):
        shards.fetch(copy_of, tmp_path / "cache")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"version": 2}, r"has version 2 of the shard format; this tfsepgan reads version 1"),
        ({"format": "else"}, r"is damaged .*\$\.format"),
        ({"kind": "else"}, r"is damaged .*\$\.kind"),
        ({"shards": 3}, r"is damaged"),
        ({"sample_rate_hz": "8000"}, r"is damaged .*\$\.sample_rate_hz"),
        (
            {"file": "train/../../../x.flac"},
            r"lists a recording 'train/piano/a\.wav' at 'train/\.\./\.\./\.\./x\.flac'",
        ),
        ({"file": "/train/piano/x.flac"}, r"which is not a name that packing gives"),
        ({"file": "train/piano/c:x.flac"}, r"which is not a name that packing gives"),
        ({"file": "test/piano/a.flac"}, r"which is not a name that packing gives"),
        ({"file": "TRAIN/piano/a.flac"}, r"which is not a name that packing gives"),
        ({"file": "train/piano/B.flac"}, r"lists a file twice"),
        ({"sha256": "0"}, r"is damaged .*\$\.shards\[0\]\.records\[0\]\.sha256"),
        ({"bytes": -1}, r"is damaged .*\$\.shards\[0\]\.records\[0\]\.bytes"),
    ],
)
def test_a_spoiled_manifest_is_refused(copy_of, tmp_path, change, words):
    manifest = json.loads((copy_of / "shards.json").read_text())
    (
        manifest["shards"][0]["records"][0]
        if change.keys() & {"file", "sha256", "bytes"}
        else manifest
    ).update(change)
    (copy_of / "shards.json").write_text(json.dumps(manifest))
    with pytest.raises(DataError, match=words):
        shards.fetch(copy_of, tmp_path / "cache")
    assert not (tmp_path / "cache").exists()


def test_half_a_manifest_is_refused(copy_of, tmp_path):
    whole = (copy_of / "shards.json").read_bytes()
    (copy_of / "shards.json").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(DataError, match=r"shards\.json is damaged .*Copy it again"):
        scan(copy_of, cache_dir=tmp_path / "cache")


def test_an_unknown_file_system_is_reported():
    with pytest.raises(
        DataError, match=r"nosuch://bucket/x cannot be reached \(Protocol not known.*pip install"
    ):
        open_catalogue("nosuch://bucket/x", ("piano",))


def test_any_error_of_a_remote_file_system_names_the_address(monkeypatch):
    storage = Storage("memory://bucket/refused")

    def refuse(*arguments, **settings):
        raise RuntimeError("no credentials\nand more")

    monkeypatch.setattr(type(storage._files), "cat_file", refuse)
    with pytest.raises(DataError, match=r"refused/x cannot be read \(no credentials\)"):
        storage.read("x")


def test_a_full_cache_is_reported_before_anything_is_written(packed, tmp_path, monkeypatch):
    monkeypatch.setattr(shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(10, 10, 0))
    with pytest.raises(DataError, match=r"needs 0\.00 GB in .*cache, 0\.00 GB are free"):
        shards.fetch(packed, tmp_path / "cache")


def test_a_cache_that_cannot_be_written_is_reported(packed, tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(DataError, match=r"The cache, .*, cannot be written \(Not a directory\)"):
        shards.fetch(packed, tmp_path / "file" / "cache")


def test_existing_files_are_not_overwritten(unpaired, packed, tmp_path):
    catalogue = scan(unpaired)
    (tmp_path / "thesis.txt").write_text("years of work")
    with pytest.raises(DataError, match=r"is not empty \(thesis\.txt\); use a folder"):
        pack(catalogue, tmp_path)
    with pytest.raises(DataError, match="holds shards; use a folder"):
        pack(catalogue, packed)
    with pytest.raises(DataError, match=r"thesis\.txt cannot be listed"):
        pack(catalogue, tmp_path / "thesis.txt")
    assert (tmp_path / "thesis.txt").read_text() == "years of work"


def test_a_recording_that_cannot_be_packed_is_named(tmp_path, write):
    write(tmp_path / "data" / "train" / "piano" / "a.wav", 0.05)
    with pytest.raises(DataError, match=r"a\.wav has 50 samples at 1000 Hz; at least 64"):
        pack(scan(tmp_path / "data"), tmp_path / "shards", sample_rate_hz=1000)


@pytest.mark.parametrize("wrong", [{"sample_rate_hz": 0}, {"shard_bytes": 0}])
def test_settings_that_no_shards_have_are_refused(unpaired, tmp_path, wrong):
    with pytest.raises(ConfigError):
        pack(scan(unpaired), tmp_path / "shards", **wrong)
    assert not (tmp_path / "shards").exists()


def test_names_that_differ_in_case_or_suffix_stay_apart(tmp_path, write):
    for number, name in enumerate(("a.wav", "a.flac", "A.wav", "b?.wav")):
        write(tmp_path / "data" / "train" / "piano" / name, 0.5, seed=number)
    pack(scan(tmp_path / "data"), tmp_path / "shards")
    files = scan(tmp_path / "shards", cache_dir=tmp_path / "cache").splits["train"]["piano"]
    assert {file.name.rpartition("/")[2]: file.path.name for file in files} == {
        "A.wav": "A.flac",
        "a.flac": "a~1.flac",
        "a.wav": "a~2.flac",
        "b?.wav": "b_.flac",
    }
    noise = {
        name: write(tmp_path / "same.wav", 0.5, seed=seed)
        for seed, name in enumerate(("a.wav", "a.flac", "A.wav"))
    }
    for file in files[:3]:
        np.testing.assert_allclose(
            file.read(mono=True), noise[file.name.rpartition("/")[2]], atol=2.0**-15
        )
