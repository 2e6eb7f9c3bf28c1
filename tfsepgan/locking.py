"""Locks between processes; a lock ends with the process that holds it, even by a kill."""

import contextlib
import os
from pathlib import Path
from typing import Any


class InUse(Exception):
    """Another process holds a lock; the text is its number, or "unknown"."""


def locked(path: Path) -> Any:
    """Lock a file of its own, which is created and stays; it gets the number of this process.

    Returns: the lock, with a method `release`; None on a file system without locks.
    Raises: InUse when another process, or this one, holds the lock; OSError when the file cannot be
      written.
    """
    from filelock import FileLock, Timeout  # takes a while to load, and most commands lock nothing

    lock = FileLock(path, thread_local=False)
    try:
        lock.acquire(timeout=0)
    except Timeout as error:
        raise InUse(_owner(path)) from error
    except NotImplementedError:
        return None
    with contextlib.suppress(OSError):  # Windows refuses to write a locked file
        path.write_text(str(os.getpid()))
    return lock


def _owner(path: Path) -> str:
    with contextlib.suppress(OSError):
        return path.read_text().strip() or "unknown"
    return "unknown"
