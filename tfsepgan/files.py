"""Files that are whole or not there: written beside their place, brought to the disk, and only then
put in place. And their digests."""

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

HALF_WRITTEN = ".writing-"  # how names of what a killed process may leave behind begin
# a half-written file that old, in a folder of several processes, is nobody's
ABANDONED_SECONDS = 86_400
_PIECE = 1 << 20


def write_whole(path: Path, write: Callable[[BinaryIO], object], *, lasting: bool = True) -> None:
    """Call `write(file)` on a temporary file that takes the place of `path` once it is whole.

    Args:
      path: its folder is made if need be.
      lasting: wait until the disk has it, so that not even a power cut leaves half of it.
    Raises: OSError when the disk refuses, or what `write` raises; what was there before is then
      still there.
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
    """A folder to write files in, which take their places in `directory` once all of them are
    there.

    Args:
      directory: made if need be.
      names: of the files, in the order in which they are moved: one that says that all are there
        comes last.
    Yields: the folder to write in.
    Raises: OSError when the disk refuses.
    """
    directory = Path(directory)
    directory.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=directory, prefix=HALF_WRITTEN) as scratch:
        yield Path(scratch)
        for name in names:
            # Windows syncs only what may be written
            with open(Path(scratch) / name, "r+b") as file:
                os.fsync(file.fileno())
        for name in names:
            os.replace(Path(scratch) / name, directory / name)
    _sync_folder(directory)


def sha256_of(path: Path) -> str:
    """The SHA-256 of a file's bytes, as hexadecimal digits, a piece at a time.

    Raises: OSError when it cannot be read.
    """
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        while piece := file.read(_PIECE):
            digest.update(piece)
    return digest.hexdigest()


def remove_half_written(directory: Path, *, older_than_seconds: float = 0.0) -> None:
    """Remove what a killed process left in `directory`.

    Args:
      older_than_seconds: leaves younger files to processes that may still write them.
    Raises: OSError when the disk refuses.
    """
    for scratch in Path(directory).glob(f"{HALF_WRITTEN}*"):
        # it took its place, or another process removed it
        with contextlib.suppress(FileNotFoundError):
            if time.time() - scratch.stat().st_mtime < older_than_seconds:
                continue
            if scratch.is_dir():
                shutil.rmtree(scratch, ignore_errors=True)
            else:
                scratch.unlink(missing_ok=True)


def _sync_folder(directory: Path) -> None:
    """Bring a folder's list of names to the disk, where the system can."""
    if os.name != "posix":
        return
    with contextlib.suppress(OSError):  # some network disks refuse; the files themselves are there
        handle = os.open(directory, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
