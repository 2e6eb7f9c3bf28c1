"""Manifests of models, and where the models are; reads neither weights nor TensorFlow."""

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec

import tfsepgan
from tfsepgan.errors import CheckpointError

MANIFEST = "manifest.json"
AtLeastOne = Annotated[int, msgspec.Meta(ge=1)]


@dataclass(frozen=True, kw_only=True)
class Manifest:
    """The description of a trained model: what is needed to rebuild it, use it and credit it."""

    name: str
    system: str
    network_settings: dict[str, Any]  # of a generator; empty for other kinds
    sample_rate_hz: AtLeastOne
    sources: Annotated[tuple[str, ...], msgspec.Meta(min_length=1)]
    hop: AtLeastOne  # samples
    context: Annotated[int, msgspec.Meta(ge=0)]  # samples
    parameters: int
    trained: dict[str, Any] = field(default_factory=dict)
    tfsepgan_version: str = tfsepgan.__version__
    # "generator" separates in one pass, "search" searches at test time, "synthesis" makes sounds
    kind: Literal["generator", "search", "synthesis"] = "generator"
    outputs: int = 0  # of the trained generator, where more than sources; the first ones ship
    # of the run, for the kinds that are rebuilt from them
    settings: dict[str, Any] = field(default_factory=dict)

    @property
    def separates_in_one_pass(self) -> bool:
        """True for a generator; a searching model separates too, but searches for each mixture."""
        return self.kind == "generator"

    @property
    def makes_sounds(self) -> bool:
        """True for a model that makes sounds and does not separate."""
        return self.kind == "synthesis"

    @property
    def network(self) -> str:
        """The kind of the generator, or the name of a system that searches or makes sounds."""
        return self.network_settings.get("kind", self.system)


def read_manifest(directory: Path) -> Manifest:
    """Read `manifest.json`.

    Raises: CheckpointError when it is missing, is not JSON, or lacks a fact that a model needs.
    """
    path = Path(directory) / MANIFEST
    if not path.is_file():
        raise CheckpointError(
            f"{directory} is not a model: it has no {MANIFEST}. Give the name of a model that ships"
            " with tfsepgan, a folder written by tfsepgan-export, or a run."
        )
    try:
        return msgspec.json.decode(path.read_bytes(), type=Manifest)
    except (ValueError, RecursionError) as error:
        raise CheckpointError(
            f"{path} is not a tfsepgan manifest: {error}. Export the model again."
        ) from error


def find_bundle(name_or_path: str | os.PathLike) -> Path:
    """The folder of a model.

    Args:
      name_or_path: of a run, of a model folder, or the name of a model that ships with the package.
    Raises: CheckpointError that lists the models that ship with the package.
    """
    path = Path(name_or_path)
    for folder in (path / "model", path):
        if (folder / MANIFEST).is_file():
            return folder
    shipped = shipped_models()
    if str(name_or_path) in shipped:
        return shipped[str(name_or_path)]
    known = ", ".join(sorted(shipped)) or "none"
    what = "has no manifest.json" if path.is_dir() else "does not exist"
    raise CheckpointError(
        f"No model {str(name_or_path)!r}: as a folder it {what}, and the models that ship with"
        f" tfsepgan are: {known}. Give one of those names, a folder written by tfsepgan-export, or"
        " a run."
    )


def shipped_models() -> dict[str, Path]:
    """The folders of the models that ship with the package, by name.

    They are inside the package in a wheel, and beside it in a checkout.
    """
    package = Path(tfsepgan.__file__).parent
    found = {}
    for root in (package.parent / "exported_models", package / "exported_models"):
        for manifest in sorted(root.glob(f"*/{MANIFEST}")):
            found[manifest.parent.name] = manifest.parent
    return found
