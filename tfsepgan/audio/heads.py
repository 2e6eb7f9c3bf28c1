"""The first bytes of a file: the kind of sound file, its stated length, or another kind of file.

libsndfile reads a file that was cut short without an error, so the promised length is read here and
compared with the size of the file.

Source: the formats' own descriptions: AIFF 1.3 and AIFF-C, Sun/NeXT AU, EBU Tech 3306 (RF64), Sony
Wave64, Apple CAF, the Xing, LAME and VBRI tags.
"""

import struct
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, NamedTuple

# codes in a WAV of MPEG audio, AAC, WMA and AC3
FFMPEG_IN_WAV = frozenset({0x50, 0x55, 0xFF, 0x161, 0x162, 0x2000})
_WAVE64 = bytes.fromhex("726966662e91cf11a5d628db04c10000")  # the GUID that Wave64 begins with
_AU_BYTES = {1: 1, 2: 1, 3: 2, 4: 3, 5: 4, 6: 4, 7: 8, 27: 1}  # encoding to bytes of a sample
_UNKNOWN_32 = frozenset({0, 0xFFFFFFFF})
_UNKNOWN_AIFF = (
    range(0x7F000000, 0x7F000100),
    range(0x7FFFF000, 0x80000001),
    range(0xFFFFFF00, 0x100000000),
)  # as SoX and other programs write it
_UNKNOWN_64 = 1 << 60  # bytes; FFmpeg writes 2 ** 63 - 1 into a Wave64 that it cannot seek in
_NO_SOUND = (
    (b"<!doctype html", "a web page"),
    (b"<html", "a web page"),
    (b"<?xml", "XML"),
    (b"%pdf", "a PDF"),
    (b"pk\x03\x04", "a ZIP archive"),
    (b"\x1f\x8b", "a gzip archive"),
    (b"7z\xbc\xaf", "a 7-Zip archive"),
    (b"rar!", "a RAR archive"),
    (b"\xff\xd8\xff", "a JPEG picture"),
    (b"\x89png", "a PNG picture"),
    (b"gif8", "a GIF picture"),
    (b"mthd", "MIDI: notes, no sound; tfsepgan-data render plays it"),
    (b"version https://git-lfs", "a Git LFS pointer, not the recording: run git lfs pull"),
    (b"sqlite format", "a database"),
)


class Promise(NamedTuple):
    """How many samples of each channel a head promises, and how many are present."""

    promised: int
    present: int

    @property
    def missing(self) -> int:
        """Number of promised samples that are not present."""
        return max(0, self.promised - self.present)


def is_libsndfile_kind(head: bytes) -> bool:
    """Whether the first 16 bytes are those of a kind that libsndfile reads.

    MPEG audio is left to FFmpeg, which does not need its tags.
    """
    return (
        head[:4] in (b"RIFF", b"RF64", b"RIFX", b"FORM", b"fLaC", b"OggS", b".snd", b"caff")
        or head[:16] == _WAVE64
    )


def looks_like(path: Path) -> str | None:
    """What a file other than sound seems to be, in a few words; None where that is unclear."""
    with open(path, "rb") as file:
        head = file.read(4096)
    start = head.lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    for mark, name in _NO_SOUND:
        if start.startswith(mark):
            return name
    if not head.strip(b"\0"):
        return "zeros"
    printable = sum(32 <= byte < 127 or byte in b"\t\r\n" for byte in head)
    return "text" if printable > 0.97 * len(head) else None


def promise_of(path: Path) -> Promise | None:
    """The promise of an AIFF, AU, RF64, Wave64 or CAF file.

    Returns: None for other files, and where the head states no length.
    """
    size = path.stat().st_size
    readers = {b"FORM": _aiff, b".snd": _au, b"RF64": _rf64, b"caff": _caf, _WAVE64: _wave64}
    with open(path, "rb") as file:
        head = file.read(16)
        reader = readers.get(head) or readers.get(head[:4])
        return reader(file, size) if reader else None


def mpeg_samples(path: Path) -> int | None:
    """The length in samples by the tag in an MPEG file's first frame; None without a tag."""
    with open(path, "rb") as file:
        after = 0
        while (head := file.read(10))[:3] == b"ID3" and len(head) == 10:
            after += 10 + sum(
                (byte & 0x7F) << shift
                for byte, shift in zip(head[6:10], (21, 14, 7, 0), strict=True)
            )
            after += 10 if head[5] & 0x10 else 0  # a tag that is repeated at its end
            file.seek(after)
        file.seek(after)
        frame = file.read(400)
    if len(frame) < 4 or frame[0] != 0xFF or frame[1] & 0xE0 != 0xE0:
        return None
    per_frame = 1152 if frame[1] & 0x18 == 0x18 else 576  # MPEG 1, or 2 and 2.5
    for mark in (b"Xing", b"Info"):
        place = frame.find(mark, 4, 60)
        if place > 0 and frame[place + 7] & 1:
            return per_frame * struct.unpack(">I", frame[place + 8 : place + 12])[0]
    place = frame.find(b"VBRI", 4, 60)
    return per_frame * struct.unpack(">I", frame[place + 14 : place + 18])[0] if place > 0 else None


def chunks(
    file: BinaryIO, start: int, head: str, *, multiple: int = 1
) -> Iterator[tuple[bytes, int, int]]:
    """The chunks of a file from a position to the end, or to one without a length.

    Args:
      head: how `struct` reads the name and the length of a chunk.
      multiple: chunks are padded to a multiple of this number of bytes.
    Yields: name, length and position of the content; the reader may move in the file.
    """
    size = struct.calcsize(head)
    file.seek(start)
    while len(found := file.read(size)) == size:
        name, length = struct.unpack(head, found)
        if name[:4] != name:  # a GUID: Wave64, whose lengths include the head
            name, length = name[:4], length - size
        if length < 0:
            return
        place = file.tell()
        yield name, length, place
        file.seek(place + -(-length // multiple) * multiple)


def _promise(promised_bytes: int, present_bytes: int, frame_bytes: int) -> Promise | None:
    if frame_bytes <= 0:
        return None
    return Promise(promised_bytes // frame_bytes, max(0, present_bytes) // frame_bytes)


def _aiff(file, size: int) -> Promise | None:
    frame_bytes = 0
    for name, length, start in chunks(file, 12, ">4sI", multiple=2):
        if name == b"COMM":
            channels, _, bits = struct.unpack(">hIh", file.read(8))
            compression = file.read(14)[10:14].lower() if length > 18 else b"none"
            # their heads state the bits of a decoded sample
            bits = 8 if compression in (b"ulaw", b"alaw") else bits
            frame_bytes = (
                channels * -(-bits // 8)
                if compression not in (b"ima4", b"mac3", b"mac6", b"gsm ")
                else 0
            )
        elif name == b"SSND":
            known = not any(length in lengths for lengths in _UNKNOWN_AIFF)
            return _promise(length - 8, size - start - 8, frame_bytes) if known else None
    return None


def _au(file, size: int) -> Promise | None:
    file.seek(4)
    fields = file.read(20)
    if len(fields) < 20:
        return None
    offset, length, encoding, _, channels = struct.unpack(">5I", fields)
    if length in _UNKNOWN_32:
        return None
    return _promise(length, size - offset, channels * _AU_BYTES.get(encoding, 0))


def _rf64(file, size: int) -> Promise | None:
    promised, frame_bytes = None, 0
    for name, length, start in chunks(file, 12, "<4sI", multiple=2):
        if name == b"ds64":
            promised = struct.unpack("<Q", file.read(16)[8:])[0]
        elif name == b"fmt ":
            frame_bytes = struct.unpack("<H", file.read(14)[12:])[0]
        elif name == b"data":
            known = promised if length == 0xFFFFFFFF else length
            return None if known is None else _promise(known, size - start, frame_bytes)
    return None


def _wave64(file, size: int) -> Promise | None:
    frame_bytes = 0
    for name, length, start in chunks(file, 40, "<16sQ", multiple=8):
        if name == b"fmt ":
            frame_bytes = struct.unpack("<H", file.read(14)[12:])[0]
        elif name == b"data":
            return _promise(length, size - start, frame_bytes) if length < _UNKNOWN_64 else None
    return None


def _caf(file, size: int) -> Promise | None:
    frame_bytes = 0
    for name, length, start in chunks(file, 8, ">4sq"):
        if name == b"desc":
            packet_bytes, packet_frames = struct.unpack(">II", file.read(24)[16:])
            frame_bytes = packet_bytes if packet_frames == 1 else 0
        elif name == b"data":
            return _promise(length - 4, size - start - 4, frame_bytes) if length > 4 else None
    return None
