"""Soundfonts: their presets and copyright text, read from the header lists of the file.

Source: SoundFont Technical Specification 2.04 (Creative Technology, 2006), sections 5 (INFO) and
  7.2 (phdr).
"""

import functools
import os
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from tfsepgan.errors import DataError
from tfsepgan.files import sha256_of
from tfsepgan.rendering.instruments import InstrumentClass

_PRESET_BYTES = 38
_LONGEST_LIST = 1 << 22  # bytes of a list of presets or of an INFO text; more is a damaged head


@dataclass(frozen=True, kw_only=True)
class SoundFont:
    """A file of sampled instruments."""

    name: str
    path: Path
    presets: frozenset[tuple[int, int]]
    """(bank, program)."""
    title: str
    copyright: str
    """The text in the file; the licence must be checked by a person."""

    def programs(self, kind: InstrumentClass) -> tuple[int, ...]:
        """The programs of a class for which it has presets."""
        return tuple(program for program in kind.programs if (kind.bank, program) in self.presets)

    def plays_only(self, kind: InstrumentClass) -> bool:
        """True when all its presets are of one class."""
        return all(bank == kind.bank and program in kind.programs for bank, program in self.presets)

    @functools.cached_property
    def digest(self) -> str:
        """SHA-256 of the file."""
        state = self.path.stat()
        return _digest(self.path, state.st_size, state.st_mtime_ns)


@functools.lru_cache(maxsize=64)
def _digest(path: Path, size: int, changed: int) -> str:
    """Checksum of a file, cached by size and time: soundfonts have hundreds of megabytes."""
    return sha256_of(path)


def open_soundfont(name: str, path: Path) -> SoundFont:
    """Read the lists of an SF2 or SF3 file, but not its samples.

    Raises: DataError with the file's name when it is missing, is no soundfont, is truncated, or has
      no presets.
    """
    presets, texts = None, {}
    try:
        with open(path, "rb") as file:
            size = os.fstat(file.fileno()).st_size
            head = file.read(12)
            if head[:4] != b"RIFF" or head[8:] != b"sfbk":
                raise DataError(f"{path} is no soundfont: SF2 or SF3 was expected.")
            for chunk, length in _chunks(file, size):
                if length > size - file.tell():
                    raise DataError(f"{path} is truncated. Copy it again.")
                if chunk == b"phdr" and length <= _LONGEST_LIST:
                    presets = _presets(file.read(length))
                elif chunk in (b"INAM", b"ICOP") and length <= _LONGEST_LIST:
                    texts[chunk] = file.read(length).rstrip(b"\0").decode("latin-1").strip()
    except OSError as error:
        raise DataError(
            f"The soundfont {path} cannot be read ({error.strerror}). Check the path."
        ) from error
    if not presets:
        raise DataError(
            f"{path} holds no presets, so nothing can be played with it. Copy it again or leave it"
            " out."
        )
    words = {"title": texts.get(b"INAM", ""), "copyright": texts.get(b"ICOP", "")}
    return SoundFont(name=name, path=Path(path), presets=presets, **words)


def _chunks(file: BinaryIO, size: int) -> Iterator[tuple[bytes, int]]:
    """Name and length of every chunk in the lists of a RIFF file.

    The file position is at the chunk's content meanwhile.
    """
    while len(head := file.read(8)) == 8:
        name, length = head[:4], struct.unpack("<I", head[4:])[0]
        if name == b"LIST":
            file.read(4)  # the list's kind; its chunks follow as if they were outside the list
            continue
        start = file.tell()
        yield name, length
        file.seek(min(size, start + length + length % 2))


def _presets(listed: bytes) -> frozenset[tuple[int, int]]:
    """(bank, program) of every record except the last, which marks the end of the list."""
    starts = range(0, len(listed) - 2 * _PRESET_BYTES + 1, _PRESET_BYTES)
    return frozenset(struct.unpack_from("<HH", listed, start + 20)[::-1] for start in starts)
