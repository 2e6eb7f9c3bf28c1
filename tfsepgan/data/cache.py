"""Unpack once: every recording as mono 16-bit PCM WAV at the model's rate, beside its loudness over time.

Drawing windows needs random access, which mp3, ogg and FLAC do not give cheaply. So each file is decoded,
brought to one channel (the mean of all; in variants each counts as drawn) and resampled once, and lies in the
cache under a key of its path, size, time of change, rate and variant: a file that changes is unpacked again, a
stale one is never read, and a killed run leaves no half-written one. A recording is stored times a power of two that fits its peak into 16
bits; reading takes that factor back, so 16-bit audio comes back bit for bit, nothing is clipped and quiet
recordings keep their detail. A mono 16-bit WAV already at the rate is used where it is.
"""

import errno
import hashlib
import os
import shutil
import sys
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np

from tfsepgan.audio.decoding import resample
from tfsepgan.audio.recording import AudioFile
from tfsepgan.audio.wav import BYTES_PER_SAMPLE, HEADER_BYTES, wav_layout, write_pcm16
from tfsepgan.data.unpacked import Recording, envelope_hop
from tfsepgan.data.variants import draw_channel_weights, draw_speed, vary
from tfsepgan.errors import DataError
from tfsepgan.files import ABANDONED_SECONDS, remove_half_written, write_whole

_VERSION = 4  # raise when the stored samples or levels would differ
_VARIED = 2  # raise when variants would differ; all others stay


class _Version(NamedTuple):
    """A file, or a variant of it, and where it lies or will lie."""

    file: AudioFile
    variant: int
    samples: Path
    levels: Path
    in_place: bool


@dataclass(frozen=True, kw_only=True)
class _Unpacking:
    """What the versions of all files have in common."""

    sample_rate_hz: int
    cache: Path
    variants: int
    seed: int
    speed_group: Callable[[AudioFile], str]


def default_cache_directory() -> Path:
    """The user's cache folder for unpacked recordings: `$XDG_CACHE_HOME/tfsepgan` or `~/.cache/tfsepgan`."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "tfsepgan"


def unpack(
    files: Sequence[AudioFile],
    *,
    sample_rate_hz: int,
    cache_dir: str | os.PathLike,
    variants: int = 0,
    seed: int = 0,
    speed_group: Callable[[AudioFile], str] = lambda file: file.name,
) -> dict[str, tuple[Recording, ...]]:
    """Make sure that files lie unpacked in the cache, doing only what is missing.

    Args:
      files: recordings of a catalogue.
      sample_rate_hz: the model's rate.
      cache_dir: folder of the cache, made if it is not there.
      variants: versions of each file beside the file itself, see `variants.vary`.
      seed: seed of the variants.
      speed_group: files of one group share a variant's speed, so that the sources of a song stay together.
    Returns: file name to its recordings, the file itself first, then its variants.
    Raises: DataError for a file that cannot be decoded, or a cache that cannot be written or is full.
    """
    shared = _Unpacking(
        sample_rate_hz=sample_rate_hz,
        cache=_open_cache(Path(cache_dir)),
        variants=variants,
        seed=seed,
        speed_group=speed_group,
    )
    versions = {file.name: _versions(file, shared) for file in files}
    missing = [[version for version in group if not _is_unpacked(version)] for group in versions.values()]
    missing = [group for group in missing if group]
    _refuse_full_disk(shared, missing)
    if missing:
        _unpack_all(missing, shared)
    return {name: tuple(map(_load, group)) for name, group in versions.items()}


def _open_cache(cache: Path) -> Path:
    try:
        cache.mkdir(parents=True, exist_ok=True)
        remove_half_written(cache, older_than_seconds=ABANDONED_SECONDS)
    except OSError as error:
        raise _unwritable(cache, error) from error
    return cache


def _versions(file: AudioFile, shared: _Unpacking) -> list[_Version]:
    rate = shared.sample_rate_hz
    try:
        state, path = file.path.stat(), file.path.resolve()
        others = [f"{one.resolve()} {one.stat().st_size} {one.stat().st_mtime_ns}" for one in file.further]
    except OSError as error:
        raise DataError(f"{file.path} has gone since the data folder was read. Start again.") from error
    in_place = _can_be_read_in_place(file, rate)
    versions = []
    for variant in range(shared.variants + 1):
        key = [_VERSION, path, state.st_size, state.st_mtime_ns, rate, variant]
        if not file.is_whole:
            key += [file.channel, file.stream, *others]
        if variant:
            key += [file.name, shared.seed, shared.speed_group(file), f"varied {_VARIED}"]
        place = shared.cache / hashlib.sha256("\n".join(map(str, key)).encode()).hexdigest()[:32]
        here = in_place and variant == 0
        samples = file.path if here else place.with_suffix(".wav")
        versions.append(_Version(file, variant, samples, place.with_suffix(".levels"), here))
    return versions


def _can_be_read_in_place(file: AudioFile, sample_rate_hz: int) -> bool:
    if (
        file.sample_rate_hz != sample_rate_hz
        or file.channels != 1
        or not file.is_whole
        or file.path.suffix.lower() != ".wav"
    ):
        return False
    layout = wav_layout(file.path)
    return layout is not None and layout.is_plain and layout.data_bytes == file.frames * BYTES_PER_SAMPLE


def _is_unpacked(version: _Version) -> bool:
    """True when the levels, which are written last, and the samples are there, and neither was cut short, as by a power cut."""
    if not (version.levels.exists() and version.samples.exists()):
        return False
    layout = wav_layout(version.samples)
    if layout is None or not layout.is_plain or layout.missing_bytes or not layout.data_bytes:
        return False
    hops = -(-layout.data_bytes // BYTES_PER_SAMPLE // envelope_hop(layout.sample_rate_hz))
    return version.levels.stat().st_size == 4 * (1 + hops)


def _refuse_full_disk(shared: _Unpacking, missing: Iterable[Sequence[_Version]]) -> None:
    seconds = sum(version.file.seconds for group in missing for version in group if not version.in_place)
    need = seconds * shared.sample_rate_hz * BYTES_PER_SAMPLE
    free = shutil.disk_usage(shared.cache).free
    if need > free:
        raise DataError(
            f"Unpacking needs {need / 1e9:.2f} GB in {shared.cache}, {free / 1e9:.2f} GB are free. "
            "Make room, use fewer variants, or name a folder on a larger disk as the cache."
        )


def _unpack_all(missing: Sequence[Sequence[_Version]], shared: _Unpacking) -> None:
    """Unpack files in parallel (decoding, resampling and filtering leave Python's lock), showing progress."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    percent = TextColumn("{task.percentage:3.0f} %")
    columns = (TextColumn("unpacking recordings"), BarColumn(), percent, TimeRemainingColumn())
    quiet = not sys.stderr.isatty()
    work = [group[0].file.seconds * len(group) for group in missing]
    with (
        Progress(*columns, console=Console(stderr=True), transient=True, disable=quiet) as progress,
        ThreadPoolExecutor(max_workers=os.cpu_count() or 2) as pool,
    ):
        bar = progress.add_task("", total=sum(work))
        try:
            done = pool.map(lambda group: _unpack_file(group, shared), missing)
            for seconds, _ in zip(work, done, strict=True):
                progress.advance(bar, seconds)
        except OSError as error:
            raise _unwritable(shared.cache, error) from error
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


def _unpack_file(versions: Sequence[_Version], shared: _Unpacking) -> None:
    """Decode a file and store each version of it that is missing.

    It is decoded once, or where channels are weighed anew for each: time is cheaper here than memory for all channels of an hour.
    """
    file, to_hz = versions[0].file, shared.sample_rate_hz
    recorded, from_hz = None, file.sample_rate_hz
    for version in versions:
        weights = draw_channel_weights(shared.seed, file.name, version.variant, file.channels)
        if recorded is None or weights is not None:
            recorded = file.read(mono=True, weights=weights)
        speed = draw_speed(shared.seed, shared.speed_group(file), version.variant)
        samples = resample(recorded, from_hz * speed, to_hz)[:, 0]
        if version.variant:
            samples = vary(samples, to_hz, shared.seed, file.name, version.variant)
        _store(version, samples, to_hz)


def _store(version: _Version, samples: np.ndarray, sample_rate_hz: int) -> None:
    scale = 2.0**-15
    if not version.in_place:
        stored, scale = fitted(samples)
        write_pcm16(version.samples, stored, sample_rate_hz)
        samples = stored * np.float32(scale)  # the levels are those of what is stored, wherever it was rounded
    levels = np.concatenate([[scale], _envelope(samples, sample_rate_hz)])
    write_whole(version.levels, lambda file: file.write(levels.astype("<f4").data), lasting=False)


def fitted(samples: np.ndarray) -> tuple[np.ndarray, float]:
    """Samples as 16-bit integers times a power of two that fits the loudest; what was so before comes back to the bit.

    Args:
      samples: float32 `[time]`.
    Returns: int16 `[time]`, and what one of them is worth.
    """
    scale = 2.0**-15
    low, high = float(samples.min()), float(samples.max())
    while high >= 32767.5 * scale or low < -32768.5 * scale:  # where rounding would leave 16 bits
        scale *= 2
    while 0 < max(high, -low) < 16383 * scale and scale > 2.0**-126:  # the smallest normal number of float32
        scale /= 2
    return np.rint(samples / np.float32(scale)).astype(np.int16), scale


def _envelope(samples: np.ndarray, sample_rate_hz: int) -> np.ndarray:
    starts = np.arange(0, len(samples), envelope_hop(sample_rate_hz))
    lengths = np.diff(np.append(starts, len(samples)))
    return np.add.reduceat(np.square(samples, dtype=np.float64), starts) / lengths


def _load(version: _Version) -> Recording:
    levels = np.fromfile(version.levels, "<f4")
    return Recording(
        name=version.file.name,
        variant=version.variant,
        path=version.samples,
        frames=(version.samples.stat().st_size - HEADER_BYTES) // BYTES_PER_SAMPLE,
        scale=float(levels[0]),
        envelope=levels[1:],
    )


def _unwritable(cache: Path, error: OSError) -> DataError:
    reason = "the disk is full" if error.errno == errno.ENOSPC else error.strerror
    return DataError(
        f"The cache of unpacked recordings, {cache}, cannot be written ({reason}). "
        "Make room or name another folder as the cache."
    )
