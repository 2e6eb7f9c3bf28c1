"""Recordings in blocks, with the defects that only decoding finds named instead of passed on."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import soundfile

from tfsepgan.data.decoding import MP3_SLACK_SECONDS, SoundInfo
from tfsepgan.errors import DataError

READ_FRAMES = 1 << 18  # 6 s at 44.1 kHz: a call costs little next to it


def read_blocks(path: Path, info: SoundInfo, *, frames: int = READ_FRAMES) -> Iterator[np.ndarray]:
    """An audio file piece by piece.

    Args:
      path: any file that libsndfile decodes.
      info: its head, as `tfsepgan.data.decoding.probe` gives it.
      frames: length of a piece.
    Yields: `[time, channels]` float32.
    Raises: DataError where it cannot be decoded, holds values that are not finite, or ends before its head says.
    """
    done = 0
    try:
        with soundfile.SoundFile(path) as file:
            while len(block := file.read(frames, dtype="float32", always_2d=True)):
                _check_finite(block, path, done)
                yield block
                done += len(block)
    except (soundfile.SoundFileError, OSError) as error:
        reason = str(error).rsplit(": ", 1)[-1].rstrip(". ")
        raise DataError(
            f"{path} is corrupt: decoding failed after {done} of {info.frames} samples ({reason}). Copy it again."
        ) from error
    slack = round(MP3_SLACK_SECONDS * info.sample_rate_hz) if "MP" in info.kind else 0
    if done < info.frames - slack:
        raise DataError(
            f"{path} is cut short: its head promises {info.frames} samples, only {done} are there. Copy it again."
        )


def _check_finite(block: np.ndarray, path: Path, before: int) -> None:
    if not np.isfinite(block).all():
        first = before + int(np.flatnonzero(~np.isfinite(block).all(axis=1))[0])
        raise DataError(
            f"{path} holds NaN or infinite samples, the first is number {first}; numbers were expected. "
            "Write the file again."
        )
