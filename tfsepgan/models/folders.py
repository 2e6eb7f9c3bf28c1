"""Manifests of models, and where the models are; reads neither weights nor TensorFlow."""

import contextlib
import logging
import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec

import tfsepgan
from tfsepgan.audio.formats import RATES_HZ
from tfsepgan.dsp.low_rank import LowRank
from tfsepgan.errors import CheckpointError
from tfsepgan.files import put_folder_in_place

MANIFEST = "manifest.json"
AtLeastOne = Annotated[int, msgspec.Meta(ge=1)]
HUB = "hf://"  # in front of a repository on the Hugging Face Hub
MOST_SAMPLES = 1 << 24  # of hop and context: 6 minutes at 44.1 kHz
MOST_SOURCES = 256
CARD, HUB_CARD = "card.md", "README.md"  # the model card, and its name on the Hub
logger = logging.getLogger(__name__)


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
    # how a separator refines the estimates; None: it does not
    low_rank: LowRank | None = None

    def __post_init__(self) -> None:
        """Raises: ValueError for a number that no model has."""
        most = {"sample_rate_hz": RATES_HZ[1], "hop": MOST_SAMPLES, "context": MOST_SAMPLES}
        for name, high in (most | {"outputs": MOST_SOURCES}).items():
            value = getattr(self, name)
            if isinstance(value, bool) or (isinstance(value, int) and not 0 <= value <= high):
                raise ValueError(f"{name} is {value!r}; wanted a whole number up to {high}")

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


def find_bundle(name_or_path: str | os.PathLike[str]) -> Path:
    """The folder of a model.

    Args:
      name_or_path: the name of a model that ships with the package; a model folder, or a run; or
        "hf://user/name" (or "hf://user/name@revision"), which is downloaded from the Hugging Face
        Hub. A folder that has the name of a shipped model is written "./name".
    Raises: CheckpointError that lists the models that ship with the package; when a download fails.
    """
    name, path = os.fspath(name_or_path), Path(name_or_path)
    if name.startswith(HUB):
        return _from_hub(name)
    folders = [folder for folder in (path / "model", path) if (folder / MANIFEST).is_file()]
    shipped = shipped_models()
    if isinstance(name_or_path, str) and name in shipped:
        if folders:
            own = os.path.join(os.curdir, name)
            message = "%r is the model that ships with tfsepgan; write %r for the folder."
            logger.warning(message, name, own)
        return shipped[name]
    if folders:
        return folders[0]
    known = ", ".join(sorted(shipped)) or "none"
    what = f"has no {MANIFEST}" if path.is_dir() else "does not exist"
    raise CheckpointError(
        f"No model {name!r}: as a folder it {what}, and the models that ship with tfsepgan are:"
        f" {known}. Give one of those names, a folder written by tfsepgan-export, a run, or"
        f" {HUB}user/name."
    )


def _from_hub(name: str) -> Path:
    """Download a model, or find it in the cache of huggingface_hub."""
    try:
        from huggingface_hub import snapshot_download
    except ImportError as error:
        raise CheckpointError(
            f'{name} needs huggingface_hub. Install it: pip install "tfsepgan[hub]".'
        ) from error
    repository, _, revision = name.removeprefix(HUB).partition("@")
    try:
        return Path(snapshot_download(repository, revision=revision or None))
    except (OSError, ValueError) as error:
        reason = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise CheckpointError(
            f"{name} could not be downloaded: {reason}. Check its name and the connection."
        ) from error


def copy_bundle(folder: Path, target: str | os.PathLike[str]) -> None:
    """Copy a model with all its files; the card is also written as README.md, for the Hub.

    Args:
      folder: of the model.
      target: does not exist yet, or is an empty folder; it appears when it is complete.
    Raises: CheckpointError when the target holds anything, or writing fails.
    """
    target = Path(target)
    check_new_folder(target)
    with writing_a_model(target), put_folder_in_place(target) as made:
        shutil.copytree(folder, made)
        if (made / CARD).is_file():
            shutil.copy(made / CARD, made / HUB_CARD)


@contextlib.contextmanager
def writing_a_model(folder: Path) -> Iterator[None]:
    """Within this context, an OSError becomes a CheckpointError that names the folder."""
    try:
        yield
    except OSError as error:
        raise CheckpointError(
            f"Could not write the model to {folder}: {error.strerror or error}. Free some space or"
            " choose another folder."
        ) from error


def check_new_folder(path: str | os.PathLike[str]) -> None:
    """Raise CheckpointError unless the path does not exist or is an empty folder."""
    path = Path(path)
    if path.exists() and (not path.is_dir() or any(path.iterdir())):
        raise CheckpointError(f"{path} exists and is not an empty folder. Choose another one.")


def shipped_models() -> dict[str, Path]:
    """The folders of the models that ship with the package, by name.

    They are inside the package in a wheel, and beside it in a checkout.
    """
    package = Path(tfsepgan.__file__).parent
    return {
        manifest.parent.name: manifest.parent
        for place in (package.parent, package)
        for manifest in sorted(place.glob(f"exported_models/*/{MANIFEST}"))
    }
