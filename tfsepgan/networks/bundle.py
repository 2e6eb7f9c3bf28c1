"""A trained generator on disk: `manifest.json` (what it is) beside `model.keras` (its weights).

Loading rebuilds the network from the manifest's settings and takes nothing but arrays from `model.keras`: no code, class
name or path from a file is ever followed.
"""

import json
import os
import tempfile
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any, NamedTuple

import keras

import tfsepgan
from tfsepgan.config import from_dict
from tfsepgan.errors import CheckpointError, ConfigError
from tfsepgan.networks.table import build_generator, generator_entry
from tfsepgan.settings.networks import GeneratorConfig

MANIFEST = "manifest.json"
WEIGHTS = "model.keras"


@dataclass(frozen=True, kw_only=True)
class Manifest:
    """What a trained generator is and how it may be used."""

    name: str
    system: str
    network_settings: dict[str, Any]
    sample_rate_hz: int
    sources: tuple[str, ...]
    hop: int  # samples
    context: int  # samples
    parameters: int
    trained: dict[str, Any] = field(default_factory=dict)
    tfsepgan_version: str = tfsepgan.__version__

    @property
    def network(self) -> str:
        """The generator's kind."""
        return self.network_settings["kind"]


class Bundle(NamedTuple):
    """A trained generator, `[batch, time, 1]` -> `[batch, sources, time, 1]`, and what it is."""

    generator: keras.Model
    manifest: Manifest


def describe(
    generator: keras.Model,
    config: GeneratorConfig,
    *,
    name: str,
    system: str,
    sample_rate_hz: int,
    sources: tuple[str, ...],
    trained: dict[str, Any],
) -> Manifest:
    """Fill in a manifest from a generator and its settings."""
    entry = generator_entry(config.kind)
    return Manifest(
        name=name,
        system=system,
        network_settings=asdict(config),
        sample_rate_hz=sample_rate_hz,
        sources=tuple(sources),
        hop=entry.hop(config),
        context=entry.context(config),
        parameters=generator.count_params(),
        trained=trained,
    )


def save_bundle(directory: Path, generator: keras.Model, manifest: Manifest) -> None:
    """Write both files, each whole or not at all.

    Raises: CheckpointError when the disk refuses.
    """
    directory = Path(directory)
    try:
        directory.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=directory, prefix=".writing-") as scratch:
            generator.save(Path(scratch) / WEIGHTS)
            (Path(scratch) / MANIFEST).write_text(json.dumps(asdict(manifest), indent=2) + "\n")
            for name in (WEIGHTS, MANIFEST):
                os.replace(Path(scratch) / name, directory / name)
    except OSError as error:
        raise CheckpointError(
            f"Could not write the model to {directory}: {error.strerror or error}. Free some space or choose another folder."
        ) from error


def read_manifest(directory: Path) -> Manifest:
    """Read `manifest.json`.

    Raises: CheckpointError when it is missing, is not JSON, or misses what a model needs.
    """
    path = Path(directory) / MANIFEST
    if not path.is_file():
        raise CheckpointError(
            f"{directory} is not a model: it has no {MANIFEST}. Give the name of a model that ships with tfsepgan, "
            "a folder written by tfsepgan-export, or a run."
        )
    try:
        values = json.loads(path.read_text())
        known = {item.name for item in fields(Manifest)}
        kept = {key: value for key, value in values.items() if key in known}
        return Manifest(**{**kept, "sources": tuple(kept["sources"])})
    except (ValueError, TypeError, KeyError, AttributeError, UnicodeDecodeError) as error:
        raise CheckpointError(f"{path} is not a tfsepgan manifest: {error}. Export the model again.") from error


def load_bundle(directory: Path) -> Bundle:
    """Rebuild a generator and give it its trained weights.

    Raises: CheckpointError when the folder is not a model, or its weights do not fit its manifest.
    """
    manifest = read_manifest(directory)
    weights = Path(directory) / WEIGHTS
    if not weights.is_file():
        raise CheckpointError(f"{directory} has a {MANIFEST} but no {WEIGHTS}. Export the model again.")
    try:
        config = from_dict(GeneratorConfig, manifest.network_settings)
        generator = build_generator(
            config, sources=len(manifest.sources), sample_rate_hz=manifest.sample_rate_hz
        )
        generator.load_weights(weights)
    except (ConfigError, ValueError, OSError, KeyError, TypeError) as error:
        raise CheckpointError(
            f"The weights in {weights} do not fit its manifest: {error}. Export the model again."
        ) from error
    return Bundle(generator, manifest)


def find_bundle(name_or_path: str | os.PathLike) -> Path:
    """The folder of a model: one that ships with the package, by name; a run's best; or a path as it is.

    Raises: CheckpointError that lists the models there are.
    """
    given = Path(name_or_path)
    for folder in (given / "best", given):
        if (folder / MANIFEST).is_file():
            return folder
    shipped = shipped_models()
    if str(name_or_path) in shipped:
        return shipped[str(name_or_path)]
    known = ", ".join(sorted(shipped)) or "none"
    what = "has no manifest.json" if given.is_dir() else "does not exist"
    raise CheckpointError(
        f"No model {str(name_or_path)!r}: as a folder it {what}, and the models that ship with tfsepgan are: {known}. "
        "Give one of those names, a folder written by tfsepgan-export, or a run."
    )


def shipped_models() -> dict[str, Path]:
    """Models that come with the package, by name: beside it in the wheel, at the top of a checkout."""
    package = Path(tfsepgan.__file__).parent
    found = {}
    for root in (package.parent / "exported_models", package / "exported_models"):
        for manifest in sorted(root.glob(f"*/{MANIFEST}")):
            found[manifest.parent.name] = manifest.parent
    return found
