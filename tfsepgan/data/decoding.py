"""Sound files to arrays: wav, flac, ogg and mp3 at any rate and channel count, checked as they are read.

libsndfile decodes, soxr resamples. A file that cannot be trusted (empty, corrupt, cut short, not audio,
holding values that are not numbers) raises a DataError with its name; nothing is skipped or repaired. An ogg
file has no length in its head and so cannot be found to be cut short; an mp3's length is an estimate, see
MP3_SLACK_SECONDS.
"""

import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import soundfile
import soxr

from tfsepgan.data.wav import wav_layout
from tfsepgan.errors import DataError

SUFFIXES = (".wav", ".flac", ".ogg", ".mp3")
MP3_SLACK_SECONDS = 0.5  # libsndfile counts up to 0.27 s more than decodes, measured on 730 files
LOUDEST = 2.0**31  # of full scale: 32-bit integers written as floating point; louder is damage
FEWEST_SAMPLES = 64  # fewer are no recording, and resampling may leave none of them
BLOCK = 1 << 16  # frames decoded at a time: a file of many channels takes little memory, and blocks of two files fit


class SoundInfo(NamedTuple):
    """What the head of a sound file says."""

    frames: int
    sample_rate_hz: int
    channels: int
    kind: str

    @property
    def seconds(self) -> float:
        """Length in seconds."""
        return self.frames / self.sample_rate_hz


def probe(path: str | os.PathLike) -> SoundInfo:
    """Read the head of a sound file, not its samples.

    Raises: DataError when the file is missing, empty, not audio, or a WAV shorter than its head says.
    """
    path = Path(path)
    try:
        size = path.stat().st_size
    except OSError as error:
        raise DataError(f"{path} cannot be read ({error.strerror}). Check the path and its permissions.") from error
    if size == 0:
        raise DataError(f"{path} is empty (0 bytes); a recording was expected. Copy it again or remove it.")
    try:
        head = soundfile.info(str(path))
    except (soundfile.SoundFileError, RuntimeError) as error:
        raise DataError(
            f"{path} is not audio that can be decoded ({_reason(error)}); wav, flac, ogg or mp3 was "
            "expected. Convert it, copy it again or remove it."
        ) from error
    layout = wav_layout(path) if head.format.startswith("WAV") else None
    if layout is not None and layout.missing_bytes:
        bytes_per_second = max(1, layout.sample_rate_hz * layout.channels * layout.bits // 8)
        raise _cut_short(path, layout.data_bytes / bytes_per_second, head.frames / head.samplerate)
    if head.frames < FEWEST_SAMPLES:
        raise DataError(f"{path} holds no audio ({max(0, head.frames)} samples). Copy it again or remove it.")
    return SoundInfo(head.frames, head.samplerate, head.channels, head.format)


def read(path: str | os.PathLike, *, mono: bool) -> tuple[np.ndarray, int]:
    """Decode a whole file at its own rate.

    Args:
      path: a wav, flac, ogg or mp3 file.
      mono: True gives the mean of the channels, False all of them.
    Returns: float32 `[time, channels]` (full scale is 1; louder is kept), and its rate in Hz.
    Raises: DataError as `probe` does, and when decoding fails, ends early, or gives NaN or infinity.
    """
    info = probe(path)
    return np.concatenate(list(checked_blocks(path, info, sound_blocks(path), mono=mono))), info.sample_rate_hz


def sound_blocks(path: str | os.PathLike) -> Iterator[np.ndarray]:
    """Decode a file with libsndfile, BLOCK frames at a time: float32 `[frames, channels]`, all but the last of BLOCK."""
    with soundfile.SoundFile(str(path)) as file:
        while len(block := file.read(BLOCK, dtype="float32", always_2d=True)):
            yield block


def checked_blocks(
    path: str | os.PathLike,
    info: SoundInfo,
    blocks: Iterable[np.ndarray],
    *,
    mono: bool,
    channel: int | None = None,
    weights: np.ndarray | None = None,
) -> Iterator[np.ndarray]:
    """Pass on what a decoder gives, making sure that it is all that the head promised, and numbers.

    Args:
      path, info: what is decoded, and what its head says.
      blocks: float32 `[frames, channels]`.
      mono: True gives the mean of the channels, False all of them.
      channel: only this one, counted from 0; None takes all.
      weights: `[channels]`, what each counts for when `mono`, of their sum; by default all count the same. Those that the file does
        not have are left out.
    Raises: DataError that names the file when decoding fails, ends early, or gives NaN or infinity.
    """
    done, rate_hz = 0, info.sample_rate_hz
    blocks = iter(blocks)
    while True:
        try:
            block = next(blocks, None)
        except (soundfile.SoundFileError, RuntimeError, ValueError, OSError) as error:
            raise DataError(
                f"{path} is corrupt: decoding failed after {done / rate_hz:.1f} of {info.seconds:.1f} s "
                f"({_reason(error)}). Copy it again or remove it."
            ) from error
        if block is None:
            break
        if not np.isfinite(block).all():
            first = done + int(np.flatnonzero(~np.isfinite(block).all(axis=1))[0])
            raise DataError(
                f"{path} holds NaN or infinite samples, the first at {first / rate_hz:.3f} s; "
                "numbers were expected. Write the file again or remove it."
            )
        loudest = float(np.abs(block).max(initial=0.0))
        if loudest > LOUDEST:
            raise DataError(
                f"{path} holds samples of {loudest:.3g} times full scale, the first {done / rate_hz:.1f} s in or later; it is "
                "damaged. Write the file again or remove it."
            )
        done += len(block)
        if channel is not None:
            block = block[:, channel : channel + 1]
        yield _mixed_down(block, weights) if mono and block.shape[1] > 1 else block
    slack = MP3_SLACK_SECONDS * rate_hz if "MP" in info.kind else 0
    if done < info.frames - slack:
        raise _cut_short(path, info.seconds, done / rate_hz)
    if done < FEWEST_SAMPLES:
        raise DataError(f"{path} holds no audio ({done} samples). Copy it again or remove it.")


def _mixed_down(block: np.ndarray, weights: np.ndarray | None) -> np.ndarray:
    if weights is None:
        return block.mean(axis=1, keepdims=True)
    own = weights[: block.shape[1]]
    return np.sum(block * (own / own.sum()), axis=1, keepdims=True)


def resample(samples: np.ndarray, from_hz: float, to_hz: float) -> np.ndarray:
    """Change the rate with soxr's high-quality setting; equal rates give the array back as it is.

    Args:
      samples: float32 `[time, channels]`.
      from_hz, to_hz: rates; only their ratio matters.
    Returns: float32 `[round(time * to / from), channels]`.
    """
    if from_hz == to_hz:
        return samples
    return np.ascontiguousarray(soxr.resample(samples, from_hz, to_hz, quality="HQ"), np.float32)


def decode(path: str | os.PathLike, sample_rate_hz: int, *, mono: bool = True) -> np.ndarray:
    """Decode a whole file at the rate asked for.

    Returns: float32 `[time, channels]`; one channel, the mean of all, when `mono`.
    Raises: DataError, see `read`.
    """
    samples, rate = read(path, mono=mono)
    return resample(samples, rate, sample_rate_hz)


def _reason(error: Exception) -> str:
    return str(error).rsplit(": ", 1)[-1].rstrip(". ")


def _cut_short(path: str | os.PathLike, promised_seconds: float, seconds: float) -> DataError:
    return DataError(
        f"{path} is cut short: its head promises {promised_seconds:.2f} s, only {seconds:.2f} s are there. "
        "Copy it again or remove it."
    )
