"""A pack: recordings in few bytes, for a machine without the package's readers and cache.

A folder with `index.json` (the arguments of a `Pool`), `levels.npy` (the envelopes) and a
`SOURCE.pack` for each source (its coded recordings, one after the other). There are two codecs:
'vorbis' (Ogg Vorbis by soundfile) and 'lapped', which needs NumPy and SciPy only: the quantised
coefficients of a lapped transform, compressed with LZMA. The same seed and step draw the same
windows from a pack as from its recordings.
"""

import io
import json
import lzma
import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from tfsepgan.data.augment.effects import lapped, unlapped
from tfsepgan.data.batches.pool import Pool
from tfsepgan.data.batches.unpacked import Recording
from tfsepgan.errors import DataError

INDEX, LEVELS = "index.json", "levels.npy"
# peak of each coded recording; below 1, so that the noise of the codec is not clipped
PEAK = 0.9
HALF = 1024  # coefficients in a frame of 'lapped'
BANDS = 32
STEP_DB = 1.5  # resolution of a band's step
# 0: the noise of 'lapped' has one level in all bands; 1: one distance below the level of each
FLAT = 0.6
# samples given to the Vorbis encoder at once; more overflow the stack of some versions
WRITTEN = 65536


class Packed(NamedTuple):
    """A pack in memory: all recordings, one after the other, and the pool to draw from."""

    samples: np.ndarray  # int16 [time]
    first: np.ndarray  # int64 [recordings]: first sample of each
    pool: Pool
    sources: tuple[str, ...]
    sample_rate_hz: int


def encode(samples: np.ndarray, sample_rate_hz: int, codec: str, quality: float) -> bytes:
    """Code float32 `[time]` within [-1, 1].

    Args:
      quality: for 'vorbis', -0.1 to 1 on its own scale; for 'lapped', the SNR in dB of a band that
        is as loud as the frame.
    """
    return (
        _vorbis(samples, sample_rate_hz, quality)
        if codec == "vorbis"
        else _lapped(samples, quality)
    )


def decode(coded: bytes, codec: str, frames: int) -> np.ndarray:
    """Inverse of `encode`: float32 `[frames]`."""
    if codec == "vorbis":
        import soundfile  # imported here: 'lapped' does not need it

        samples = soundfile.read(io.BytesIO(coded), dtype="float32")[0]
    else:
        samples = _unlapped(coded)
    return np.pad(samples[:frames], (0, max(0, frames - len(samples))))


def _vorbis(samples: np.ndarray, sample_rate_hz: int, quality: float) -> bytes:
    import soundfile

    made = io.BytesIO()
    level = (1.0 - quality) / 1.1  # libsndfile's scale is reversed: from 1.0 down to -0.1
    options = {"format": "OGG", "subtype": "VORBIS", "compression_level": min(1.0, max(0.0, level))}
    with soundfile.SoundFile(made, "w", sample_rate_hz, 1, **options) as file:
        for start in range(0, len(samples), WRITTEN):
            file.write(samples[start : start + WRITTEN])
    return made.getvalue()


def _edges() -> np.ndarray:
    """First coefficient of each band of 'lapped'; low bands are narrow, as in hearing."""
    edges = np.unique(np.rint(4 * (HALF / 4) ** (np.arange(BANDS + 1) / BANDS)).astype(int))
    return np.concatenate([[0], edges[:-1]])


def _lapped(samples: np.ndarray, quality: float) -> bytes:
    coefficients = lapped(samples, HALF)
    first = _edges()
    widths = np.diff(first, append=HALF)
    power = (
        np.add.reduceat(np.square(coefficients, dtype=np.float64), first, axis=1) / widths + 1e-14
    )
    loud = power.max(axis=1, keepdims=True)
    noise = loud ** (1 - FLAT) * power**FLAT * 10 ** (-quality / 10)
    steps = np.clip(np.rint(10 * np.log10(12 * noise) / STEP_DB), -127, 127).astype(np.int8)
    rounded = np.rint(coefficients / np.repeat(_step(steps), widths, axis=1))
    whole = np.clip(rounded, -32768, 32767).astype(np.int16)
    low, high = (
        (whole & 255).astype(np.uint8),
        (whole >> 8).astype(np.int8),
    )
    columns = [steps.T, low.T, high.T]
    body = b"".join(np.ascontiguousarray(column).tobytes() for column in columns)
    return len(coefficients).to_bytes(4, "little") + lzma.compress(body, preset=4)


def _unlapped(coded: bytes) -> np.ndarray:
    count, body = int.from_bytes(coded[:4], "little"), lzma.decompress(coded[4:])
    first = _edges()
    parts = np.split(np.frombuffer(body, np.uint8), np.cumsum([count * len(first), count * HALF]))
    steps, low, high = (part.reshape(-1, count).T for part in parts)
    whole = low.astype(np.int16) | (high.view(np.int8).astype(np.int16) << 8)
    return unlapped(
        whole * np.repeat(_step(steps.view(np.int8)), np.diff(first, append=HALF), axis=1), HALF
    )


def _step(steps: np.ndarray) -> np.ndarray:
    return np.float32(10.0) ** (steps.astype(np.float32) * np.float32(STEP_DB / 20))


def write_pack(
    directory: Path, made: dict[str, Any], coded: Sequence[tuple[str, bytes]], facts: dict[str, Any]
) -> int:
    """Write a pack.

    Args:
      made: from `pool.arrangement`.
      coded: of each recording, the name of its file and its bytes.
      facts: further keys of the index: `sources`, `codec`.
    Returns: bytes written.
    """
    directory.mkdir(parents=True, exist_ok=True)
    bodies: dict[str, bytearray] = {}
    rows = []
    for recording, (name, body) in zip(made["recordings"], coded, strict=True):
        whole = bodies.setdefault(name, bytearray())
        place = {
            "file": name,
            "first": len(whole),
            "bytes": len(body),
            "hops": len(recording.envelope),
        }
        rows.append(
            {"name": recording.name, "frames": recording.frames, "scale": recording.scale, **place}
        )
        whole += body
    plain = {key: made[key] for key in ("sample_rate_hz", "groups", "tracks", "joined")}
    plain |= {
        key: None if made[key] is None else np.asarray(made[key]).tolist()
        for key in ("folders", "track_folders")
    }
    for name, body in bodies.items():
        (directory / name).write_bytes(body)
    np.save(
        directory / LEVELS, np.concatenate([recording.envelope for recording in made["recordings"]])
    )
    (directory / INDEX).write_text(json.dumps({**facts, "pool": plain, "recordings": rows}))
    return sum(path.stat().st_size for path in directory.iterdir())


def read_pack(directory: Path) -> Packed:
    """Decode a pack on all cores.

    Raises: DataError when the folder holds no pack, or a damaged one.
    """
    try:
        index = json.loads((directory / INDEX).read_text())
        levels = np.load(directory / LEVELS, allow_pickle=False)
        bodies = {
            row["file"]: (directory / row["file"]).read_bytes() for row in index["recordings"]
        }
        return _unpacked(index, levels, bodies)
    except (OSError, ValueError, KeyError, TypeError, lzma.LZMAError) as error:
        raise DataError(
            f"{directory} is no pack that can be read ({error}). "
            "Make it with tools/jax/pack_for_jax.py."
        ) from error


def _unpacked(index: dict[str, Any], levels: np.ndarray, bodies: dict[str, bytes]) -> Packed:
    rows = index["recordings"]
    first = np.cumsum([0] + [row["frames"] for row in rows])
    samples, scales = np.empty(first[-1], np.int16), [0.0] * len(rows)

    def unpack(number: int) -> None:
        row = rows[number]
        body = bodies[row["file"]][row["first"] : row["first"] + row["bytes"]]
        made = decode(body, index["codec"], row["frames"])
        peak = max(float(np.abs(made).max()), 1e-9)
        samples[first[number] : first[number + 1]] = np.rint(made * (32767 / peak))
        scales[number] = row["scale"] * peak / 32767

    with ThreadPoolExecutor(max_workers=os.cpu_count()) as pool:
        list(pool.map(unpack, range(len(rows))))
    ends = np.cumsum([row["hops"] for row in rows])
    recordings = [
        Recording(
            name=row["name"],
            variant=0,
            path=Path(row["file"]),
            frames=row["frames"],
            scale=scale,
            envelope=levels[end - row["hops"] : end],
        )
        for row, scale, end in zip(rows, scales, ends, strict=True)
    ]
    pool = Pool(recordings, sources=len(index["sources"]), **index["pool"])
    return Packed(
        samples, first[:-1], pool, tuple(index["sources"]), index["pool"]["sample_rate_hz"]
    )
