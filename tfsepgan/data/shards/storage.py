"""Files of a folder on a disk, or at an address such as gs://bucket/folder.

TensorFlow itself supports gs://. tensorflow-io adds s3://, az://, hdfs:// and http://, and is
imported only for these. Access rights are configured as these file systems require (for S3:
AWS_ACCESS_KEY_ID, AWS_REGION, S3_ENDPOINT ...).
"""

import contextlib
import ctypes
import re
import sys
import tempfile
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import BinaryIO

from tfsepgan.errors import DataError
from tfsepgan.files import put_in_place, remove_half_written, write_whole

# at least two letters, because one letter is a Windows drive
_ADDRESS = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+)://")
_CHUNK = 1 << 20  # bytes copied at a time


def is_address(place: str) -> bool:
    """True for SCHEME://..., which is not a path."""
    return _ADDRESS.match(place) is not None


class Storage:
    """The files of one folder."""

    def __init__(self, place: str):
        """Name a folder; nothing is read yet.

        Args:
          place: a path, or an address such as `gs://bucket/folder`.
        Raises: DataError when no installed file system supports the address.
        """
        if place.startswith("file://"):
            place = place.removeprefix("file://")
        self.place = place.rstrip("/") or "/"
        self.local = None if is_address(place) else Path(place)
        if self.local is None:
            _refuse_unknown_scheme(place)

    def path(self, name: str) -> str:
        """The path or address of a file in the folder."""
        return f"{self.place}/{name}" if self.local is None else str(self.local / name)

    def names(self) -> list[str]:
        """Names in the folder; empty if it does not exist.

        Raises: DataError when it cannot be reached.
        """
        if self.local is not None:
            with _as_data_error(self.place, "listed"):
                return (
                    sorted(path.name for path in self.local.iterdir())
                    if self.local.exists()
                    else []
                )
        import tensorflow as tf

        with _as_data_error(self.place, "listed"):
            try:
                found = tf.io.gfile.listdir(self.place)
            except tf.errors.NotFoundError:
                return []
        return sorted({name.rstrip("/") for name in found} - {""})

    def read(self, name: str) -> bytes | None:
        """The content of a small file; None if it does not exist.

        Raises: DataError when it cannot be read.
        """
        if self.local is not None:
            path = self.local / name
            with _as_data_error(path, "read"):
                return path.read_bytes() if path.exists() else None
        import tensorflow as tf

        with _as_data_error(self.path(name), "read"):
            try:
                return tf.io.gfile.GFile(self.path(name), "rb").read()
            except tf.errors.NotFoundError:
                return None

    def open(self, name: str) -> "StoredFile":
        """A file, to be read from its start."""
        return StoredFile(self.path(name), is_local=self.local is not None)

    def write(self, name: str, text: bytes) -> None:
        """Write a small file; on a disk, it appears complete or not at all.

        Raises: DataError when it cannot be written.
        """
        with _as_data_error(self.path(name), "written"):
            if self.local is not None:
                write_whole(self.local / name, lambda file: file.write(text))
                return
            import tensorflow as tf

            tf.io.gfile.makedirs(self.place)
            with tf.io.gfile.GFile(self.path(name), "wb") as file:
                file.write(text)

    def remove(self, name: str) -> None:
        """Remove a file if it exists.

        Raises: DataError when it cannot be removed.
        """
        with _as_data_error(self.path(name), "removed"):
            if self.local is not None:
                (self.local / name).unlink(missing_ok=True)
                return
            import tensorflow as tf

            with contextlib.suppress(tf.errors.NotFoundError):
                tf.io.gfile.remove(self.path(name))

    @contextlib.contextmanager
    def writing(self, name: str) -> Iterator[Path]:
        """A local path for writing a large file, which is moved to its place at the end.

        Raises: DataError when it cannot be written; any error of the body.
        """
        if self.local is not None:
            with (
                _as_data_error(self.path(name), "written"),
                put_in_place(self.local, [name]) as scratch,
            ):
                yield scratch / name
            return
        with tempfile.TemporaryDirectory(prefix="tfsepgan-") as scratch:
            path = Path(scratch) / name
            with _as_data_error(path, "written"):
                yield path
            with _as_data_error(self.path(name), "written"):
                self._upload(path, name)

    def _upload(self, path: Path, name: str) -> None:
        import tensorflow as tf

        with open(path, "rb") as file, tf.io.gfile.GFile(self.path(name), "wb") as there:
            while chunk := file.read(_CHUNK):
                there.write(chunk)

    def clean(self) -> None:
        """Remove partial files of a killed process from a local folder."""
        if self.local is not None and self.local.is_dir():
            with _as_data_error(self.place, "cleaned"):
                remove_half_written(self.local)


class StoredFile:
    """A file that is read from start to end, local or remote."""

    def __init__(self, path: str, *, is_local: bool):
        """Name the file; it is opened on entering the context."""
        self.path, self._is_local = path, is_local
        self._file: BinaryIO | None = None

    def __enter__(self) -> "StoredFile":
        """Open it.

        Raises: DataError when it does not exist.
        """
        with _as_data_error(self.path, "read"):
            if self._is_local:
                self._file = open(self.path, "rb")
            else:
                import tensorflow as tf

                self._file = tf.io.gfile.GFile(self.path, "rb")
        return self

    def __exit__(self, *_) -> None:
        """Close it."""
        self._file.close()

    def read(self, count: int) -> bytes:
        """The next `count` bytes, or fewer at the end.

        Raises: DataError when they cannot be read.
        """
        with _as_data_error(self.path, "read"):
            return self._file.read(count)


def _refuse_unknown_scheme(place: str) -> None:
    import tensorflow as tf

    scheme = _ADDRESS.match(place)[1]
    if scheme in tf.io.gfile.get_registered_schemes():
        return
    with contextlib.suppress(ImportError, NotImplementedError):
        import tensorflow_io  # noqa: F401  registers its file systems

        _exit_without_destructors()
    known = sorted(set(tf.io.gfile.get_registered_schemes()) - {"", "file", "ram"})
    if scheme not in known:
        raise DataError(
            f"{place} cannot be reached: TensorFlow has no file system {scheme}:// here, only"
            f" {', '.join(known)}. `pip install tensorflow-io` adds s3, az, hdfs and http"
            " (Python up to 3.12); or copy the folder to a disk and use that folder."
        )


@cache
def _exit_without_destructors() -> None:
    """Make this process exit without the C++ destructors that are registered so far.

    The destructors of tensorflow-io's S3 abort the process after all its work is done, with exit
    code 134: github.com/tensorflow/io/issues/2039, in 0.37.1, the last version for this TensorFlow.
    Python's own exit handlers run before and are not affected.
    """
    # glibc only, which this tensorflow-io needs anyway
    with contextlib.suppress(OSError, AttributeError):
        libc = ctypes.CDLL(None)
        libc.on_exit(libc._exit, None)  # called with the exit code


@contextlib.contextmanager
def _as_data_error(path: str | Path, doing: str) -> Iterator[None]:
    """Convert errors of disks and of TensorFlow's file systems to a one-sentence DataError."""
    kinds = (OSError, *_remote_errors())
    try:
        yield
    except kinds as error:
        text = getattr(error, "strerror", None) or getattr(error, "message", None) or str(error)
        reason = str(text).strip().splitlines()[0] if str(text).strip() else type(error).__name__
        raise DataError(
            f"{path} cannot be {doing} ({reason}). Check that it exists, your access rights and the"
            " free space; then repeat the command, which continues where it stopped."
        ) from error


def _remote_errors() -> tuple[type[Exception], ...]:
    """The errors that TensorFlow's file systems raise, if TensorFlow is loaded."""
    tf = sys.modules.get("tensorflow")
    return (tf.errors.OpError, RuntimeError) if tf is not None else ()
