"""The checkpoint of a run: everything that resuming needs, in one file.

It holds the weights, every optimizer, running means, seeds, the step and the scores. A new
checkpoint replaces the old one only when it is completely written.
"""

import contextlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from tfsepgan.errors import CheckpointError
from tfsepgan.files import write_whole
from tfsepgan.models.digests import BROKEN
from tfsepgan.models.keras_state import misfits

STATE = "state.npz"
PROGRESS = "progress"


def variables_of(system) -> dict[str, Any]:
    """Every variable of a run's state, by a name that does not depend on the session.

    Returns: `{"system/0003": variable, "generator_optimizer/0000": variable, ...}`, without the
      running means of logged losses.
    """
    logged = {id(variable) for tracker in system.metrics for variable in tracker.variables}
    groups = {"system": [variable for variable in system.variables if id(variable) not in logged]}
    for player, optimizer in system.optimizers.items():
        groups[f"{player}_optimizer"] = optimizer.variables
    return {
        f"{group}/{index:04d}": variable
        for group, variables in groups.items()
        for index, variable in enumerate(variables)
    }


def write_atomically(path: Path, write) -> None:
    """`files.write_whole` for a file of a run.

    Raises: CheckpointError when the file cannot be written; the old file is then unchanged.
    """
    with writing(path):
        write_whole(path, write)


@contextlib.contextmanager
def writing(path: Path) -> Iterator[None]:
    """Within this context, an OSError becomes a CheckpointError that names the file of a run."""
    try:
        yield
    except OSError as error:
        raise CheckpointError(
            f"Could not write {path}: {error.strerror or error}. Free some space or choose another"
            " --run folder; what was there before is unchanged."
        ) from error


def check_finite(system) -> None:
    """Check that every variable is finite.

    Raises: CheckpointError when one is not; the last checkpoint is then the last good state.
    """
    arrays = {name: np.asarray(variable) for name, variable in variables_of(system).items()}
    bad = [
        name
        for name, values in arrays.items()
        if values.dtype.kind == "f" and not np.isfinite(values).all()
    ]
    if bad:
        raise CheckpointError(
            f"The weights stopped being finite ({bad[0]} and {len(bad) - 1} more), so they were not"
            " saved; the last checkpoint is still good. Try a lower --learning-rate or a"
            " --clip-norm."
        )


def save_state(directory: Path, system, progress: dict[str, Any]) -> None:
    """Write the checkpoint of a run in place of the last one.

    Args:
      progress: JSON values: step, epoch, best score, history.
    Raises: CheckpointError when a variable is not finite or the file cannot be written; the last
      checkpoint is then unchanged.
    """
    check_finite(system)
    arrays = {name: np.asarray(variable) for name, variable in variables_of(system).items()}
    arrays[PROGRESS] = np.frombuffer(json.dumps(progress).encode(), dtype=np.uint8)
    write_atomically(Path(directory) / STATE, lambda file: np.savez(file, **arrays))


def restore_state(directory: Path, system) -> dict[str, Any] | None:
    """Load the checkpoint of a run into its system.

    Returns: the progress that was saved; None without a checkpoint.
    Raises: CheckpointError when the file is damaged or belongs to another network.
    """
    path = Path(directory) / STATE
    if not path.exists():
        return None
    wanted = variables_of(system)
    try:
        with np.load(path, allow_pickle=False) as saved:
            arrays = {name: saved[name] for name in saved.files}
        progress = json.loads(arrays.pop(PROGRESS).tobytes())
    except BROKEN as error:
        raise CheckpointError(
            f"{path} is damaged: {error}. Remove it to start the run again, or restore it."
        ) from error
    if wrong := misfits(wanted, arrays):
        raise CheckpointError(
            f"{path} does not fit this system: {len(wrong)} of {len(wanted)} variables differ, "
            f"{wrong[0]} first. Start a new run in another --run folder."
        )
    for name, variable in wanted.items():
        variable.assign(arrays[name])
    return progress
