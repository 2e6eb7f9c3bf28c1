"""All-or-nothing writing of files and folders, and digests of files.

A file is written under a temporary name in the same folder, synced to the disk, and only then
renamed.
"""

import contextlib
import hashlib
import os
import shutil
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import BinaryIO

HALF_WRITTEN = ".writing-"  # prefix of temporary names; a killed process may leave such files
# in a folder shared by processes, a half-written file of this age belongs to a killed one
ABANDONED_SECONDS = 86_400
_PIECE = 1 << 20


def write_whole(path: Path, write: Callable[[BinaryIO], object], *, lasting: bool = True) -> None:
    """Write a file completely or not at all.

    Args:
      path: the file; its folder is created if it is missing.
      write: called with a temporary binary file, which replaces `path` when it returns.
      lasting: sync to the disk, so that even a power cut leaves no half-written file.
    Raises: OSError when the disk refuses, or what `write` raises. The old file is then unchanged.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    scratch = path.with_name(f"{HALF_WRITTEN}{path.name}-{os.getpid()}-{threading.get_ident()}")
    try:
        with open(scratch, "wb") as file:
            write(file)
            if lasting:
                file.flush()
                os.fsync(file.fileno())
        os.replace(scratch, path)
    finally:
        with contextlib.suppress(OSError):
            scratch.unlink()
    if lasting:
        _sync_folder(path.parent)


@contextlib.contextmanager
def put_in_place(directory: Path, names: Sequence[str]) -> Iterator[Path]:
    """Write several files of a folder completely or not at all.

    Args:
      directory: the folder of the files; created if it is missing.
      names: names of the files, in the order in which they are moved to `directory`. A file that
        marks the others as complete, such as a manifest, comes last.
    Yields: a temporary folder to write the files in; they are moved at the end of the `with` block.
    Raises: OSError when the disk refuses.
    """
    directory = Path(directory)
    directory.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=directory, prefix=HALF_WRITTEN) as scratch:
        yield Path(scratch)
        for name in names:
            # Windows syncs only files that are open for writing
            with open(Path(scratch) / name, "r+b") as file:
                os.fsync(file.fileno())
        for name in names:
            os.replace(Path(scratch) / name, directory / name)
    _sync_folder(directory)


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of a file as hexadecimal digits; reads 1 MiB at a time.

    Raises: OSError when the file cannot be read.
    """
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        while piece := file.read(_PIECE):
            digest.update(piece)
    return digest.hexdigest()


def remove_half_written(directory: Path, *, older_than_seconds: float = 0.0) -> None:
    """Remove half-written files and folders that killed processes left in `directory`.

    Args:
      directory: the folder; folders below it are not searched.
      older_than_seconds: smallest age of what is removed; a running process may still write younger
        files.
    Raises: OSError when the disk refuses.
    """
    for scratch in Path(directory).glob(f"{HALF_WRITTEN}*"):
        # renamed since, or removed by another process
        with contextlib.suppress(FileNotFoundError):
            if time.time() - scratch.stat().st_mtime < older_than_seconds:
                continue
            if scratch.is_dir():
                shutil.rmtree(scratch, ignore_errors=True)
            else:
                scratch.unlink(missing_ok=True)


def _sync_folder(directory: Path) -> None:
    """Sync the entries of a folder to the disk, where the operating system supports it."""
    if os.name != "posix":
        return
    with contextlib.suppress(OSError):  # some network disks refuse; the files are synced already
        handle = os.open(directory, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
