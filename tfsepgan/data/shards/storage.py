"""Files of a folder on a disk, or at an address such as gs://bucket/folder.

fsspec reads and writes addresses, with one package for each kind: s3fs for s3://, gcsfs for gs://,
adlfs for az:// ... Access rights are configured as these packages require.
"""

import contextlib
import re
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from tfsepgan.errors import DataError, TfsepganError
from tfsepgan.files import put_in_place, remove_half_written

# at least two letters, because one letter is a Windows drive
_ADDRESS = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+://")


def is_address(place: str) -> bool:
    """True for SCHEME://..., which is not a path."""
    return _ADDRESS.match(place) is not None


class Storage:
    """The files of one folder.

    Its methods raise DataError when the folder cannot be reached, read or written.
    """

    def __init__(self, place: str):
        """Name a folder; nothing is read yet.

        Args:
          place: a path, or an address such as `gs://bucket/folder`.
        Raises: DataError when no installed package supports the address.
        """
        from fsspec.core import url_to_fs

        place = place.removeprefix("file://")
        self.place = place.rstrip("/") or "/"
        self.local = None if is_address(place) else Path(place)
        try:
            self._files, self._root = url_to_fs(self.place)
        except (ImportError, ValueError) as error:
            raise DataError(
                f"{place} cannot be reached ({error}). `pip install s3fs` adds s3://, gcsfs adds"
                " gs://, adlfs adds az://; or copy the folder to a disk and use that folder."
            ) from error

    def path(self, name: str) -> str:
        """The path or address of a file in the folder."""
        return f"{self.place}/{name}"

    def names(self) -> list[str]:
        """Names in the folder; empty if it does not exist."""
        with self._as_data_error("", "listed"):
            try:
                self._files.invalidate_cache()
                found = self._files.ls(self._root, detail=True)
            except FileNotFoundError:
                return []
            if [one["name"] for one in found if one["type"] == "file"] == [self._root]:
                raise NotADirectoryError("it is a file")
            return sorted(one["name"].rstrip("/").rpartition("/")[2] for one in found)

    def read(self, name: str) -> bytes | None:
        """The content of a small file; None if it does not exist."""
        with self._as_data_error(name, "read"):
            try:
                return self._files.cat_file(f"{self._root}/{name}")
            except FileNotFoundError:
                return None

    @contextlib.contextmanager
    def open(self, name: str) -> Iterator[BinaryIO]:
        """A file, to be read from its start."""
        with (
            self._as_data_error(name, "read"),
            self._files.open(f"{self._root}/{name}", "rb") as file,
        ):
            yield file

    def write(self, name: str, text: bytes) -> None:
        """Write a small file; on a disk, it appears complete or not at all."""
        with self.writing(name) as path:
            path.write_bytes(text)

    def remove(self, name: str) -> None:
        """Remove a file if it exists."""
        with self._as_data_error(name, "removed"), contextlib.suppress(FileNotFoundError):
            self._files.rm_file(f"{self._root}/{name}")

    @contextlib.contextmanager
    def writing(self, name: str) -> Iterator[Path]:
        """A local path for writing a file, which is moved to its place at the end."""
        with self._as_data_error(name, "written"):
            if self.local is not None:
                with put_in_place(self.local, [name]) as scratch:
                    yield scratch / name
                return
            self._files.makedirs(self._root, exist_ok=True)
            with tempfile.TemporaryDirectory(prefix="tfsepgan-") as scratch:
                yield Path(scratch) / name
                self._files.put_file(f"{scratch}/{name}", f"{self._root}/{name}")

    def clean(self) -> None:
        """Remove partial files of a killed process from a local folder."""
        if self.local is not None and self.local.is_dir():
            with self._as_data_error("", "cleaned"):
                remove_half_written(self.local)

    @contextlib.contextmanager
    def _as_data_error(self, name: str, doing: str) -> Iterator[None]:
        """Convert errors of disks, and all errors of fsspec's packages, to a DataError."""
        kinds = OSError if self.local is not None else Exception
        try:
            yield
        except TfsepganError:
            raise
        except kinds as error:
            text = (getattr(error, "strerror", None) or str(error)).strip()
            raise DataError(
                f"{self.path(name).rstrip('/')} cannot be {doing}"
                f" ({text.partition(chr(10))[0] or type(error).__name__}). Check that it exists,"
                " your access rights and the free space; then repeat the command, which continues"
                " where it stopped."
            ) from error
