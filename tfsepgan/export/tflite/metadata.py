"""Writes the description of a TFLite file into it; `tfsepgan.ondevice.description` reads it."""

import hashlib
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import flatbuffers
import numpy as np
from tensorflow.lite.python import schema_py_generated as schema

from tfsepgan.errors import ExportError
from tfsepgan.models.folders import Manifest
from tfsepgan.ondevice.description import IDENTIFIER, NAME

ALIGNMENT = 16  # bytes; by the TFLite schema, weights start on multiples of it


def write_metadata(path: Path, facts: Mapping[str, Any], description: str) -> None:
    """Write JSON into a TFLite file's list of metadata, in place of an earlier entry.

    Args:
      path: of the file.
      facts: values for JSON; "identity", the SHA-256 of the file before the change, is added.
      description: a sentence for the `description` field of the file.
    Raises: ExportError when the file is not TFLite.
    """
    model, content = _opened(path), path.read_bytes()
    facts = {**facts, "identity": hashlib.sha256(content).hexdigest()}
    entry, buffer = schema.MetadataT(), schema.BufferT()
    buffer.data = np.frombuffer(json.dumps(facts, ensure_ascii=False).encode(), np.uint8)
    entry.name, entry.buffer = NAME, len(model.buffers)
    kept = [one for one in model.metadata or [] if one.name not in (NAME, NAME.encode())]
    model.buffers, model.metadata = [*model.buffers, buffer], [*kept, entry]
    model.description = description
    _write(model, path)


def keep_weights(path: Path, exact: Path, layer: str) -> None:
    """Put the float32 weights of a layer back into a quantised file.

    The converter rounds every large matrix to 8 bits, but the matrices of Fourier transforms must
    stay exact.

    Args:
      path: of the quantised file, which is changed.
      exact: file of the same model in float32.
      layer: a part of the names of operators; their matrices are put back.
    Raises: ExportError when a file is not TFLite, or holds no such matrix.
    """
    quantised, original = _opened(path), _opened(exact)
    weights = dict(_matrices(original, layer))
    found = dict(_matrices(quantised, layer))
    if not found or found.keys() != weights.keys():
        raise ExportError(f"{path.name} lacks the matrices of {layer!r}; report this bug.")
    for name, tensor in found.items():
        tensor.type, tensor.quantization = schema.TensorType.FLOAT32, None
        quantised.buffers[tensor.buffer].data = original.buffers[weights[name].buffer].data
    _write(quantised, path)


def facts_inside(
    manifest: Manifest, variant: str, signatures: Mapping[str, Any], **further: Any
) -> dict:
    """The description inside a TFLite file of any kind of model, and `further` facts of its kind.

    `tfsepgan.ondevice.describe` reads it.
    """
    return {
        "format": 1,
        "name": manifest.name,
        "variant": variant,
        "sources": list(manifest.sources),
        "sample_rate_hz": manifest.sample_rate_hz,
        "licence": manifest.trained.get("licence"),
        "made_with": f"tfsepgan {manifest.tfsepgan_version}",
        "signatures": signatures,
        **further,
    }


def _matrices(model, layer: str) -> Iterator[tuple[bytes, Any]]:
    """The names of a layer's matrix products, and the tensors of their weights."""
    codes = [max(one.builtinCode, one.deprecatedBuiltinCode) for one in model.operatorCodes]
    for graph in model.subgraphs:
        for operator in graph.operators:
            name = graph.tensors[operator.outputs[0]].name
            product = codes[operator.opcodeIndex] == schema.BuiltinOperator.FULLY_CONNECTED
            if product and layer.encode() in name:
                yield name, graph.tensors[operator.inputs[1]]


def _opened(path: Path):
    """A TFLite file as objects of the schema."""
    content = path.read_bytes()
    if content[4:8] != IDENTIFIER:
        raise ExportError(f"{path.name} is not a TFLite file.")
    return schema.ModelT.InitFromObj(schema.Model.GetRootAs(content, 0))


def _write(model, path: Path) -> None:
    for one in model.buffers:
        one.Pack = _aligned(one)
    builder = flatbuffers.Builder(1 << 20)
    builder.Finish(model.Pack(builder), file_identifier=IDENTIFIER)
    path.write_bytes(bytes(builder.Output()))


def _aligned(buffer):
    """A `Pack` method for a buffer that aligns its data as the schema requires."""
    pack = buffer.Pack

    def pack_aligned(builder):
        if buffer.data is not None:
            builder.Prep(ALIGNMENT, len(buffer.data))
        return pack(builder)

    return pack_aligned
