"""Trained systems on disk: a generator as a bundle, any other kind as its settings and weights."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import keras
import numpy as np

from tfsepgan import systems
from tfsepgan.config import (
    RENAMED,
    DataConfig,
    Experiment,
    TrainingConfig,
    check,
    from_dict,
    to_dict,
)
from tfsepgan.errors import CheckpointError, ConfigError, TfsepganError
from tfsepgan.models.bundle import Bundle, describe, load_bundle, save_bundle
from tfsepgan.models.digests import BROKEN, check_digest, written_with_weights
from tfsepgan.models.folders import Manifest, find_bundle, read_manifest
from tfsepgan.models.keras_state import built_in, misfits
from tfsepgan.systems.base import SearchingSystem, SeparationSystem, System

WEIGHTS = "weights.npz"


class TrainedSystem(NamedTuple):
    """A trained system that searches or makes sounds, and its manifest; compare `Bundle`."""

    system: System
    manifest: Manifest

    @property
    def why_not_exported(self) -> str | None:
        """Why a searching system cannot be exported; None for one that makes sounds."""
        return self.system.why_not_exported

    def separate_function(self) -> Callable[[np.ndarray], np.ndarray]:
        """The search as a function on arrays, `[batch, time, 1]` to `[batch, sources, time, 1]`."""
        return self.system.separate

    def save(self, directory: str | os.PathLike[str]) -> None:
        """Write settings and weights, see `save_trained`."""
        save_trained(Path(directory), self.system, self.manifest.trained)


def save_trained(directory: Path, system: System, trained: dict[str, Any]) -> None:
    """Write the trained weights of a system to a model folder.

    Args:
      directory: of the model; `tfsepgan.load`, `load_trained` and the commands take it.
      system: the system that was trained.
      trained: facts for the manifest.
    Raises: CheckpointError when writing fails.
    """
    experiment = system.experiment
    if isinstance(system, SeparationSystem):
        manifest = describe(
            system.shipped,
            experiment.model.generator,
            name=experiment.preset,
            system=experiment.system,
            sample_rate_hz=experiment.data.sample_rate_hz,
            sources=system.sources,
            trained=trained,
            outputs=system.outputs,
        )
        save_bundle(directory, system.shipped, manifest)
        return
    searches = isinstance(system, SearchingSystem)
    manifest = Manifest(
        name=experiment.preset,
        system=experiment.system,
        network_settings={},
        sample_rate_hz=experiment.data.sample_rate_hz,
        sources=system.sources,
        hop=system.hop if searches else experiment.data.window,
        context=system.context if searches else 0,
        parameters=sum(network.count_params() for network in system.shipped.values()),
        trained=trained,
        kind=system.kind,
        settings=to_dict(experiment),
    )
    weights = {name: np.asarray(variable) for name, variable in _weights_of(system).items()}
    with written_with_weights(directory, manifest, WEIGHTS) as scratch:
        np.savez(scratch / WEIGHTS, **weights)


def load_trained(name_or_path: str | os.PathLike[str]) -> System:
    """Rebuild a system that searches or makes sounds from its settings, with its trained weights.

    The result cannot be trained further.

    Args:
      name_or_path: a run, or the folder of a model.
    Raises: CheckpointError when there is none, it is a generator, or its weights do not fit.
    """
    directory = find_bundle(name_or_path)
    manifest = read_manifest(directory)
    if manifest.separates_in_one_pass:
        raise CheckpointError(
            f"{directory} is a {manifest.system} model, which separates in one pass; wanted one"
            " that searches or makes sounds."
        )
    if (directory / WEIGHTS).is_file():
        check_digest(directory, WEIGHTS)
    try:
        experiment = experiment_from(manifest.settings)
        check(experiment)
        with built_in("float32"):
            system = systems.build(experiment)
        with np.load(directory / WEIGHTS, allow_pickle=False) as saved:
            arrays = {name: saved[name] for name in saved.files}
        wanted = _weights_of(system)
        if wrong := misfits(wanted, arrays):
            raise CheckpointError(f"{len(wrong)} of {len(wanted)} differ, {wrong[0]} first")
        for name, variable in wanted.items():
            variable.assign(arrays[name])
    except (TfsepganError, *BROKEN) as error:
        raise CheckpointError(
            f"The weights in {directory / WEIGHTS} do not fit its manifest:"
            f" {str(error).rstrip('.')}. Train it again."
        ) from error
    return system


def open_model(name_or_path: str | os.PathLike[str]) -> Bundle | TrainedSystem:
    """Open a trained model of any kind, with its manifest.

    Returns: a Bundle for a generator, a TrainedSystem for a system that searches or makes sounds.
    Raises: CheckpointError when there is none, or its weights do not fit.
    """
    folder = find_bundle(name_or_path)
    manifest = read_manifest(folder)
    if manifest.separates_in_one_pass:
        return load_bundle(folder)
    return TrainedSystem(load_trained(folder), manifest)


def start_from(system: System, name_or_path: str | os.PathLike[str]) -> None:
    """Copy the weights of a trained model into a system before its first step.

    Raises: CheckpointError when there is no such model; ConfigError when its networks differ from
      those of the system.
    """
    model, manifest = open_model(name_or_path)
    try:
        if manifest.kind != system.kind:
            raise ValueError(f"it is a {manifest.system} model")
        if isinstance(system, SearchingSystem):
            for name, network in system.shipped.items():
                # the network that ships, and the one that is trained
                for target in (network, getattr(system, name, network)):
                    target.set_weights(model.shipped[name].get_weights())
        else:
            saved = model if isinstance(system, SeparationSystem) else model.ema_generator
            for network in (system.generator, system.ema_generator):
                network.set_weights(saved.get_weights())
    except (ValueError, KeyError) as error:
        raise ConfigError(
            f"{name_or_path} cannot start this run: its generator has other shapes ({error}). Use"
            f" the settings it was trained with: {manifest.network_settings or manifest.settings}."
        ) from error


def experiment_from(flat: dict[str, Any]) -> Experiment:
    """The experiment of a flat dictionary, the inverse of `config.to_dict`.

    Raises: ConfigError for an unknown setting; KeyError without `system` or `preset`.
    """
    flat = {RENAMED.get(key, key): value for key, value in flat.items()}
    system, preset = flat.pop("system"), flat.pop("preset")
    kinds = {"data": DataConfig, "training": TrainingConfig, "model": systems.settings_type(system)}
    sections = {}
    for name, kind in kinds.items():
        known = kind.__dataclass_fields__
        sections[name] = from_dict(kind, {key: flat.pop(key) for key in list(flat) if key in known})
    if flat:
        raise ConfigError(f"its settings have an unknown {sorted(flat)[0]!r}")
    return Experiment(system=system, preset=preset, **sections)


def _weights_of(system: System) -> dict[str, keras.Variable]:
    return {
        f"{name}/{index:04d}": variable
        for name, network in system.shipped.items()
        for index, variable in enumerate(network.variables)
        if variable.dtype != "string" and "seed_generator" not in variable.path
    }
