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

import contextlib
import errno
import hashlib
import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
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
from tfsepgan.progress import bar_on_stderr

_VERSION = 4  # increase when the stored samples or levels change
_VARIED = 2  # increase when only variants change


class _Version(NamedTuple):
    """A file, or a variant of it: how it is made and where it is (to be) stored."""

    file: AudioFile
    variant: int
    seed: int
    speed_group: str
    sample_rate_hz: int  # of the model
    samples: Path
    levels: Path
    in_place: bool


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
    cache = Path(cache_dir)
    with _writing_to(cache):
        cache.mkdir(parents=True, exist_ok=True)
        remove_half_written(cache, older_than_seconds=ABANDONED_SECONDS)
    versions = {
        file.name: _versions(file, variants, seed, speed_group(file), sample_rate_hz, cache)
        for file in files
    }
    missing = [
        [version for version in group if not _is_unpacked(version)] for group in versions.values()
    ]
    missing = [group for group in missing if group]
    new = [version for group in missing for version in group if not version.in_place]
    seconds = sum(version.file.seconds for version in new)
    refuse_full_disk(
        cache,
        seconds * sample_rate_hz * BYTES_PER_SAMPLE,
        "Unpacking",
        "Free space, use fewer variants, or use a cache folder on a larger disk.",
    )
    if missing:
        _unpack_all(missing, cache)
    return {name: tuple(map(_load, group)) for name, group in versions.items()}


@contextlib.contextmanager
def _writing_to(cache: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        reason = "the disk is full" if error.errno == errno.ENOSPC else error.strerror
        raise DataError(
            f"The cache of unpacked recordings, {cache}, cannot be written ({reason}). "
            "Free space or use another cache folder."
        ) from error


def refuse_full_disk(folder: Path, need_bytes: float, work: str, advice: str) -> None:
    """Check that a disk has enough free space.

    Args:
      folder: on the disk.
      need_bytes: space that is needed.
      work: what needs it, the start of the message.
      advice: the end of the message.
    Raises: DataError when it has not.
    """
    free = shutil.disk_usage(folder).free
    if need_bytes > free:
        raise DataError(
            f"{work} needs {readable_size(need_bytes)} in {folder}, {readable_size(free)} are free."
            f" {advice}"
        )


def _versions(
    file: AudioFile, variants: int, seed: int, speed_group: str, rate: int, cache: Path
) -> list[_Version]:
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
    for variant in range(variants + 1):
        key = [_VERSION, path, state.st_size, state.st_mtime_ns, rate, variant]
        if not file.is_whole:
            key += [file.channel, file.stream, *further]
        if variant:
            key += [file.name, seed, speed_group, f"varied {_VARIED}"]
        place = cache / hashlib.sha256("\n".join(map(str, key)).encode()).hexdigest()[:32]
        here = in_place and variant == 0
        samples = file.path if here else place.with_suffix(".wav")
        made = (file, variant, seed, speed_group, rate)
        versions.append(_Version(*made, samples, place.with_suffix(".levels"), here))
    return versions


def _can_be_read_in_place(file: AudioFile, sample_rate_hz: int) -> bool:
    mono = file.is_whole and file.channels == 1 and file.sample_rate_hz == sample_rate_hz
    layout = wav_layout(file.path) if mono and file.path.suffix.lower() == ".wav" else None
    return bool(layout and layout.is_plain and layout.data_bytes == file.frames * BYTES_PER_SAMPLE)


def _is_unpacked(version: _Version) -> bool:
    """True when samples and levels exist and are complete; levels are written last."""
    if not (version.levels.exists() and version.samples.exists()):
        return False
    layout = wav_layout(version.samples)
    if layout is None or not layout.is_plain or layout.missing_bytes or not layout.data_bytes:
        return False
    hops = -(-layout.data_bytes // BYTES_PER_SAMPLE // envelope_hop(layout.sample_rate_hz))
    return version.levels.stat().st_size == 4 * (1 + hops)


def _unpack_all(missing: Sequence[Sequence[_Version]], cache: Path) -> None:
    """Unpack files in parallel threads and show progress; most work is outside Python's lock."""
    work = [group[0].file.seconds * len(group) for group in missing]
    with (
        bar_on_stderr("unpacking recordings", sum(work)) as bar,
        _writing_to(cache),
        ThreadPoolExecutor(max_workers=os.cpu_count() or 2) as pool,
    ):
        try:
            for seconds, _ in zip(work, pool.map(_unpack_file, missing), strict=True):
                bar.advance(seconds)
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


def _unpack_file(versions: Sequence[_Version]) -> None:
    """Decode a file and store each version of it that is missing.

    It is decoded once, or once for each version that draws channel weights: this costs time, but
    not the memory for all channels of an hour of audio.
    """
    file, recorded = versions[0].file, None
    for version in versions:
        seed, to_hz, variant = version.seed, version.sample_rate_hz, version.variant
        weights = draw_channel_weights(seed, file.name, variant, file.channels)
        if recorded is None or weights is not None:
            recorded = file.read(mono=True, weights=weights)
        speed = draw_speed(seed, version.speed_group, variant)
        samples = resample(recorded, file.sample_rate_hz * speed, to_hz)[:, 0]
        if variant:
            samples = vary(samples, to_hz, seed, file.name, variant)
        _store(version, samples)


def _store(version: _Version, samples: np.ndarray) -> None:
    scale = 2.0**-15
    if not version.in_place:
        stored, scale = fitted(samples)
        write_pcm16(version.samples, stored, version.sample_rate_hz)
        # the levels are those of the stored, rounded samples
        samples = stored * np.float32(scale)
    levels = np.concatenate([[scale], _envelope(samples, version.sample_rate_hz)])
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
