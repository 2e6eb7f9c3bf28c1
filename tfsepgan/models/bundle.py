"""A trained generator on disk: `manifest.json` (what it is) beside `model.keras` (its weights).

Loading rebuilds the network from the manifest's settings and takes nothing but arrays from
`model.keras`: no code, class name or path from a file is ever followed.
"""

import json
import zipfile
from dataclasses import asdict
from pathlib import Path
from typing import Any, NamedTuple

import keras

from tfsepgan.config import from_dict
from tfsepgan.errors import CheckpointError, ConfigError
from tfsepgan.files import put_in_place
from tfsepgan.models.folders import MANIFEST, Manifest, find_bundle, read_manifest
from tfsepgan.networks.table import build_generator, first_sources, generator_entry
from tfsepgan.settings.networks import GeneratorConfig

WEIGHTS = "model.keras"
# What building and reading raise when settings or weights are not those of a model.
_BROKEN = (
    ConfigError,
    ValueError,
    OSError,
    LookupError,
    TypeError,
    AttributeError,
    ArithmeticError,
    zipfile.BadZipFile,
)

__all__ = [
    "MANIFEST",
    "WEIGHTS",
    "Bundle",
    "Manifest",
    "describe",
    "find_bundle",
    "load_bundle",
    "read_manifest",
    "save_bundle",
]


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
    outputs: int = 0,
) -> Manifest:
    """Fill in a manifest from a generator and its settings.

    Args:
      outputs: of the generator that was trained, where they are more than the sources that
        `generator` gives.
    """
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
        outputs=outputs,
    )


def save_bundle(directory: Path, generator: keras.Model, manifest: Manifest) -> None:
    """Write both files, each whole or not at all.

    Raises: CheckpointError when the disk refuses.
    """
    directory = Path(directory)
    try:
        with put_in_place(directory, (WEIGHTS, MANIFEST)) as scratch:
            generator.save(scratch / WEIGHTS)
            (scratch / MANIFEST).write_text(json.dumps(asdict(manifest), indent=2) + "\n")
    except OSError as error:
        raise CheckpointError(
            f"Could not write the model to {directory}: {error.strerror or error}. "
            "Free some space or choose another folder."
        ) from error


def load_bundle(directory: Path) -> Bundle:
    """Rebuild a generator and give it its trained weights.

    Raises: CheckpointError when the folder is not a model, or its weights do not fit its manifest.
    """
    manifest = read_manifest(directory)
    if manifest.kind != "generator":
        raise CheckpointError(
            f"{directory} is no generator that separates in one pass but a {manifest.system} model."
        )
    weights = Path(directory) / WEIGHTS
    if not weights.is_file():
        raise CheckpointError(
            f"{directory} has a {MANIFEST} but no {WEIGHTS}. Export the model again."
        )
    try:
        config = from_dict(GeneratorConfig, manifest.network_settings)
        outputs = manifest.outputs or len(manifest.sources)
        generator = build_generator(config, sources=outputs, sample_rate_hz=manifest.sample_rate_hz)
        generator = first_sources(generator, len(manifest.sources))
        entry = generator_entry(config.kind)
        if manifest.hop != entry.hop(config) or manifest.context < entry.context(config):
            raise ConfigError(
                f"it needs hop {entry.hop(config)} and context {entry.context(config)}"
            )
        generator.load_weights(weights)
    except _BROKEN as error:
        raise CheckpointError(
            f"The weights in {weights} do not fit its manifest: {str(error).rstrip('.')}. Export"
            " the model again."
        ) from error
    return Bundle(generator, manifest)
