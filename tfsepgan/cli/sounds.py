"""Writes generated sounds to WAV files, all of them or none."""

import os
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import soundfile

from tfsepgan.errors import DataError
from tfsepgan.files import HALF_WRITTEN


def sound_names(count: int, seed: int) -> list[str]:
    """Return the file names of `count` sounds of a seed."""
    digits = max(3, len(str(count - 1)))
    return [f"seed{seed}-{index:0{digits}d}.wav" for index in range(count)]


def refuse_existing(output: Path, names: Sequence[str]) -> None:
    """Raises: DataError when the output is not a folder or one of the files exists."""
    if output.exists() and not output.is_dir():
        raise DataError(f"{output} is a file; name a folder. Nothing was written.")
    existing = next((name for name in names if (output / name).exists()), None)
    if existing:
        raise DataError(
            f"{output / existing} already exists. Use another --output or --seed; nothing was"
            " written."
        )


def write_sounds(
    output: Path,
    names: Sequence[str],
    sounds: Iterable[np.ndarray],
    sample_rate_hz: int,
    *,
    subtype: str = "FLOAT",
) -> None:
    """Write each sound to a file; when one cannot be written, none is left behind.

    Args:
      output: folder, created if missing; files with these names in it are replaced.
      names: names of the files.
      sounds: `[time, 1]` each.
      sample_rate_hz: rate of the sounds.
      subtype: sample format, as in `soundfile`.
    Raises: DataError when the disk is full or read-only, or a sound exceeds full scale in a format
      that would clip it.
    """
    moved: list[Path] = []
    made_folder = not output.exists()
    try:
        output.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=output, prefix=HALF_WRITTEN) as scratch:
            for name, sound in zip(names, sounds, strict=True):
                _write(Path(scratch) / name, sound, sample_rate_hz, subtype)
            for name in names:
                os.replace(Path(scratch) / name, output / name)
                moved.append(output / name)
    except BaseException as error:
        for path in moved:
            path.unlink(missing_ok=True)
        if made_folder and output.is_dir() and not any(output.iterdir()):
            output.rmdir()
        if isinstance(
            error, (OSError, AssertionError, soundfile.LibsndfileError)
        ):  # soundfile asserts that every sample was written
            reason = error.strerror if isinstance(error, OSError) else str(error)
            raise DataError(
                f"Could not write to {output}: {reason or 'the disk is full'}. Free some space or"
                " choose another --output; nothing was written."
            ) from error
        raise


def _write(path: Path, sound: np.ndarray, sample_rate_hz: int, subtype: str) -> None:
    peak = float(np.abs(sound).max())
    if subtype != "FLOAT" and peak > 1:
        raise DataError(
            f"{path.name} has a peak of {peak:.2f}, above full scale, and {subtype} would clip it."
            " Use --subtype FLOAT; nothing was written."
        )
    soundfile.write(path, sound, sample_rate_hz, subtype=subtype)
