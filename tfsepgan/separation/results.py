"""The results of a job, `results.jsonl`: a line for each recording, written when it is finished.

A line names the input, the model and the settings of the stems. So a second run of the job
separates only recordings that are not done. A line that a killed process left unfinished is
ignored.
"""

import contextlib
import json
import os
import stat
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, Literal

import msgspec

import tfsepgan
from tfsepgan.errors import ConfigError, DataError
from tfsepgan.files import sha256_of
from tfsepgan.locking import InUse, locked

FIRST_BYTES = b'{"input"'  # of every line


@dataclass(frozen=True, kw_only=True)
class Fingerprint:
    """The facts that show whether a file is the same as before."""

    size_bytes: int
    modified_ns: int
    """Time of its last change, in nanoseconds since 1970."""
    sha256: str

    def is_of(self, path: Path) -> bool:
        """Whether a file is the same; it is read only if its time differs and its size does not."""
        with contextlib.suppress(OSError):
            found = path.stat()
            if found.st_size != self.size_bytes:
                return False
            return found.st_mtime_ns == self.modified_ns or sha256_of(path) == self.sha256
        return False


@dataclass(frozen=True, kw_only=True)
class Output:
    """A stem that was written."""

    stem: str
    path: str
    """Relative to the output folder, with `/`."""
    size_bytes: int


@dataclass(frozen=True, kw_only=True)
class Result:
    """A line of the file: the result of a recording."""

    input: str
    """Path of the recording; of several lines with the same `track`, the last one counts."""
    track: str
    """Its name below the output folder."""
    status: Literal["done", "failed"]
    reason: str | None
    """Why it failed; None where it is done."""
    fingerprint: Fingerprint | None
    """Of the recording; None where it cannot be read."""
    model: str
    """Digest of the model."""
    settings: str
    """Digest of the settings that change the stems or their names."""
    seconds: float | None
    """Length of the recording, in seconds; None where it failed."""
    elapsed_seconds: float
    """How long the work on it took."""
    outputs: tuple[Output, ...]
    notes: tuple[str, ...]
    ended: str
    """Time at which it was finished, in UTC."""
    tfsepgan_version: str = tfsepgan.__version__

    def is_of(self, path: Path, model: str, settings: str) -> bool:
        """Whether another run on this file, with this model and settings, gives the same."""
        same = (self.model, self.settings) == (model, settings)
        return same and self.fingerprint is not None and self.fingerprint.is_of(path)

    def has_outputs(self, output_dir: Path) -> bool:
        """Whether all stems exist, with the sizes in this line."""
        with contextlib.suppress(OSError):
            return all(
                (output_dir / one.path).stat().st_size == one.size_bytes for one in self.outputs
            )
        return False


class Results:
    """The results of a job, read from the file and appended to it; a context manager.

    The memory grows with the number of recordings by their tracks only, not by their results.
    """

    def __init__(self, path: str | os.PathLike):
        """
        Args:
          path: the file; created, with its folder, when the context is entered.
        Raises: ConfigError for a file that holds something else.
        """
        self.path = Path(path)
        self.broken = 0
        """How many lines of the file are ignored."""
        self._places: dict[str, int] = {}  # of the last line of each track, in bytes
        self._file: int | None = None
        self._lock: Any = None
        self._is_torn = False

    def __enter__(self) -> "Results":
        self.path.parent.mkdir(parents=True, exist_ok=True)
        try:
            self._lock = locked(self.path.with_name(f".{self.path.name}.lock"))
        except InUse as error:
            raise DataError(
                f"Another command writes to {self.path}. Wait for it or stop it, or choose another"
                " --output or --results."
            ) from error
        try:
            flags = os.O_RDWR | os.O_CREAT | os.O_APPEND | getattr(os, "O_BINARY", 0)
            self._file = os.open(self.path, flags, 0o666)
            self._read()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *exception) -> None:
        if self._file is not None:
            os.close(self._file)
        if self._lock is not None:
            self._lock.release()
        self._file = self._lock = None

    def __len__(self) -> int:
        return len(self._places)

    def last(self, track: str) -> Result | None:
        """The last result of a track; None without one."""
        if track not in self._places:
            return None
        with open(self.path, "rb") as file:
            file.seek(self._places[track])
            return parsed(file.readline())

    def add(self, result: Result) -> None:
        """Append a line; it is on the disk when this returns.

        Raises: OSError when the disk refuses.
        """
        line = json.dumps(asdict(result)).encode() + b"\n"
        ended = b"\n" if self._is_torn else b""
        place = os.fstat(self._file).st_size + len(ended)
        left = memoryview(ended + line)
        self._is_torn = True  # until all of the line is written
        while left:
            left = left[os.write(self._file, left) :]
        self._is_torn = False
        os.fsync(self._file)
        self._places[result.track] = place

    def _read(self) -> None:
        place, line = 0, b"\n"
        with open(self.path, "rb") as file:
            for line in file:
                if place == 0 and line[: len(FIRST_BYTES)] != FIRST_BYTES[: len(line)]:
                    raise ConfigError(
                        f"{self.path} holds something else than results of this command; choose"
                        " another file with --results."
                    )
                result = parsed(line) if line.endswith(b"\n") else None
                if result is not None:
                    self._places[result.track] = place
                elif line.strip():
                    self.broken += 1
                place += len(line)
        self._is_torn = not line.endswith(b"\n")


def read_results(path: str | os.PathLike) -> Iterator[Result]:
    """The results in a file, the last one of each track.

    Raises: OSError when it cannot be read.
    """
    last: dict[str, Result] = {}
    with open(path, "rb") as file:
        for result in map(parsed, file):
            if result is not None:
                last[result.track] = result
    yield from last.values()


def fingerprint_of(path: Path) -> Fingerprint | None:
    """The fingerprint of a file, for which the whole file is read.

    None if the file cannot be read or is not a regular file.
    """
    with contextlib.suppress(OSError):
        found = path.stat()
        if stat.S_ISREG(found.st_mode):
            return Fingerprint(
                size_bytes=found.st_size, modified_ns=found.st_mtime_ns, sha256=sha256_of(path)
            )
    return None


def now() -> str:
    """The time in UTC, to the second."""
    return datetime.now(timezone.utc).isoformat(timespec="seconds")


def parsed(line: bytes) -> Result | None:
    """A line as a result; None for an incomplete one."""
    try:
        return msgspec.convert(json.loads(line), Result)
    except (ValueError, RecursionError):
        return None
