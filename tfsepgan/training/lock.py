"""A lock on the folder of a run: two processes would overwrite each other's checkpoints."""

from pathlib import Path
from typing import Any

from tfsepgan.errors import CheckpointError
from tfsepgan.locking import InUse, locked

LOCK = ".lock"
_held: dict[Path, Any] = {}


def hold(directory: Path) -> None:
    """Lock a folder for this process until `let_go` or the end of the process, even a kill.

    Raises: CheckpointError when another process holds the lock, or it cannot be written.
    """
    directory = Path(directory).resolve()
    if directory in _held:
        return
    path = directory / LOCK
    try:
        lock = locked(path)
    except InUse as error:
        raise CheckpointError(
            f"Another process (number {error}) trains in {directory}. Wait for it or stop it, or"
            " choose another --run folder."
        ) from error
    except OSError as error:
        raise CheckpointError(f"Could not write {path}: {error.strerror}.") from error
    if lock is not None:
        _held[directory] = lock


def let_go(directory: Path) -> None:
    """Unlock a folder; does nothing when this process does not hold it."""
    lock = _held.pop(Path(directory).resolve(), None)
    if lock:
        lock.release()
