"""What a system learnt, on disk and back: a generator as a bundle, any other kind as its settings
and weights."""

import json
import os
import zipfile
from dataclasses import asdict
from pathlib import Path
from typing import Any

import keras
import numpy as np

from tfsepgan import systems
from tfsepgan.config import DataConfig, Experiment, TrainingConfig, from_dict, to_dict
from tfsepgan.errors import CheckpointError, ConfigError, TfsepganError
from tfsepgan.files import put_in_place
from tfsepgan.models.bundle import Bundle, describe, load_bundle, save_bundle
from tfsepgan.models.folders import MANIFEST, Manifest, find_bundle, read_manifest
from tfsepgan.systems.base import System

WEIGHTS = "weights.npz"
# What building and reading raise when settings or weights are not those of a model.
_BROKEN = (
    TfsepganError,
    ValueError,
    OSError,
    LookupError,
    TypeError,
    AttributeError,
    zipfile.BadZipFile,
    EOFError,
)


def save_trained(directory: Path, system: System, trained: dict[str, Any]) -> None:
    """Write what a system learnt to a folder that `tfsepgan.load`, `load_trained` and the commands
    take.

    Args:
      trained: facts for the manifest.
    Raises: CheckpointError when the disk refuses.
    """
    experiment = system.experiment
    if system.kind == "generator":
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
    manifest = Manifest(
        name=experiment.preset,
        system=experiment.system,
        network_settings={},
        sample_rate_hz=experiment.data.sample_rate_hz,
        sources=system.sources,
        hop=getattr(system, "hop", 1) if system.kind == "search" else experiment.data.window,
        context=system.context if system.kind == "search" else 0,
        parameters=sum(network.count_params() for network in system.shipped.values()),
        trained=trained,
        kind=system.kind,
        settings=to_dict(experiment),
    )
    _write(Path(directory), _weights_of(system), manifest)


def load_trained(name_or_path: str | os.PathLike) -> System:
    """A trained system that searches or makes sounds, rebuilt from its settings, with its weights;
    not to be trained on.

    Args:
      name_or_path: a run, or the folder of a model.
    Raises: CheckpointError when there is none, it is of another kind, or its weights do not fit.
    """
    directory = find_bundle(name_or_path)
    manifest = read_manifest(directory)
    if manifest.kind == "generator":
        raise CheckpointError(
            f"{directory} is a {manifest.system} model, which separates in one pass; wanted one"
            " that makes sounds or searches."
        )
    try:
        system = systems.build(experiment_from(manifest.settings))
        with np.load(directory / WEIGHTS, allow_pickle=False) as saved:
            arrays = {name: saved[name] for name in saved.files}
        wanted = _weights_of(system)
        wrong = [name for name in wanted.keys() | arrays.keys() if not _fits(name, wanted, arrays)]
        if wrong:
            raise CheckpointError(f"{len(wrong)} of {len(wanted)} differ, {sorted(wrong)[0]} first")
        for name, variable in wanted.items():
            variable.assign(arrays[name])
    except _BROKEN as error:
        raise CheckpointError(
            f"The weights in {directory / WEIGHTS} do not fit its manifest:"
            f" {str(error).rstrip('.')}. Train it again."
        ) from error
    return system


def open_model(name_or_path: str | os.PathLike) -> Bundle:
    """A trained model of any kind: its generator, or the system where that searches or makes
    sounds, and its manifest.

    Raises: CheckpointError when there is none, or its weights do not fit.
    """
    folder = find_bundle(name_or_path)
    manifest = read_manifest(folder)
    return (
        load_bundle(folder)
        if manifest.kind == "generator"
        else Bundle(load_trained(folder), manifest)
    )


def start_from(system: System, name_or_path: str | os.PathLike) -> None:
    """Give a system that was not trained yet the weights of a trained model.

    Raises: CheckpointError when there is no such model; ConfigError when its networks are not like
      the system's.
    """
    model, manifest = open_model(name_or_path)
    try:
        if manifest.kind != system.kind:
            raise ValueError(f"it is a {manifest.system} model")
        if system.kind == "search":
            for name, network in system.shipped.items():
                # what ships, and what learns and is followed
                for taking in (network, getattr(system, name, network)):
                    taking.set_weights(model.shipped[name].get_weights())
        else:
            theirs = model if system.kind == "generator" else model.ema_generator
            for network in (system.generator, system.ema_generator):
                network.set_weights(theirs.get_weights())
    except (ValueError, KeyError) as error:
        raise ConfigError(
            f"{name_or_path} cannot start this run: its generator has other shapes ({error}). Use"
            f" the settings it was trained with: {manifest.network_settings or manifest.settings}."
        ) from error


def experiment_from(flat: dict[str, Any]) -> Experiment:
    """The experiment of a flat dictionary, as `config.to_dict` gives it.

    Raises: ConfigError for settings that there are none of; KeyError without the names of system
      and preset.
    """
    flat = dict(flat)
    system, preset = flat.pop("system"), flat.pop("preset")
    kinds = {"data": DataConfig, "training": TrainingConfig, "model": systems.settings_type(system)}
    sections = {}
    for name, kind in kinds.items():
        known = kind.__dataclass_fields__
        sections[name] = from_dict(kind, {key: flat.pop(key) for key in list(flat) if key in known})
    if flat:
        raise ConfigError(f"its settings have an unknown {sorted(flat)[0]!r}")
    return Experiment(system=system, preset=preset, **sections)


def _fits(name: str, wanted: dict, arrays: dict) -> bool:
    return name in wanted and name in arrays and tuple(wanted[name].shape) == arrays[name].shape


def _weights_of(system: System) -> dict[str, keras.Variable]:
    return {
        f"{name}/{index:04d}": variable
        for name, network in system.shipped.items()
        for index, variable in enumerate(network.variables)
        if variable.dtype != "string" and "seed_generator" not in variable.path
    }


def _write(directory: Path, weights: dict[str, keras.Variable], manifest: Manifest) -> None:
    try:
        with put_in_place(directory, (WEIGHTS, MANIFEST)) as scratch:
            np.savez(
                scratch / WEIGHTS,
                **{name: np.asarray(variable) for name, variable in weights.items()},
            )
            (scratch / MANIFEST).write_text(json.dumps(asdict(manifest), indent=2) + "\n")
    except OSError as error:
        raise CheckpointError(
            f"Could not write the model to {directory}: {error.strerror or error}. "
            "Free some space or choose another folder."
        ) from error
