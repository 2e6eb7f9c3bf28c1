"""PCM WAV at the byte level: where the samples start, whether the file is complete, and writing it.

Windows of unpacked recordings are read from mono 16-bit PCM WAV: with the byte offset of the
samples, numpy maps them without a decoder. Only plain RIFF is read here; libsndfile reads all other
kinds.
"""

import os
import struct
from pathlib import Path
from typing import NamedTuple

import numpy as np

from tfsepgan.audio.heads import chunks
from tfsepgan.errors import DataError
from tfsepgan.files import write_whole

HEADER_BYTES = 44
BYTES_PER_SAMPLE = 2
_LONGEST_HEADER = 256  # bytes before the PEAK chunk of libsndfile's files
_PCM = 1
# PCM, floating point, A-law, mu-law, and the extensible head: samples, not blocks of a codec
WHOLE_FRAMES = frozenset({1, 3, 6, 7, 0xFFFE})
# The length that programs write into a stream: zero, or about the most that 31 or 32 bits hold.
_UNKNOWN_LENGTHS = (range(1), range(0x7FFFF000, 0x80000001), range(0xFFFFF000, 0x100000000))


class WavLayout(NamedTuple):
    """Where the samples of a RIFF WAV file start, and in which format they are."""

    data_offset: int
    data_bytes: int  # promised by the header
    missing_bytes: int  # promised, but beyond the end of the file
    trailing_bytes: int  # after the samples; may hold tags
    encoding: int
    channels: int
    sample_rate_hz: int
    bits: int
    frame_bytes: int = 0  # one sample of all channels, or one block of a codec
    length_unknown: bool = False  # written as a stream; `data_bytes` is then what is present

    @property
    def is_plain(self) -> bool:
        """True for mono 16-bit samples after a header of HEADER_BYTES, which every reader takes."""
        kind = (self.encoding, self.channels, self.bits)
        return (
            kind == (_PCM, 1, 16) and self.data_offset == HEADER_BYTES and not self.trailing_bytes
        )


def wav_layout(path: str | os.PathLike) -> WavLayout | None:
    """Read the chunk headers of a WAV file.

    Args:
      path: any file.
    Returns: its layout; None unless it is a plain RIFF WAV with a format chunk and a data chunk.
    """
    with open(path, "rb") as file:
        head = file.read(12)
        if len(head) < 12 or head[:4] != b"RIFF" or head[8:] != b"WAVE":
            return None
        size = os.fstat(file.fileno()).st_size
        format_chunk = None
        for name, length, place in chunks(file, 12, "<4sI", multiple=2):
            if name == b"fmt ":
                format_chunk = file.read(length)
            elif name == b"data":
                return _layout(format_chunk, place, length, size)
    return None


def _layout(format_chunk: bytes | None, offset: int, length: int, size: int) -> WavLayout | None:
    if format_chunk is None or len(format_chunk) < 16:
        return None
    encoding, channels, rate, _, frame_bytes, bits = struct.unpack("<HHIIHH", format_chunk[:16])
    present = size - offset
    unknown = length != present and any(length in lengths for lengths in _UNKNOWN_LENGTHS)
    if unknown:
        length = present
    missing, trailing = max(0, length - present), max(0, present - length)
    return WavLayout(
        offset, length, missing, trailing, encoding, channels, rate, bits, frame_bytes, unknown
    )


def remove_time(path: Path) -> None:
    """Set the time of writing in a floating-point WAV or RF64 of libsndfile to zero.

    The time is in its PEAK chunk; without it, the same samples give the same bytes.
    """
    with open(path, "r+b") as file:
        place = file.read(_LONGEST_HEADER).find(b"PEAK")
        if place > 0:
            file.seek(place + 12)  # after the name, the size and the version
            file.write(bytes(4))


def write_pcm16(path: Path, samples: np.ndarray, sample_rate_hz: int) -> None:
    """Write a mono 16-bit WAV; if writing fails, no file is left behind.

    Args:
      path: of the file; its folder must exist.
      samples: int16 `[time]`.
      sample_rate_hz: of the samples.
    Raises: OSError when writing fails; DataError when the samples do not fit into a WAV file.
    """
    size = samples.size * BYTES_PER_SAMPLE
    if size > 0x7FFFFFFF - HEADER_BYTES:  # tensorflow-io's lengths are signed 32-bit integers
        hours = samples.size / sample_rate_hz / 3600
        raise DataError(
            f"A recording of {hours:.1f} hours does not fit into 2 GiB of WAV. Split it into"
            " shorter recordings."
        )
    rate = sample_rate_hz
    form = struct.pack(
        "<4sIHHIIHH", b"fmt ", 16, _PCM, 1, rate, rate * BYTES_PER_SAMPLE, BYTES_PER_SAMPLE, 16
    )
    header = struct.pack("<4sI4s", b"RIFF", size + HEADER_BYTES - 8, b"WAVE") + form
    header += struct.pack("<4sI", b"data", size)
    # No wait for the disk: a cache that a power cut broke is unpacked again.
    write_whole(
        path,
        lambda file: file.writelines((header, np.ascontiguousarray(samples, "<i2").data)),
        lasting=False,
    )
