"""The files of a run on JAX: states to resume from, and the model; see train_on_jax."""

import json
from pathlib import Path
from typing import Any

import keras
import numpy as np
from jax_trainer import SYSTEM, Trainer, new_generator

from tfsepgan.config import Experiment, to_dict
from tfsepgan.errors import CheckpointError
from tfsepgan.files import write_whole
from tfsepgan.models.bundle import describe, save_bundle


def write_state(directory: Path, trainer: Trainer, part_bytes: int) -> None:
    """Write all that a run resumes from, in files of at most `part_bytes`.

    Older files are removed once the new ones are complete.

    Raises: CheckpointError if a value is not finite; the state on disk is then the last good one.
    """
    arrays = {
        f"{name}/{i:04d}": np.asarray(v)
        for name, of in trainer.state.items()
        for i, v in enumerate(of)
    }
    bad = [
        name
        for name, values in arrays.items()
        if values.dtype.kind == "f" and not np.isfinite(values).all()
    ]
    if bad:
        raise CheckpointError(
            f"The weights are not finite ({bad[0]}). Use a lower learning_rate or a clip_norm."
        )
    parts: list[dict[str, np.ndarray]] = [{}]
    for name, values in arrays.items():
        if (
            parts[-1]
            and values.nbytes + sum(value.nbytes for value in parts[-1].values()) > part_bytes
        ):
            parts.append({})
        parts[-1][name] = values
    summary = {**trainer.progress, "parts": len(parts), "settings": to_dict(trainer.experiment)}
    step, old = trainer.progress["step"], list(directory.glob("state-*.npz"))
    for number, part in enumerate(parts):
        part["progress"] = np.frombuffer(json.dumps(summary).encode(), np.uint8)
        path = directory / f"state-{step}-{number}.npz"
        write_whole(path, lambda file, part=part: np.savez(file, **part))
        old = [other for other in old if other != path]
    for path in old:
        path.unlink()


def read_state(directory: Path) -> tuple[dict[str, np.ndarray], dict[str, Any]] | None:
    """The newest complete state in a folder, as arrays and progress; None if there is none."""
    found = [path.stem.split("-") for path in directory.glob("state-*-*.npz")]
    for step in sorted({int(name[1]) for name in found}, reverse=True):
        arrays, progress = {}, {}
        paths = sorted(directory.glob(f"state-{step}-*.npz"))
        for path in paths:
            with np.load(path, allow_pickle=False) as saved:
                arrays |= {name: saved[name] for name in saved.files}
            progress = json.loads(arrays.pop("progress").tobytes())
        if progress["parts"] == len(paths):
            return arrays, progress
    return None


def resume(trainer: Trainer, directories: list[Path | None], *, fitted: bool = False) -> None:
    """Load the first state that is found into a trainer.

    Args:
      directories: where to look, in this order; None is skipped.
      fitted: use the number of steps in the state, not that of the settings.
    Raises: CheckpointError if the state belongs to another network.
    """
    saved = next(
        (state for directory in directories if directory and (state := read_state(directory))), None
    )
    if saved is None:
        return
    arrays, progress = saved
    import jax

    wanted = {
        f"{name}/{i:04d}": value for name, of in trainer.state.items() for i, value in enumerate(of)
    }
    misfits = [
        name for name in wanted.keys() | arrays.keys() if name not in wanted or name not in arrays
    ]
    misfits = misfits or [name for name in wanted if wanted[name].shape != arrays[name].shape]
    if misfits:
        raise CheckpointError(
            f"The state belongs to another network: {sorted(misfits)[0]} does not fit. "
            "Use its settings, or another --run."
        )
    for name, values in trainer.state.items():
        trainer.state[name] = [
            jax.device_put(arrays[f"{name}/{i:04d}"]) for i in range(len(values))
        ]
    trainer.progress["step"], trainer.progress["seconds"] = progress["step"], progress["seconds"]
    trainer.progress["steps"] = progress["steps"] if fitted else trainer.experiment.training.steps


def write_model(
    directory: Path, experiment: Experiment, values: list[np.ndarray], facts: dict[str, Any]
) -> None:
    """Write the running mean (without `ema`: the weights) as a model of the package."""
    policy = keras.config.dtype_policy()
    keras.config.set_dtype_policy("float32")
    generator, data = new_generator(experiment), experiment.data
    keras.config.set_dtype_policy(policy)
    for variable, value in zip(generator.variables, values, strict=True):
        variable.assign(np.asarray(value))
    summary = {
        name: value
        for name, value in to_dict(experiment).items()
        if name not in ("generator", "cache", "data")
    }
    manifest = describe(
        generator,
        experiment.model.generator,
        name=experiment.preset,
        system=SYSTEM,
        sample_rate_hz=data.sample_rate_hz,
        sources=data.sources,
        trained={**facts, "settings": summary},
    )
    save_bundle(directory / "model", generator, manifest)
