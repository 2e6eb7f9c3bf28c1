"""A TFLite file says what it is, to anyone who reads its metadata."""

import json

import numpy as np
import pytest

from tfsepgan.errors import CheckpointError, ExportError
from tfsepgan.export.tflite.conversion import foreign_operators
from tfsepgan.export.tflite.metadata import ALIGNMENT, write_metadata
from tfsepgan.ondevice import describe
from tfsepgan.ondevice.description import NAME


def test_a_file_says_what_it_is(model):
    facts = describe(model)
    told = {
        "name": "small",
        "variant": "stream",
        "sources": ["piano", "voice"],
        "sample_rate_hz": 8000,
        "licence": "CC0",
    }
    assert told.items() <= facts.items()
    assert facts["stems"] == ["piano", "voice", "residual"]
    streaming = facts["streaming"]
    assert (
        streaming["block_samples"],
        streaming["delay_samples"],
        streaming["latency_samples"],
    ) == (256, 640, 896)
    assert streaming["latency_ms"] == 112.0
    state = [1, streaming["state_size"]]
    assert facts["signatures"]["stream"]["inputs"] == {
        "block": [1, 256, 1],
        "state": state,
        "valid": [1],
    }
    assert facts["signatures"]["stream"]["outputs"]["state"] == state


def test_the_runtimes_own_schema_reads_the_same(model):
    from ai_edge_litert import schema_py_generated as schema

    file = schema.Model.GetRootAs(model.read_bytes(), 0)
    entries = {
        file.Metadata(number).Name().decode(): file.Metadata(number)
        for number in range(file.MetadataLength())
    }
    content = file.Buffers(entries[NAME].Buffer()).DataAsNumpy().tobytes()
    assert json.loads(content) == describe(model)
    assert b"tfsepgan model small" in file.Description()
    assert "min_runtime_version" in entries  # the converter's own entries are kept


def test_weights_stay_where_the_runtime_wants_them_and_nothing_else_changes(model, tmp_path):
    from ai_edge_litert import schema_py_generated as schema

    copy = tmp_path / "copy.tflite"
    copy.write_bytes(model.read_bytes())
    write_metadata(copy, {"name": "another"}, "a sentence")
    assert {name: one for name, one in describe(copy).items() if name != "identity"} == {
        "name": "another"
    }
    ours, theirs = (schema.Model.GetRootAs(path.read_bytes(), 0) for path in (copy, model))
    names = [ours.Metadata(number).Name() for number in range(ours.MetadataLength())]
    assert names.count(NAME.encode()) == 1
    for number in range(theirs.BuffersLength()):
        mine, before = ours.Buffers(number), theirs.Buffers(number)
        assert mine.DataIsNone() == before.DataIsNone()
        if not mine.DataIsNone():
            assert mine._tab.Vector(mine._tab.Offset(4)) % ALIGNMENT == 0
            if (
                b"tfsepgan.json" not in before.DataAsNumpy().tobytes()
                and before.DataAsNumpy()[:1] != b"{"[0]
            ):
                np.testing.assert_array_equal(mine.DataAsNumpy(), before.DataAsNumpy())
    assert foreign_operators(copy) == []


def test_files_that_say_nothing_or_are_damaged_are_told(model, tmp_path):
    with pytest.raises(CheckpointError, match="cannot read"):
        describe(tmp_path / "missing.tflite")
    other = tmp_path / "song.tflite"
    other.write_bytes(b"RIFF....WAVE")
    with pytest.raises(CheckpointError, match="not a TFLite file"):
        describe(other)
    with pytest.raises(ExportError, match="not a TFLite file"):
        write_metadata(other, {}, "")
    whole = model.read_bytes()
    for size in (8, 40, len(whole) // 2):
        other.write_bytes(whole[:size])
        with pytest.raises(CheckpointError, match="damaged|does not say what it is"):
            describe(other)
    plain = tmp_path / "plain.tflite"
    plain.write_bytes(whole.replace(NAME.encode(), b"somebody.json"))
    with pytest.raises(CheckpointError, match="does not say what it is"):
        describe(plain)
