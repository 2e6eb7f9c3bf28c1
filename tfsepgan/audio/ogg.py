"""The stream number of an Ogg file, which libsndfile draws at random.

Source: RFC 3533, section 6: pages, and their checksum.
"""

import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import soundfile

_HEAD_BYTES = 27
_SERIAL, _CHECKSUM = slice(14, 18), slice(22, 26)
_REVERSED = bytes(int(f"{byte:08b}"[::-1], 2) for byte in range(256))


class OggFile:
    """A sound file that libsndfile writes; the same samples and tags give the same bytes."""

    def __init__(self, path: Path, file: soundfile.SoundFile):
        self._path, self._file = path, file

    def write(self, samples) -> None:
        """Append float32 `[time, channels]`."""
        self._file.write(samples)

    def close(self) -> None:
        """End the file and set its stream number; later calls do nothing.

        Raises: OSError when the file cannot be written.
        """
        if not self._file.closed:
            self._file.close()
            fix_serial(self._path)


def fix_serial(path: Path, serial: int | None = None) -> None:
    """Set the stream number of an Ogg file that holds one stream.

    Args:
      path: the file, which is changed in place.
      serial: the number, of 32 bits; by default a checksum of the content, because files that are
        played as a chain need different numbers.
    """
    with open(path, "r+b") as file:
        if serial is None:
            serial = 0
            for _, page in _pages(file):
                serial = zlib.crc32(page[_HEAD_BYTES:], serial)
        for start, page in _pages(file):
            page[_SERIAL] = serial.to_bytes(4, "little")
            page[_CHECKSUM] = bytes(4)
            page[_CHECKSUM] = ogg_checksum(page).to_bytes(4, "little")
            file.seek(start)
            file.write(page[:_HEAD_BYTES])


def ogg_checksum(page: bytes) -> int:
    """The CRC of an Ogg page: polynomial 0x04c11db7, from zero, most significant bit first.

    The CRC of zlib has the same polynomial, but starts from the least significant bit, and inverts
    the start value and the result.
    """
    mirrored = zlib.crc32(page.translate(_REVERSED), 0xFFFFFFFF) ^ 0xFFFFFFFF
    return int(f"{mirrored:032b}"[::-1], 2)


def _pages(file: BinaryIO) -> Iterator[tuple[int, bytearray]]:
    """The pages of an Ogg file and where they start."""
    start = 0
    while True:
        file.seek(start)
        page = bytearray(file.read(_HEAD_BYTES))
        if len(page) < _HEAD_BYTES:
            return
        lengths = file.read(page[26])
        page += lengths + file.read(sum(lengths))
        yield start, page
        start += len(page)
