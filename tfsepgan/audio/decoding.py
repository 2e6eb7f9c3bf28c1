"""Sound files to arrays: every kind in `formats`, any rate and channel count, checked while read.

libsndfile decodes, and PyAV does where libsndfile cannot; soxr resamples. A file that is corrupt or
truncated, or holds NaN, infinity or samples far beyond full scale raises a DataError that names it.
Nothing is skipped or repaired.
"""

import math
import os
from collections.abc import Iterable, Iterator

import numpy as np
import soundfile
import soxr

from tfsepgan.audio.containers import stream_blocks
from tfsepgan.audio.formats import FEWEST_SAMPLES, LOUDEST
from tfsepgan.audio.probing import SoundInfo, cut_short, probe, reason_of
from tfsepgan.errors import DataError

# frames decoded at a time: little memory for many channels, and blocks of two files line up
BLOCK = 1 << 16


def read(path: str | os.PathLike, *, mono: bool) -> tuple[np.ndarray, int]:
    """Decode a whole file at its own rate.

    Args:
      path: a file of any kind in `formats`.
      mono: True gives the mean of the channels, False all of them.
    Returns: float32 `[time, channels]` (full scale is 1; samples beyond it are kept), and the rate
      in Hz.
    Raises: DataError as `probe` and `checked_blocks` do.
    """
    info = probe(path)
    return (
        np.concatenate(list(checked_blocks(path, info, sound_blocks(path, info), mono=mono))),
        info.sample_rate_hz,
    )


def sound_blocks(
    path: str | os.PathLike, info: SoundInfo, *, frames: int = BLOCK, notes: list[str] | None = None
) -> Iterator[np.ndarray]:
    """Decode a file block by block without checks: float32 `[frames, channels]`.

    Args:
      path, info: the file, and its head as `probe` gives it.
      frames: length of a block; blocks of a container have about a thousand samples in any case.
      notes: gets what decoding finds that the head does not show: broken frames of MPEG audio.
    """
    if info.stream is not None:
        yield from stream_blocks(path, info.stream, notes)
        return
    with soundfile.SoundFile(os.fsencode(path)) as file:
        while len(block := file.read(frames, dtype="float32", always_2d=True)):
            yield block


def read_blocks(
    path: str | os.PathLike, info: SoundInfo, *, frames: int = BLOCK, notes: list[str] | None = None
) -> Iterator[np.ndarray]:
    """Decode all channels of a file block by block, checked: float32 `[frames, channels]`.

    Args, Raises: see `sound_blocks` and `checked_blocks`.
    """
    blocks = sound_blocks(path, info, frames=frames, notes=notes)
    return checked_blocks(path, info, blocks, mono=False)


def checked_blocks(
    path: str | os.PathLike,
    info: SoundInfo,
    blocks: Iterable[np.ndarray],
    *,
    mono: bool,
    channel: int | None = None,
    weights: np.ndarray | None = None,
) -> Iterator[np.ndarray]:
    """Check decoded blocks: complete, finite, within LOUDEST; pick a channel or mix them down.

    Args:
      path, info: the file, and its head as `probe` gives it.
      blocks: float32 `[frames, channels]`.
      mono: True gives the mean of the channels, False all of them.
      channel: only this channel, counted from 0; None takes all.
      weights: `[channels]`, weight of each channel in the mean when `mono`; equal by default.
        Weights beyond the channels of the file are ignored.
    Yields: float32 `[frames, channels]`, or `[frames, 1]`.
    Raises: DataError that names the file when decoding fails, ends early, gives NaN, infinity or
      samples beyond LOUDEST.
    """
    done, rate_hz = 0, info.sample_rate_hz
    blocks = iter(blocks)
    while True:
        try:
            block = next(blocks, None)
        except (soundfile.SoundFileError, RuntimeError, ValueError, OSError) as error:
            raise DataError(
                f"{path} is corrupt: decoding failed after {done / rate_hz:.1f} of"
                f" {info.seconds:.1f} s ({reason_of(error)}). Copy it again or remove it."
            ) from error
        if block is None:
            break
        _check_values(path, block, done, rate_hz)
        done += len(block)
        if channel is not None:
            block = block[:, channel : channel + 1]
        yield _mixed_down(block, weights) if mono and block.shape[1] > 1 else block
    if done < info.frames - info.slack:
        raise cut_short(path, info.frames, done, rate_hz)
    if done < FEWEST_SAMPLES:
        raise DataError(f"{path} holds no audio ({done} samples). Copy it again or remove it.")


def _check_values(path: str | os.PathLike, block: np.ndarray, start: int, rate_hz: int) -> None:
    """Raise DataError for samples of a block that are not finite, or beyond LOUDEST.

    Args:
      start: index of the first sample of the block in the file.
    """
    high, low = float(block.max(initial=0.0)), float(block.min(initial=0.0))
    if not (math.isfinite(high) and math.isfinite(low)):
        first = start + int(np.flatnonzero(~np.isfinite(block).all(axis=1))[0])
        raise DataError(
            f"{path} holds NaN or infinite samples, the first at {first / rate_hz:.3f} s; "
            "numbers were expected. Write the file again or remove it."
        )
    loudest = max(high, -low)
    if loudest > LOUDEST:
        raise DataError(
            f"{path} holds samples of {loudest:.3g} times full scale, {start / rate_hz:.1f} s in or"
            " later; it is damaged. Write the file again or remove it."
        )


def _mixed_down(block: np.ndarray, weights: np.ndarray | None) -> np.ndarray:
    if weights is None and block.shape[1] == 2:  # the bits of `mean`, in less than half its time
        return ((block[:, 0] + block[:, 1]) / 2)[:, None]
    if weights is None:
        return block.mean(axis=1, keepdims=True)
    present = weights[: block.shape[1]]
    return np.sum(block * (present / present.sum()), axis=1, keepdims=True)


def resample(samples: np.ndarray, from_hz: float, to_hz: float) -> np.ndarray:
    """Resample with soxr's high-quality setting; equal rates return the array itself.

    Args:
      samples: float32 `[time, channels]`.
      from_hz, to_hz: rates; only their ratio matters.
    Returns: float32 `[round(time * to / from), channels]`.
    """
    if from_hz == to_hz:
        return samples
    return np.ascontiguousarray(soxr.resample(samples, from_hz, to_hz, quality="HQ"), np.float32)


def decode(path: str | os.PathLike, sample_rate_hz: int, *, mono: bool = True) -> np.ndarray:
    """Decode a whole file and resample it.

    Returns: float32 `[time, channels]`; `[time, 1]`, the mean of the channels, when `mono`.
    Raises: DataError as `read` does.
    """
    samples, rate = read(path, mono=mono)
    return resample(samples, rate, sample_rate_hz)
