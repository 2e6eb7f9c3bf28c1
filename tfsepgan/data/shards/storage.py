"""Folders that need not be on this machine: on a disk, or wherever TensorFlow's file systems reach
(gs://, s3://, hdfs:// ...).

TensorFlow itself knows gs://; tensorflow-io adds s3://, az://, hdfs:// and http://, and is imported
when one of these is asked for. Who may read and write is settled as these file systems settle it
(for S3: AWS_ACCESS_KEY_ID, AWS_REGION, S3_ENDPOINT ...).
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

# two letters or more: one is a disk of Windows
_ADDRESS = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+)://")
_PIECE = 1 << 20  # bytes copied at a time


def is_address(place: str) -> bool:
    """True for what is written as SCHEME://..., and so not a path."""
    return _ADDRESS.match(place) is not None


class Storage:
    """The files of one folder."""

    def __init__(self, place: str):
        """Name a folder; nothing is read yet.

        Args:
          place: a path, or an address such as `gs://bucket/folder`.
        Raises: DataError when nothing here knows how to reach such an address.
        """
        if place.startswith("file://"):
            place = place.removeprefix("file://")
        self.place = place.rstrip("/") or "/"
        self.local = None if is_address(place) else Path(place)
        if self.local is None:
            _refuse_unknown_scheme(place)

    def path(self, name: str) -> str:
        """Where a file of the folder is."""
        return f"{self.place}/{name}" if self.local is None else str(self.local / name)

    def names(self) -> list[str]:
        """Names of what the folder holds; none where there is no such folder.

        Raises: DataError when it cannot be reached.
        """
        if self.local is not None:
            with _told(self.place, "listed"):
                return (
                    sorted(path.name for path in self.local.iterdir())
                    if self.local.exists()
                    else []
                )
        import tensorflow as tf

        with _told(self.place, "listed"):
            try:
                found = tf.io.gfile.listdir(self.place)
            except tf.errors.NotFoundError:
                return []
        return sorted({name.rstrip("/") for name in found} - {""})

    def read(self, name: str) -> bytes | None:
        """All of a small file; None where it is not there.

        Raises: DataError when it cannot be read.
        """
        if self.local is not None:
            path = self.local / name
            with _told(path, "read"):
                return path.read_bytes() if path.exists() else None
        import tensorflow as tf

        with _told(self.path(name), "read"):
            try:
                return tf.io.gfile.GFile(self.path(name), "rb").read()
            except tf.errors.NotFoundError:
                return None

    def open(self, name: str) -> "StoredFile":
        """A file to be read from its beginning."""
        return StoredFile(self.path(name), is_local=self.local is not None)

    def write(self, name: str, text: bytes) -> None:
        """Write a small file: on a disk in one move, elsewhere as the place does it.

        Raises: DataError when it cannot be written.
        """
        with _told(self.path(name), "written"):
            if self.local is not None:
                write_whole(self.local / name, lambda file: file.write(text))
                return
            import tensorflow as tf

            tf.io.gfile.makedirs(self.place)
            with tf.io.gfile.GFile(self.path(name), "wb") as file:
                file.write(text)

    def remove(self, name: str) -> None:
        """Remove a file, if it is there.

        Raises: DataError when it cannot be removed.
        """
        with _told(self.path(name), "removed"):
            if self.local is not None:
                (self.local / name).unlink(missing_ok=True)
                return
            import tensorflow as tf

            with contextlib.suppress(tf.errors.NotFoundError):
                tf.io.gfile.remove(self.path(name))

    @contextlib.contextmanager
    def writing(self, name: str) -> Iterator[Path]:
        """A path on this machine to write a large file at, which is brought to its place at the
        end.

        Raises: DataError when it cannot be written; what the body raises.
        """
        if self.local is not None:
            with _told(self.path(name), "written"), put_in_place(self.local, [name]) as scratch:
                yield scratch / name
            return
        with tempfile.TemporaryDirectory(prefix="tfsepgan-") as scratch:
            path = Path(scratch) / name
            with _told(path, "written"):
                yield path
            with _told(self.path(name), "written"):
                self._bring(path, name)

    def _bring(self, path: Path, name: str) -> None:
        import tensorflow as tf

        with open(path, "rb") as file, tf.io.gfile.GFile(self.path(name), "wb") as there:
            while piece := file.read(_PIECE):
                there.write(piece)

    def clean(self) -> None:
        """Remove what a killed process left half written on a disk."""
        if self.local is not None and self.local.is_dir():
            with _told(self.place, "cleaned"):
                remove_half_written(self.local)


class StoredFile:
    """A file that is read from its beginning to its end, wherever it is."""

    def __init__(self, path: str, *, is_local: bool):
        """Name it; it is opened on entering."""
        self.path, self._is_local = path, is_local
        self._file: BinaryIO | None = None

    def __enter__(self) -> "StoredFile":
        """Open it.

        Raises: DataError when it is not there.
        """
        with _told(self.path, "read"):
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
        """The next so many bytes, fewer at the end.

        Raises: DataError when they cannot be read.
        """
        with _told(self.path, "read"):
            return self._file.read(count)


def _refuse_unknown_scheme(place: str) -> None:
    import tensorflow as tf

    scheme = _ADDRESS.match(place)[1]
    if scheme in tf.io.gfile.get_registered_schemes():
        return
    with contextlib.suppress(ImportError, NotImplementedError):
        import tensorflow_io  # noqa: F401  its file systems are known from then on

        _leave_without_destructors()
    known = sorted(set(tf.io.gfile.get_registered_schemes()) - {"", "file", "ram"})
    if scheme not in known:
        raise DataError(
            f"{place} cannot be reached: TensorFlow knows no file system {scheme}:// here, only"
            f" {', '.join(known)}. s3, az, hdfs and http come with `pip install tensorflow-io`"
            " (Python up to 3.12); or copy the folder to a disk and name it there."
        )


@cache
def _leave_without_destructors() -> None:
    """Let this process end, when it does, without the C++ destructors that are known so far.

    Those of tensorflow-io's S3 abort it after all its work was done, with exit code 134:
    github.com/tensorflow/io/issues/2039, in 0.37.1, the last one for this TensorFlow. Python's own
    end, with all that is registered for it, comes before and is not touched.
    """
    # glibc only, which is where there is such a tensorflow-io
    with contextlib.suppress(OSError, AttributeError):
        libc = ctypes.CDLL(None)
        libc.on_exit(libc._exit, None)  # called with the exit code


@contextlib.contextmanager
def _told(path: str | Path, doing: str) -> Iterator[None]:
    """Turn what disks and TensorFlow's file systems raise into one sentence."""
    kinds = (OSError, *_remote_errors())
    try:
        yield
    except kinds as error:
        said = getattr(error, "strerror", None) or getattr(error, "message", None) or str(error)
        reason = str(said).strip().splitlines()[0] if str(said).strip() else type(error).__name__
        raise DataError(
            f"{path} cannot be {doing} ({reason}). Check that it is there, that you may use it and"
            " that there is room; then repeat the command, which goes on where it was."
        ) from error


def _remote_errors() -> tuple[type[Exception], ...]:
    """What TensorFlow's file systems raise, where TensorFlow is in use."""
    tf = sys.modules.get("tensorflow")
    return (tf.errors.OpError, RuntimeError) if tf is not None else ()
