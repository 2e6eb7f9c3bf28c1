"""Every TFLite file holds a description in its metadata."""

import json

import numpy as np
import pytest

from tfsepgan.errors import CheckpointError, ExportError
from tfsepgan.export.tflite.conversion import foreign_operators
from tfsepgan.export.tflite.metadata import ALIGNMENT, write_metadata
from tfsepgan.ondevice import describe
from tfsepgan.ondevice.description import NAME


def test_a_file_holds_its_description(model):
    facts = describe(model)
    expected = {
        "name": "small",
        "variant": "stream",
        "sources": ["piano", "voice"],
        "sample_rate_hz": 8000,
        "licence": "CC0",
    }
    assert expected.items() <= facts.items()
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


def test_every_shape_of_a_file_for_the_web_is_fixed_and_described(web_model):
    from tfsepgan.export.tflite.conversion import open_interpreter

    facts, interpreter = describe(web_model), open_interpreter(web_model)
    size = facts["streaming"]["state_size"]
    assert (facts["variant"], facts["streaming"]["channels"]) == ("web.float32", 2)
    stream = interpreter.get_signature_runner("stream")
    for side in ("inputs", "outputs"):
        details = getattr(stream, f"get_{side[:-1]}_details")()
        shapes = {name: list(one["shape"]) for name, one in details.items()}
        assert shapes == facts["signatures"]["stream"][side]
        assert all(-1 not in one["shape_signature"] for one in details.values())
        assert shapes["state"] == [2, size]


def test_the_schema_of_the_runtime_reads_the_same_description(model):
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


def test_weights_stay_aligned_and_nothing_else_changes(model, tmp_path):
    from ai_edge_litert import schema_py_generated as schema

    copy = tmp_path / "copy.tflite"
    copy.write_bytes(model.read_bytes())
    write_metadata(copy, {"name": "another"}, "a sentence")
    assert {name: one for name, one in describe(copy).items() if name != "identity"} == {
        "name": "another"
    }
    new, old = (schema.Model.GetRootAs(path.read_bytes(), 0) for path in (copy, model))
    names = [new.Metadata(number).Name() for number in range(new.MetadataLength())]
    assert names.count(NAME.encode()) == 1
    for number in range(old.BuffersLength()):
        after, before = new.Buffers(number), old.Buffers(number)
        assert after.DataIsNone() == before.DataIsNone()
        if not after.DataIsNone():
            assert after._tab.Vector(after._tab.Offset(4)) % ALIGNMENT == 0
            if (
                b"tfsepgan.json" not in before.DataAsNumpy().tobytes()
                and before.DataAsNumpy()[:1] != b"{"[0]
            ):
                np.testing.assert_array_equal(after.DataAsNumpy(), before.DataAsNumpy())
    assert foreign_operators(copy) == []


def test_missing_damaged_and_foreign_files_are_refused(model, tmp_path):
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
        with pytest.raises(CheckpointError, match="damaged|holds no description"):
            describe(other)
    plain = tmp_path / "plain.tflite"
    plain.write_bytes(whole.replace(NAME.encode(), b"somebody.json"))
    with pytest.raises(CheckpointError, match="holds no description"):
        describe(plain)
