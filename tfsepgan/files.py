"""All-or-nothing writing of files and folders, digests of files, and the files of a folder.

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
from typing import BinaryIO, NoReturn

from tfsepgan.errors import DataError

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


@contextlib.contextmanager
def put_folder_in_place(target: Path) -> Iterator[Path]:
    """Make a new folder completely or not at all.

    Args:
      target: does not exist, or is an empty folder; its parents are created.
    Yields: a path to create the folder at; it is moved to `target` at the end of the `with` block.
    Raises: OSError when the disk refuses.
    """
    target = Path(target)
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=HALF_WRITTEN) as scratch:
        made = Path(scratch) / "made"
        yield made
        if target.is_dir():
            target.rmdir()
        os.replace(made, target)


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of a file as hexadecimal digits; reads 1 MiB at a time.

    Raises: OSError when the file cannot be read.
    """
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        while piece := file.read(_PIECE):
            digest.update(piece)
    return digest.hexdigest()


def files_below(
    directory: Path,
    *,
    unreadable: Callable[[Path, OSError], object],
    enter: Callable[[Path, Sequence[str]], bool] = lambda folder, beside: True,
) -> Iterator[Path]:
    """The files below a folder, ordered by name; links to folders are followed except in a circle.

    Args:
      directory: the folder.
      unreadable: called with each folder that cannot be read, and its error.
      enter: whether to search a folder; also called with the names of the files beside it.
    Yields: files, also hidden ones, and hidden folders, which are not searched.
    """
    yield from _files_below(Path(directory), (), unreadable, enter)


def _files_below(
    folder: Path,
    above: tuple[str, ...],
    unreadable: Callable[[Path, OSError], object],
    enter: Callable[[Path, Sequence[str]], bool],
) -> Iterator[Path]:
    above = (*above, os.path.realpath(folder))
    try:
        with os.scandir(folder) as found:
            entries = sorted(found, key=lambda entry: entry.name)
    except OSError as error:
        unreadable(folder, error)
        return
    folders, closed = set(), set()
    for entry in entries:
        try:
            if entry.is_dir() and not entry.name.startswith("."):
                folders.add(entry.name)
        except OSError as error:  # a link to a place that cannot be read
            unreadable(folder / entry.name, error)
            closed.add(entry.name)
    files = [entry.name for entry in entries if entry.name not in folders | closed]
    for entry in entries:
        path = folder / entry.name
        if entry.name in closed:
            continue
        if entry.name not in folders:
            yield path
        elif os.path.realpath(path) not in above and enter(path, files):
            yield from _files_below(path, above, unreadable, enter)


def unreadable_folder(folder: Path, error: OSError) -> str:
    """One sentence on a folder that cannot be read."""
    return f"{folder} cannot be read ({error.strerror or error}). Check its permissions."


def refuse_unreadable(folder: Path, error: OSError) -> NoReturn:
    """Raise DataError for a folder that cannot be read, as `files_below` may call it."""
    raise DataError(unreadable_folder(folder, error)) from error


def readable_size(size_bytes: float) -> str:
    """A number of bytes in the largest unit that leaves at least one, such as 3.20 MB."""
    for unit in ("bytes", "kB", "MB"):
        if size_bytes < 1000:
            return f"{size_bytes:.0f} bytes" if unit == "bytes" else f"{size_bytes:.2f} {unit}"
        size_bytes /= 1000
    return f"{size_bytes:.2f} GB"


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
