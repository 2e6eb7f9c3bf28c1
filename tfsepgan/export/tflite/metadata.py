"""What a TFLite file says about itself, written into it: see `tfsepgan.ondevice.description`, which
reads it."""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from tfsepgan.errors import ExportError
from tfsepgan.ondevice.description import IDENTIFIER, NAME

ALIGNMENT = 16  # bytes; the TFLite schema wants weights to start on multiples of it


def write_metadata(path: Path, facts: Mapping[str, Any], description: str) -> None:
    """Put JSON into a TFLite file's list of metadata, in place of an earlier one.

    Args:
      path: of the file.
      facts: what can be JSON; "identity", the SHA-256 of the file before, is added.
      description: a sentence for the file's own description.
    Raises: ExportError when the file is not TFLite.
    """
    import flatbuffers
    from tensorflow.lite.python import schema_py_generated as schema

    content = path.read_bytes()
    if content[4:8] != IDENTIFIER:
        raise ExportError(f"{path.name} is not a TFLite file.")
    model = schema.ModelT.InitFromObj(schema.Model.GetRootAs(content, 0))
    facts = {**facts, "identity": hashlib.sha256(content).hexdigest()}
    entry, buffer = schema.MetadataT(), schema.BufferT()
    buffer.data = np.frombuffer(json.dumps(facts, ensure_ascii=False).encode(), np.uint8)
    entry.name, entry.buffer = NAME, len(model.buffers)
    kept = [one for one in model.metadata or [] if one.name not in (NAME, NAME.encode())]
    model.buffers, model.metadata = [*model.buffers, buffer], [*kept, entry]
    model.description = description
    for one in model.buffers:
        one.Pack = _aligned(one)
    builder = flatbuffers.Builder(len(content) + (1 << 16))
    builder.Finish(model.Pack(builder), file_identifier=IDENTIFIER)
    path.write_bytes(bytes(builder.Output()))


def _aligned(buffer):
    """A buffer's own `Pack`, at a place where the schema wants its data."""
    pack = buffer.Pack

    def pack_aligned(builder):
        if buffer.data is not None:
            builder.Prep(ALIGNMENT, len(buffer.data))
        return pack(builder)

    return pack_aligned
