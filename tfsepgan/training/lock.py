"""One process at a time in a run's folder: two would overwrite each other's checkpoints."""

import os
from pathlib import Path
from typing import IO

from tfsepgan.errors import CheckpointError

LOCK = ".lock"
_held: dict[Path, IO[str]] = {}


def hold(directory: Path) -> None:
    """Keep a run's folder for this process until it lets go or ends, however it ends.

    Raises: CheckpointError when another process has it.
    """
    directory = Path(directory).resolve()
    if directory in _held or os.name != "posix":  # elsewhere it is left to people
        return
    import fcntl

    try:
        file = open(directory / LOCK, "a+")  # noqa: SIM115  the lock lasts as long as the file is open
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
    except OSError:  # a disk that knows no locks
        file.close()
        return
    file.truncate(0)
    file.write(str(os.getpid()))
    file.flush()
    _held[directory] = file


def let_go(directory: Path) -> None:
    """Give a folder back; of no consequence where it is not held."""
    file = _held.pop(Path(directory).resolve(), None)
    if file:
        file.close()
