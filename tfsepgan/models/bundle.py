"""A trained generator on disk: `manifest.json` (its description) and `model.keras` (its weights).

Loading rebuilds the network from the settings in the manifest and reads only arrays from
`model.keras`: no code, class name or path in a file is used.
"""

import os
import zipfile
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any, NamedTuple

import keras
import numpy as np

from tfsepgan.config import from_dict
from tfsepgan.errors import CheckpointError, ConfigError
from tfsepgan.layers.filterbank import for_inference
from tfsepgan.models.digests import BROKEN, WEIGHTS, check_digest, written_with_weights
from tfsepgan.models.folders import MANIFEST, Manifest, find_bundle, read_manifest
from tfsepgan.models.keras_state import built_in, refuse_after_fork
from tfsepgan.networks.table import build_generator, first_sources, generator_entry
from tfsepgan.settings.networks import GeneratorConfig

__all__ = [
    "MANIFEST",
    "WEIGHTS",
    "Bundle",
    "Manifest",
    "describe",
    "find_bundle",
    "load_bundle",
    "network_function",
    "read_manifest",
    "save_bundle",
]


class Bundle(NamedTuple):
    """A trained generator, `[batch, time, 1]` -> `[batch, sources, time, 1]`, and its manifest."""

    generator: keras.Model
    manifest: Manifest

    @property
    def why_not_exported(self) -> None:
        """None: every generator can be exported; compare `saved.TrainedSystem`."""
        return None

    def separate_function(self) -> Callable[[np.ndarray], np.ndarray]:
        """The generator as a function on arrays, see `network_function`."""
        return network_function(self.generator)

    def save(self, directory: str | os.PathLike[str]) -> None:
        """Write both files, see `save_bundle`."""
        save_bundle(Path(directory), self.generator, self.manifest)


def network_function(generator: keras.Model) -> Callable[[np.ndarray], np.ndarray]:
    """A generator as a function on arrays, traced once for all lengths and batch sizes.

    Args:
      generator: maps `[batch, time, 1]` to `[batch, sources, time, 1]`.
    Returns: the same function on NumPy arrays, in inference mode; it raises TfsepganError in a
      forked process.
    Raises: ConfigError when Keras runs on another backend than TensorFlow.
    """
    if keras.backend.backend() != "tensorflow":
        raise ConfigError(
            f"Keras runs on {keras.backend.backend()!r} here, and models on TensorFlow. Set"
            " KERAS_BACKEND=tensorflow before Keras is imported, or use the runtime 'litert'."
        )
    import tensorflow as tf

    @tf.function(input_signature=[tf.TensorSpec([None, None, 1], tf.float32)])
    def graph(mixture):
        return generator(mixture, training=False)

    with built_in("float32"), for_inference():
        traced = graph.get_concrete_function()

    def separate(mixture: np.ndarray) -> np.ndarray:
        refuse_after_fork()
        return traced(tf.constant(mixture)).numpy()

    return separate


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
      generator, config: the network that ships, and the settings it was built from.
      name, system, sample_rate_hz, sources, trained: fields of the manifest.
      outputs: number of outputs of the trained network, where it has more than `generator`.
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
    """Write both files; each takes its place once it is complete.

    Raises: CheckpointError when writing fails.
    """
    with written_with_weights(directory, manifest, WEIGHTS) as scratch:
        generator.save(scratch / WEIGHTS)


def load_bundle(directory: Path) -> Bundle:
    """Rebuild a generator and load its trained weights.

    Raises: CheckpointError when the folder is not a model that separates in one pass, or its
      weights are not those of its manifest, or do not fit it.
    """
    manifest = read_manifest(directory)
    if not manifest.separates_in_one_pass:
        raise CheckpointError(
            f"{directory} holds a {manifest.system} model; wanted a generator that separates in one"
            " pass."
        )
    weights = Path(directory) / WEIGHTS
    if not weights.is_file():
        raise CheckpointError(
            f"{directory} has a {MANIFEST} but no {WEIGHTS}. Export the model again."
        )
    check_digest(Path(directory), WEIGHTS)
    try:
        config = from_dict(GeneratorConfig, manifest.network_settings)
        _check_settings(config, manifest, weights)
        outputs = manifest.outputs or len(manifest.sources)
        with built_in("float32"):
            generator = build_generator(
                config, sources=outputs, sample_rate_hz=manifest.sample_rate_hz
            )
            generator = first_sources(generator, len(manifest.sources))
        generator.load_weights(weights)
    except (ConfigError, *BROKEN) as error:
        raise CheckpointError(
            f"The weights in {weights} do not fit its manifest: {str(error).rstrip('.')}. Export"
            " the model again."
        ) from error
    return Bundle(generator, manifest)


def _check_settings(config: GeneratorConfig, manifest: Manifest, weights: Path) -> None:
    """Raise ConfigError for settings that no network can have, or not one with these weights.

    A network that is far larger than its weights would fill the memory before they are read.
    """
    entry = generator_entry(config.kind)
    for problem in config.problems("network_settings"):
        raise ConfigError(problem)
    if manifest.hop != entry.hop(config) or manifest.context < entry.context(config):
        raise ConfigError(f"it needs hop {entry.hop(config)} and context {entry.context(config)}")
    with zipfile.ZipFile(weights) as archive:
        stored = sum(item.file_size for item in archive.infolist()) // 4  # float32
    least = config.blocks * config.channels**2  # every block has such a matrix, at least
    if least > stored:
        raise ConfigError(
            f"{config.blocks} blocks of {config.channels} channels have at least {least} weights,"
            f" and {WEIGHTS} holds at most {stored}"
        )
