"""Sound files to arrays: wav, flac, ogg and mp3 at any rate and channel count, checked as they are read.

libsndfile decodes, soxr resamples. A file that cannot be trusted (empty, corrupt, cut short, not audio,
holding values that are not numbers) raises a DataError with its name; nothing is skipped or repaired. An ogg
file has no length in its head and so cannot be found to be cut short; an mp3's length is an estimate, see
MP3_SLACK_SECONDS.
"""

import os
from pathlib import Path
from typing import NamedTuple

import numpy as np
import soundfile
import soxr

from tfsepgan.data.wav import wav_layout
from tfsepgan.errors import DataError

SUFFIXES = (".wav", ".flac", ".ogg", ".mp3")
MP3_SLACK_SECONDS = 0.5  # libsndfile counts up to 0.27 s more than decodes, measured on 730 files
FEWEST_SAMPLES = 64  # fewer are no recording, and resampling may leave none of them
_BLOCK = 1 << 20  # frames decoded at a time, so that a long stereo file never lies in memory twice


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
    blocks = []
    try:
        with soundfile.SoundFile(str(path)) as file:
            while len(block := file.read(_BLOCK, dtype="float32", always_2d=True)):
                blocks.append(block.mean(axis=1, keepdims=True) if mono and info.channels > 1 else block)
    except (soundfile.SoundFileError, RuntimeError) as error:
        done = sum(map(len, blocks)) / info.sample_rate_hz
        raise DataError(
            f"{path} is corrupt: decoding failed after {done:.1f} of {info.seconds:.1f} s "
            f"({_reason(error)}). Copy it again or remove it."
        ) from error
    samples = np.concatenate(blocks) if blocks else np.zeros((0, 1), np.float32)
    slack = MP3_SLACK_SECONDS * info.sample_rate_hz if "MP" in info.kind else 0
    if len(samples) < info.frames - slack:
        raise _cut_short(path, info.seconds, len(samples) / info.sample_rate_hz)
    if len(samples) < FEWEST_SAMPLES:
        raise DataError(f"{path} holds no audio ({len(samples)} samples). Copy it again or remove it.")
    if not np.isfinite(samples).all():
        first = int(np.flatnonzero(~np.isfinite(samples).all(axis=1))[0])
        raise DataError(
            f"{path} holds NaN or infinite samples, the first at {first / info.sample_rate_hz:.3f} s; "
            "numbers were expected. Write the file again or remove it."
        )
    return samples, info.sample_rate_hz


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
