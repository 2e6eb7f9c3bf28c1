"""Reads the description inside an exported TFLite file: JSON in the file's list of metadata.

A TFLite file is a FlatBuffer whose root table points to a list of named buffers for metadata. A few
lines read them here, so neither TensorFlow nor generated code is needed.

Source: https://flatbuffers.dev/internals (tables, vectors, strings) and the TFLite schema: `Model`
(fields 4, `buffers`, and 6, `metadata`), `Metadata` (0, `name`; 1, `buffer`) and `Buffer` (0,
`data`).
"""

import json
import os
import struct
from pathlib import Path
from typing import Any

from tfsepgan.errors import CheckpointError

NAME = "tfsepgan.json"
IDENTIFIER = b"TFL3"
_BUFFERS, _METADATA = 4, 6


def describe(path: str | os.PathLike) -> dict[str, Any]:
    """Read the description of a TFLite file.

    Args:
      path: a `.tflite` file that `tfsepgan-export` wrote.
    Returns: among others `name`, `variant`, `sources`, `stems`, `sample_rate_hz`, `hop`,
      `signatures` and `licence`; for streaming files also `streaming`, with `block_samples`,
      `delay_samples`, `latency_samples` and `state_size`.
    Raises: CheckpointError when the file cannot be read, is not TFLite, or was not written by
      tfsepgan.
    """
    path = Path(path)
    try:
        content = path.read_bytes()
    except OSError as error:
        raise CheckpointError(f"cannot read {path}: {error.strerror or error}") from error
    if content[4:8] != IDENTIFIER:
        raise CheckpointError(f"{path} is not a TFLite file; give one that tfsepgan-export wrote.")
    try:
        text = _metadata(content)
        facts = None if text is None else json.loads(text)
    except (struct.error, IndexError, ValueError) as error:
        raise CheckpointError(
            f"{path} is a damaged TFLite file; copy or export it again."
        ) from error
    if not isinstance(facts, dict):
        raise CheckpointError(
            f"{path} holds no description: it has no {NAME!r} in its metadata. Export the model"
            " again."
        )
    return facts


def _metadata(content: bytes) -> bytes | None:
    """The bytes of the entry NAME, or None where there is none."""
    root = _unsigned(content, 0)
    buffers, entries = _field(content, root, _BUFFERS), _field(content, root, _METADATA)
    for entry in _tables(content, entries):
        if _vector(content, _field(content, entry, 0)) == NAME.encode():
            place = _field(content, entry, 1)
            index = _unsigned(content, place) if place else 0
            # All buffers are read, so that a file that was cut short is found here, not by the
            # runtime.
            return [_vector(content, _field(content, one, 0)) for one in _tables(content, buffers)][
                index
            ]
    return None


def _unsigned(content: bytes, place: int) -> int:
    return struct.unpack_from("<I", content, place)[0]


def _field(content: bytes, table: int, number: int) -> int:
    """The position of a field of a table; 0 if the field was left out."""
    (back,) = struct.unpack_from("<i", content, table)
    layout = table - back
    (size,) = struct.unpack_from("<H", content, layout)
    if 4 + 2 * number >= size:
        return 0
    (offset,) = struct.unpack_from("<H", content, layout + 4 + 2 * number)
    return table + offset if offset else 0


def _tables(content: bytes, place: int) -> list[int]:
    """The positions of the tables in a list."""
    if not place:
        return []
    start = place + _unsigned(content, place)
    places = range(start + 4, start + 4 + 4 * _unsigned(content, start), 4)
    if places and places[-1] >= len(content):
        raise IndexError(start)
    return [one + _unsigned(content, one) for one in places]


def _vector(content: bytes, place: int) -> bytes:
    """The bytes of a string or of a list of bytes."""
    if not place:
        return b""
    start = place + _unsigned(content, place)
    size = _unsigned(content, start)
    if start + 4 + size > len(content):
        raise IndexError(start)
    return content[start + 4 : start + 4 + size]
