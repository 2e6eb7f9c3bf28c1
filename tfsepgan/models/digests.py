"""Manifests that name their weights by SHA-256, and the comparison when a model is loaded."""

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path

from tfsepgan.errors import CheckpointError
from tfsepgan.files import sha256_of
from tfsepgan.models.folders import MANIFEST, Manifest


def write_manifest(folder: Path, manifest: Manifest, weights: str) -> None:
    """Write `manifest.json` with the SHA-256 of the weights, a file of the same folder."""
    files = {weights: {"sha256": sha256_of(folder / weights)}}
    text = json.dumps({**asdict(manifest), "files": files}, indent=2)
    (folder / MANIFEST).write_text(text + "\n", encoding="utf-8")


def check_digest(folder: Path, name: str) -> None:
    """Compare a file of a model with the SHA-256 in its manifest; one without it is accepted.

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
