"""A lock on the folder of a run: two processes would overwrite each other's checkpoints."""

import os
from pathlib import Path
from typing import IO

from tfsepgan.errors import CheckpointError

LOCK = ".lock"
_held: dict[Path, IO[str]] = {}


def hold(directory: Path) -> None:
    """Lock a folder for this process until `let_go` or the end of the process, even a kill.

    Raises: CheckpointError when another process holds the lock.
    """
    directory = Path(directory).resolve()
    if directory in _held or os.name != "posix":  # no lock on other systems
        return
    import fcntl

    try:
        # The lock lasts as long as the file is open.
        file = open(directory / LOCK, "a+")  # noqa: SIM115
    except OSError as error:
        raise CheckpointError(f"Could not write {directory / LOCK}: {error.strerror}.") from error
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        file.seek(0)
        owner = file.read().strip() or "unknown"
        file.close()
        raise CheckpointError(
            f"Another process (number {owner}) trains in {directory}. Wait for it or stop it, or"
            " choose another --run folder."
        ) from error
    except OSError:  # a file system without locks
        file.close()
        return
    file.truncate(0)
    file.write(str(os.getpid()))
    file.flush()
    _held[directory] = file


def let_go(directory: Path) -> None:
    """Unlock a folder; does nothing when this process does not hold it."""
    file = _held.pop(Path(directory).resolve(), None)
    if file:
        file.close()
