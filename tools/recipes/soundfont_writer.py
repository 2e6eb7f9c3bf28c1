"""Writes sampled notes as an SF2 soundfont: one preset, with a zone for each sample.

It covers the part of the format that sampled pianos, and the sine soundfont of the tests, need.
Source: SoundFont Technical Specification 2.04 (Creative Technology, 2006): chunks in sections 5 and
7, generators in section 8.1.
"""

import math
import struct
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np

SILENT_POINTS = 46  # zeros after each sample, required by the format
MONO, RIGHT, LEFT = 1, 2, 4  # types of samples
PAN, KEYS, VELOCITIES, RELEASE, CUTOFF, FINE_TUNE, LOOPS = 17, 43, 44, 38, 8, 52, 54
CHOKES, ROOT, INSTRUMENT, SAMPLE = 57, 58, 41, 53


@dataclass(frozen=True, kw_only=True)
class Zone:
    """One sampled note and the keys that play it."""

    samples: np.ndarray
    """int16 `[time, 1 or 2]`."""
    rate_hz: int
    root: int
    """MIDI pitch of the sample."""
    keys: tuple[int, int]
    velocities: tuple[int, int] = (0, 127)
    loop: tuple[int, int] | None = None
    """First sample of the loop, and the one after its last; None: no loop."""
    release_seconds: float = 0.3
    cutoff_hz: float | None = None
    """Cutoff of a low-pass; None: no low-pass."""
    cents: int = 0
    chokes: int = 0
    """Zones with the same number stop each other, as for a hi-hat; 0: none."""


def write_soundfont(
    path: Path,
    zones: Iterable[Zone],
    *,
    title: str,
    copyright: str,
    preset: tuple[int, int] = (0, 0),
) -> int:
    """Write an SF2 file; zones are read one at a time, to save memory.

    Args:
      preset: bank and program.
    Returns: the number of zones.
    """
    heads, generators = [], []  # of samples; of the instrument, a list for each zone and channel
    with open(path, "wb") as file:
        file.write(b"RIFF\0\0\0\0sfbk")
        file.write(_list(b"INFO", _info(title, copyright)))
        sdta = file.tell()
        file.write(b"LIST\0\0\0\0sdtasmpl\0\0\0\0")
        first = file.tell()
        count = 0
        for count, zone in enumerate(zones, 1):  # noqa: B007
            _write_zone(file, zone, first, heads, generators)
        end = file.tell()
        file.write(_list(b"pdta", _hydra(heads, generators, title, preset)))
        size = file.tell()
        for at, length in ((4, size - 8), (sdta + 4, end - sdta - 8), (first - 4, end - first)):
            file.seek(at)
            file.write(struct.pack("<I", length))
    return count


def _write_zone(file: BinaryIO, zone: Zone, first: int, heads: list, generators: list) -> None:
    channels = zone.samples.shape[1]
    kinds = (MONO,) if channels == 1 else (LEFT, RIGHT)
    number = len(heads)
    for channel, kind in enumerate(kinds):
        start = (file.tell() - first) // 2
        samples = np.ascontiguousarray(zone.samples[:, channel], "<i2")
        file.write(samples.tobytes() + bytes(2 * SILENT_POINTS))
        loop = zone.loop or (0, len(samples))
        other = number + (1 - channel) if channels == 2 else 0
        words = (
            start,
            start + len(samples),
            start + loop[0],
            start + loop[1],
            zone.rate_hz,
            zone.root,
            0,
            other,
            kind,
        )
        name = f"s{number + channel}".encode().ljust(20, b"\0")
        heads.append(name + struct.pack("<IIIIIBbHH", *words))
        pan = {MONO: 0, LEFT: -500, RIGHT: 500}[kind]
        generators.append(_generators(zone, pan, number + channel))


def _generators(zone: Zone, pan: int, sample: int) -> list[bytes]:
    """Generators of a zone, in the order of the format: keys, velocities, others, the sample."""
    found = [
        struct.pack("<HBB", KEYS, *zone.keys),
        struct.pack("<HBB", VELOCITIES, *zone.velocities),
    ]
    values = {PAN: pan, RELEASE: round(1200 * math.log2(max(0.001, zone.release_seconds)))}
    if zone.cutoff_hz is not None:
        values[CUTOFF] = min(13500, max(1500, round(1200 * math.log2(zone.cutoff_hz / 8.176))))
    if zone.cents:
        values[FINE_TUNE] = max(-99, min(99, zone.cents))
    if zone.chokes:
        values[CHOKES] = zone.chokes
    values |= {LOOPS: 1 if zone.loop else 0, ROOT: zone.root, SAMPLE: sample}
    return found + [struct.pack("<Hh", kind, value) for kind, value in values.items()]


def _hydra(
    heads: Sequence[bytes], generators: Sequence[list[bytes]], title: str, preset: tuple[int, int]
) -> bytes:
    """The nine lists of presets, instruments and samples."""
    bank, program = preset
    name = title.encode("latin-1", "replace")[:19].ljust(20, b"\0")
    ends = [0]
    for zone in generators:
        ends.append(ends[-1] + len(zone))
    no_modulator = bytes(10)
    chunks = {
        b"phdr": name
        + struct.pack("<HHHIII", program, bank, 0, 0, 0, 0)
        + b"EOP".ljust(24, b"\0")
        + struct.pack("<H", 1)
        + bytes(12),
        b"pbag": struct.pack("<HHHH", 0, 0, 1, 0),
        b"pmod": no_modulator,
        b"pgen": struct.pack("<HHHH", INSTRUMENT, 0, 0, 0),
        b"inst": name
        + struct.pack("<H", 0)
        + b"EOI".ljust(20, b"\0")
        + struct.pack("<H", len(generators)),
        b"ibag": b"".join(struct.pack("<HH", end, 0) for end in ends),
        b"imod": no_modulator,
        b"igen": b"".join(word for zone in generators for word in zone) + bytes(4),
        b"shdr": b"".join(heads) + b"EOS".ljust(46, b"\0"),
    }
    return b"".join(_chunk(kind, content) for kind, content in chunks.items())


def _info(title: str, copyright: str) -> bytes:
    chunks = {
        b"ifil": struct.pack("<HH", 2, 1),
        b"isng": b"EMU8000\0",
        b"INAM": title.encode("latin-1", "replace")[:254] + b"\0",
        b"ICOP": copyright.encode("latin-1", "replace")[:254] + b"\0",
    }
    return b"".join(
        _chunk(kind, content + bytes(len(content) % 2)) for kind, content in chunks.items()
    )


def _chunk(kind: bytes, content: bytes) -> bytes:
    return kind + struct.pack("<I", len(content)) + content


def _list(kind: bytes, content: bytes) -> bytes:
    return _chunk(b"LIST", kind + content)


def to_pcm16(samples: np.ndarray) -> np.ndarray:
    """Float `[time, channels]`, full scale 1, to int16."""
    return np.clip(np.round(samples * 32767), -32768, 32767).astype(np.int16)
