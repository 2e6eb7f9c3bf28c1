"""The folder of an export: complete, or as it was before."""

import json
import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import keras
import tensorflow as tf

from tfsepgan.errors import CheckpointError, ExportError
from tfsepgan.export.tflite.variants import TFLITE_ENDS
from tfsepgan.files import sha256_of
from tfsepgan.models.folders import CARD, MANIFEST, read_manifest

VERSION = "1"  # the folder that TF Serving looks for below a model
WEIGHTS = ("model.keras", "weights.npz")  # of a generator that separates; of any other kind


@contextmanager
def whole_or_not_at_all(output: Path) -> Iterator[tuple[Path, Path]]:
    """Make a folder elsewhere, and move it into place once it is complete.

    An error before that leaves the output as it was.

    Yields: the folder to fill, and one for temporary files.
    Raises: ExportError when the output is anything but an earlier export, or writing fails.
    """
    _check_output(output)
    try:
        output.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=output.parent, prefix=f".{output.name}-") as scratch:
            made = Path(scratch) / "made"
            made.mkdir()  # the scratch folder itself is closed to other users, such as a server
            yield made, Path(scratch)
            _swap(made, output, Path(scratch) / "replaced")
    except OSError as error:
        raise ExportError(
            f"cannot write {output}: {error.strerror or error}; nothing was replaced"
        ) from error
    except CheckpointError as error:
        raise ExportError(f"cannot write {output}: {error}") from error


def file_facts(directory: Path) -> dict[str, dict[str, Any]]:
    """Size and SHA-256 of every file below a folder except the manifest, by relative path."""
    return {
        path.relative_to(directory).as_posix(): {
            "bytes": path.stat().st_size,
            "sha256": sha256_of(path),
        }
        for path in sorted(directory.rglob("*"))
        if path.is_file() and path != directory / MANIFEST
    }


def extend_manifest(made: Path, facts: Mapping[str, Any], **fields: Any) -> None:
    """Add the facts of an export to the manifest of its folder, with the digests of its files.

    Args:
      fields: of the manifest, which replace those in it.
    """
    path = made / MANIFEST
    made_with = {"tensorflow": tf.__version__, "keras": keras.__version__}
    values = json.loads(path.read_text(encoding="utf-8")) | fields
    values["export"] = {**facts, "files": file_facts(made), "made_with": made_with}
    path.write_text(json.dumps(values, indent=2) + "\n", encoding="utf-8")


def _check_output(output: Path) -> None:
    """Raise ExportError unless the output is new or an earlier export, with a usable name.

    TF Serving and URLs take letters, digits, ".", "_" and "-".
    """
    if (
        not all(one.isalnum() or one in "._-" for one in output.name)
        or not output.name[:1].isalnum()
    ):
        raise ExportError(
            f"got {output.name!r} as the model's name; wanted letters, digits, '.', '_' and '-'"
        )
    if not output.exists():
        return
    if not output.is_dir():
        raise ExportError(
            f"{output} is a file; wanted a folder that does not exist yet, or an earlier export"
        )
    present = {path.name for path in output.iterdir()}
    if not present:
        return
    try:
        earlier = read_manifest(output)
    except CheckpointError as error:
        raise ExportError(
            f"{output} is not an exported model and is left as it is; choose another output"
        ) from error
    names = {earlier.name, output.name}
    exported = {f"{one}{end}" for one in names for end in TFLITE_ENDS}
    if foreign := present - exported - {VERSION, CARD, *WEIGHTS, MANIFEST}:
        further = ", ".join(sorted(foreign))
        raise ExportError(
            f"{output} holds more than an exported model ({further}) and would be replaced; move"
            " that away or choose another output"
        )


def _swap(made: Path, output: Path, replaced: Path) -> None:
    """Replace the old folder by the new one; if that fails, the old one is restored."""
    if output.exists():
        os.replace(output, replaced)
    try:
        os.replace(made, output)
    except OSError:
        if replaced.exists():
            os.replace(replaced, output)
        raise
