"""The files of an evaluation: safe names, and JSON with NaN and infinities.

In JSON, NaN (an undefined value) is `null`, and the infinities are the strings "inf" and "-inf", so
that every JSON reader accepts the files.
"""

import json
import math
import os
from collections.abc import Iterable, Mapping
from pathlib import Path

from tfsepgan.errors import DataError
from tfsepgan.files import write_whole
from tfsepgan.separation.naming import safe_name

_LONGEST_NAME = 120  # bytes; file systems allow 255, which leaves room for suffixes


def file_names(names: Iterable[str]) -> list[str]:
    """A file name for each track, without a suffix: readable, unique, and never a path.

    It is the track's `safe_name`, cut where it is long. A second track of the same name (upper and
    lower case count as equal) gets `-2`.
    """
    used: set[str] = set()
    result = []
    for name in names:
        plain = safe_name(str(name).encode()[:_LONGEST_NAME].decode(errors="ignore"))
        unique, count = plain, 1
        while unique.lower() in used:
            count += 1
            unique = f"{plain}-{count}"
        used.add(unique.lower())
        result.append(unique)
    return result


def check_writable(folder: Path) -> None:
    """Creates a folder and checks that it can be written to.

    Raises: DataError when it cannot.
    """
    trial = folder / f".trial.{os.getpid()}.tmp"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        trial.write_bytes(b"")
        trial.unlink()
    except OSError as error:
        raise DataError(
            f"{folder} cannot be written to ({error}); choose another output folder"
        ) from error


def write_json(path: Path, content) -> None:
    """Writes a complete JSON file or none; DataError when the disk refuses."""
    text = json.dumps(_to_json(content), indent=1, ensure_ascii=False, allow_nan=False)
    try:
        write_whole(path, lambda file: file.write(f"{text}\n".encode()))
    except OSError as error:
        raise DataError(
            f"{path} cannot be written ({error}); free some space or choose another output"
        ) from error


def read_json(path: Path) -> dict:
    """Reads a file of `write_json`; DataError when it is missing or not JSON."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise DataError(
            f"{path} is not a readable evaluation file ({error}); evaluate again"
        ) from error
    if not isinstance(content, dict):
        raise DataError(
            f"{path} holds a {type(content).__name__}, wanted an evaluation; evaluate again"
        )
    return content


def _to_json(value):
    """NaN as None and infinities as strings, in all nested values."""
    if isinstance(value, Mapping):
        return {str(key): _to_json(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_to_json(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None if math.isnan(value) else ("inf" if value > 0 else "-inf")
    return value


def from_json(value):
    """The inverse of `_to_json` for nested numbers."""
    if isinstance(value, dict):
        return {key: from_json(item) for key, item in value.items()}
    if isinstance(value, list):
        return [from_json(item) for item in value]
    return math.nan if value is None else float(value)
