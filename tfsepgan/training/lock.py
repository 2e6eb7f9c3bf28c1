"""A lock on the folder of a run: two processes would overwrite each other's checkpoints."""

import contextlib
import os
from pathlib import Path

from filelock import FileLock, Timeout

from tfsepgan.errors import CheckpointError

LOCK = ".lock"
_held: dict[Path, FileLock] = {}


def hold(directory: Path) -> None:
    """Lock a folder for this process until `let_go` or the end of the process, even a kill.

    Raises: CheckpointError when another process holds the lock, or it cannot be written.
    """
    directory = Path(directory).resolve()
    if directory in _held:
        return
    path = directory / LOCK
    lock = FileLock(path, thread_local=False)
    try:
        lock.acquire(timeout=0)
    except Timeout as error:
        owner = path.read_text().strip() or "unknown"
        raise CheckpointError(
            f"Another process (number {owner}) trains in {directory}. Wait for it or stop it, or"
            " choose another --run folder."
        ) from error
    except NotImplementedError:  # a file system without locks
        return
    except OSError as error:
        raise CheckpointError(f"Could not write {path}: {error.strerror}.") from error
    with contextlib.suppress(OSError):  # Windows refuses to write a locked file
        path.write_text(str(os.getpid()))
    _held[directory] = lock


def let_go(directory: Path) -> None:
    """Unlock a folder; does nothing when this process does not hold it."""
    lock = _held.pop(Path(directory).resolve(), None)
    if lock:
        lock.release()
