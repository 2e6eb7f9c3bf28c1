"""Manifests that name their weights by SHA-256, and the comparison when a model is loaded."""

import contextlib
import hashlib
import json
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from pathlib import Path

from tfsepgan.errors import CheckpointError
from tfsepgan.files import put_in_place, sha256_of
from tfsepgan.models.folders import CARD, HUB_CARD, MANIFEST, Manifest, writing_a_model

_NO_PART = ("name", "trained", "export", "tfsepgan_version")  # of what a model computes
WEIGHTS = "model.keras"  # of a generator
# raised by building and reading when settings or weights are not those of a model
BROKEN = (
    *(ArithmeticError, AttributeError, EOFError, LookupError, OSError, TypeError, ValueError),
    zipfile.BadZipFile,
)


@contextlib.contextmanager
def written_with_weights(directory: Path, manifest: Manifest, weights: str) -> Iterator[Path]:
    """Write the manifest and the weights of a model; both take their places once complete.

    Args:
      weights: name of the file.
    Yields: a temporary folder to write the weights in.
    Raises: CheckpointError when writing fails.
    """
    with writing_a_model(directory), put_in_place(directory, (weights, MANIFEST)) as scratch:
        yield scratch
        files = {weights: {"sha256": sha256_of(scratch / weights)}}
        text = json.dumps({**asdict(manifest), "files": files}, indent=2)
        (scratch / MANIFEST).write_text(text + "\n", encoding="utf-8")


def check_digest(folder: Path, name: str) -> None:
    """Compare a file of a model with the SHA-256 in its manifest; it is accepted if there is none.

    Raises: CheckpointError for another file than the manifest describes.
    """
    manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    for place in (("export", "files"), ("files",)):
        saved = manifest
        for key in (*place, name, "sha256"):
            saved = saved.get(key) if isinstance(saved, Mapping) else None
        if saved and sha256_of(folder / name) != saved:
            raise CheckpointError(
                f"{folder / name} is not the file that its {MANIFEST} describes: its SHA-256"
                " differs. Copy or export the model again."
            )


def model_digest(folder: Path) -> str:
    """A SHA-256 of what a model computes: its weights, and the facts that it is built from.

    The card, scores and exported files do not count: they are made from the same weights.
    """
    manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    weights = manifest.get("files")
    if not weights:  # written by an earlier version
        others = (MANIFEST, CARD, HUB_CARD)
        files = [path for path in sorted(folder.iterdir()) if path.is_file()]
        weights = {path.name: sha256_of(path) for path in files if path.name not in others}
    facts = {name: value for name, value in manifest.items() if name not in _NO_PART}
    text = json.dumps({**facts, "files": weights}, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()
