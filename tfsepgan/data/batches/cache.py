"""The cache: every recording unpacked once, as mono 16-bit PCM WAV at the model's rate.

Drawing windows needs random access, which is slow in mp3, ogg and FLAC. So each file is decoded,
mixed down to one channel (the mean; in variants, a weighted mean) and resampled once. It is stored
in the cache with its level over time, under a key of its path, size, modification time, rate and
variant. So a changed file is unpacked again, outdated data are never read, and a killed run leaves
no partial file.

Samples are stored times a power of two that brings their peak just below the range of 16 bits;
reading divides by it. So 16-bit audio is restored exactly, nothing is clipped, and quiet recordings
keep their detail. A mono 16-bit WAV that is already at the rate is used in place.
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
from tfsepgan.data.augment.variants import draw_channel_weights, draw_speed, vary
from tfsepgan.data.batches.unpacked import Recording, envelope_hop
from tfsepgan.errors import DataError
from tfsepgan.files import (
    ABANDONED_SECONDS,
    readable_size,
    remove_half_written,
    write_whole,
)

_VERSION = 4  # increase when the stored samples or levels change
_VARIED = 2  # increase when only variants change


class _Version(NamedTuple):
    """A file, or a variant of it, and where its samples and levels are (to be) stored."""

    file: AudioFile
    variant: int
    samples: Path
    levels: Path
    in_place: bool


@dataclass(frozen=True, kw_only=True)
class _Unpacking:
    """What all files have in common."""

    sample_rate_hz: int
    cache: Path
    variants: int
    seed: int
    speed_group: Callable[[AudioFile], str]


def default_cache_directory() -> Path:
    """The user's cache folder: `$XDG_CACHE_HOME/tfsepgan` or `~/.cache/tfsepgan`."""
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
    """Unpack the files that are not yet in the cache.

    Args:
      files: recordings of a catalogue.
      sample_rate_hz: the model's rate.
      cache_dir: folder of the cache, created if needed.
      variants: number of variants of each file, see `variants.vary`.
      seed: seed of the variants.
      speed_group: files of one group share a variant's speed, so that the sources of a song stay
        aligned.
    Returns: file name to its recordings: the file itself, then its variants.
    Raises: DataError for a file that cannot be decoded, or a cache that cannot be written or is
      full.
    """
    shared = _Unpacking(
        sample_rate_hz=sample_rate_hz,
        cache=_open_cache(Path(cache_dir)),
        variants=variants,
        seed=seed,
        speed_group=speed_group,
    )
    versions = {file.name: _versions(file, shared) for file in files}
    missing = [
        [version for version in group if not _is_unpacked(version)] for group in versions.values()
    ]
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
        further = [
            f"{one.resolve()} {one.stat().st_size} {one.stat().st_mtime_ns}" for one in file.further
        ]
    except OSError as error:
        raise DataError(
            f"{file.path} was removed after the data folder was read. Start again."
        ) from error
    in_place = _can_be_read_in_place(file, rate)
    versions = []
    for variant in range(shared.variants + 1):
        key = [_VERSION, path, state.st_size, state.st_mtime_ns, rate, variant]
        if not file.is_whole:
            key += [file.channel, file.stream, *further]
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
    return (
        layout is not None
        and layout.is_plain
        and layout.data_bytes == file.frames * BYTES_PER_SAMPLE
    )


def _is_unpacked(version: _Version) -> bool:
    """True when samples and levels exist and are complete; levels are written last."""
    if not (version.levels.exists() and version.samples.exists()):
        return False
    layout = wav_layout(version.samples)
    if layout is None or not layout.is_plain or layout.missing_bytes or not layout.data_bytes:
        return False
    hops = -(-layout.data_bytes // BYTES_PER_SAMPLE // envelope_hop(layout.sample_rate_hz))
    return version.levels.stat().st_size == 4 * (1 + hops)


def _refuse_full_disk(shared: _Unpacking, missing: Iterable[Sequence[_Version]]) -> None:
    seconds = sum(
        version.file.seconds for group in missing for version in group if not version.in_place
    )
    need = seconds * shared.sample_rate_hz * BYTES_PER_SAMPLE
    free = shutil.disk_usage(shared.cache).free
    if need > free:
        raise DataError(
            f"Unpacking needs {readable_size(need)} in {shared.cache}, {readable_size(free)} are"
            " free. "
            "Free space, use fewer variants, or use a cache folder on a larger disk."
        )


def _unpack_all(missing: Sequence[Sequence[_Version]], shared: _Unpacking) -> None:
    """Unpack files in parallel threads and show progress; most work is outside Python's lock."""
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

    It is decoded once, or once for each version that draws channel weights: this costs time, but
    not the memory for all channels of an hour of audio.
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
        # the levels are those of the stored, rounded samples
        samples = stored * np.float32(scale)
    levels = np.concatenate([[scale], _envelope(samples, sample_rate_hz)])
    write_whole(version.levels, lambda file: file.write(levels.astype("<f4").data), lasting=False)


def fitted(samples: np.ndarray) -> tuple[np.ndarray, float]:
    """Samples as 16-bit integers times a power of two that fits the peak; exact for 16-bit audio.

    Args:
      samples: float32 `[time]`.
    Returns: int16 `[time]`, and the value of one step.
    """
    scale = 2.0**-15
    low, high = float(samples.min()), float(samples.max())
    while high >= 32767.5 * scale or low < -32768.5 * scale:  # rounding would exceed 16 bits
        scale *= 2
    # down to the smallest normal number of float32
    while 0 < max(high, -low) < 16383 * scale and scale > 2.0**-126:
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
        "Free space or use another cache folder."
    )
