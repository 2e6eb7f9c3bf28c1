"""The folder that an export is: complete, or as it was before."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tfsepgan.errors import CheckpointError, ExportError
from tfsepgan.export.tflite.variants import TFLITE_ENDS
from tfsepgan.files import sha256_of
from tfsepgan.models.folders import MANIFEST, read_manifest

VERSION = "1"  # the folder that TF Serving looks for below a model
CARD = "card.md"
# of a generator that separates; of any other kind of model
WEIGHTS = ("model.keras", "weights.npz")


@contextmanager
def whole_or_not_at_all(output: Path) -> Iterator[tuple[Path, Path]]:
    """Make a folder elsewhere, and move it into place once it is complete. Whatever fails before
    leaves the output as it was.

    Yields: the folder to fill, and one for what is not to be kept.
    Raises: ExportError when the output is something else than an earlier export, or the disk
      refuses.
    """
    _check_output(output)
    try:
        output.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=output.parent, prefix=f".{output.name}-") as scratch:
            made = Path(scratch) / "made"
            made.mkdir()  # the scratch folder itself is closed to others, and a server is one
            yield made, Path(scratch)
            _swap(made, output, Path(scratch) / "replaced")
    except OSError as error:
        raise ExportError(
            f"cannot write {output}: {error.strerror or error}; nothing was replaced"
        ) from error
    except CheckpointError as error:
        raise ExportError(f"cannot write {output}: {error}") from error


def file_facts(directory: Path) -> dict[str, dict[str, Any]]:
    """Size and SHA-256 of every file below a folder but the manifest, by its path in it."""
    facts = {}
    for path in sorted(
        one for one in directory.rglob("*") if one.is_file() and one != directory / MANIFEST
    ):
        facts[path.relative_to(directory).as_posix()] = {
            "bytes": path.stat().st_size,
            "sha256": sha256_of(path),
        }
    return facts


def _check_output(output: Path) -> None:
    """Refuse to replace anything but an earlier export, and names that TF Serving or a URL would
    stumble over."""
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
    there = {path.name for path in output.iterdir()}
    if not there:
        return
    try:
        earlier = read_manifest(output)
    except CheckpointError as error:
        raise ExportError(
            f"{output} is not an exported model and is left as it is; choose another output"
        ) from error
    names = {earlier.name, output.name}
    ours = {
        VERSION,
        CARD,
        *WEIGHTS,
        MANIFEST,
        *(f"{one}{end}" for one in names for end in TFLITE_ENDS),
    }
    if there - ours:
        raise ExportError(
            f"{output} holds more than an exported model ({', '.join(sorted(there - ours))}) and"
            " would be replaced; move that away or choose another output"
        )


def _swap(made: Path, output: Path, replaced: Path) -> None:
    """Put the new folder where the old one is; the old one comes back if that fails."""
    if output.exists():
        os.replace(output, replaced)
    try:
        os.replace(made, output)
    except OSError:
        if replaced.exists():
            os.replace(replaced, output)
        raise
