"""Fetching: once, shard by shard, with a check of each byte."""

import json
import shutil

import pytest
from shards_for_tests import files_of

from tfsepgan.data.recordings.catalogue import scan
from tfsepgan.data.shards import reading as shards
from tfsepgan.data.shards.manifest import parse
from tfsepgan.data.shards.storage import Storage
from tfsepgan.errors import DataError


def damage(place, offset):
    data = bytearray(place.read_bytes())
    data[offset] ^= 1
    place.write_bytes(data)


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


def test_a_full_cache_is_reported_before_anything_is_written(packed, tmp_path, monkeypatch):
    monkeypatch.setattr(shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(10, 10, 0))
    with pytest.raises(DataError, match=r"needs [\d.]+ kB in .*cache, 0 bytes are free"):
        shards.fetch(packed, tmp_path / "cache")


def test_a_cache_that_cannot_be_written_is_reported(packed, tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(DataError, match=r"The cache, .*, cannot be written \(Not a directory\)"):
        shards.fetch(packed, tmp_path / "file" / "cache")


def test_any_error_of_a_remote_file_system_names_the_address(monkeypatch):
    storage = Storage("memory://bucket/refused")

    def refuse(*arguments, **settings):
        raise RuntimeError("no credentials\nand more")

    monkeypatch.setattr(type(storage._files), "cat_file", refuse)
    with pytest.raises(DataError, match=r"refused/x cannot be read \(no credentials\)"):
        storage.read("x")
