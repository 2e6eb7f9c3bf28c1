"""`-` as a file: a recording from the standard input, one stem to the standard output."""

import shutil
import sys
from pathlib import Path

from tfsepgan.errors import ConfigError, DataError

PIPE = "-"


def save_input(folder: Path) -> Path:
    """Write all of the standard input to a file, because decoders need to seek.

    Raises: ConfigError where the input is a terminal; DataError when it is empty.
    """
    if sys.stdin.isatty():
        raise ConfigError("- reads a recording from a pipe or file: cat song.mp3 | ... -")
    path = folder / "stdin"
    with path.open("wb") as file:
        shutil.copyfileobj(sys.stdin.buffer, file)
    with path.open("rb") as file:
        head = file.read(4)
    if not head:
        raise DataError("The standard input is empty; wanted a recording.")
    return path.rename(path.with_suffix(_suffix(head)))


def refuse_terminal() -> None:
    """Raises: ConfigError where the standard output is a terminal."""
    if sys.stdout.isatty():
        raise ConfigError("-o - writes sound to a pipe or file: ... -o - > piano.wav")


def write_output(path: Path) -> None:
    """Copy a file to the standard output."""
    sys.stdout.flush()
    with path.open("rb") as file:
        shutil.copyfileobj(file, sys.stdout.buffer)
    sys.stdout.buffer.flush()


def _suffix(head: bytes) -> str:
    """The suffix that readers need for raw MPEG, AAC and AC3; none for kinds with a clear head."""
    if head.startswith(b"\x0bw"):
        return ".ac3"
    if head[0] == 0xFF and head[1:] and head[1] & 0xF6 == 0xF0:
        return ".aac"
    is_mpeg = head[0] == 0xFF and head[1:] and head[1] & 0xE0 == 0xE0
    return ".mp3" if is_mpeg or head.startswith(b"ID3") else ""
