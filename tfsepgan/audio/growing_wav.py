"""A 24-bit WAV file that is complete after every block, even if the program is killed.

Source: Python's `wave`, which writes the sizes in the head again after each block.
"""

import wave
from contextlib import ExitStack, suppress
from pathlib import Path

import numpy as np

from tfsepgan.errors import DataError

BYTES = 3  # of a sample
MOST_BYTES = (1 << 32) - (1 << 20)  # sizes in a WAV header have 32 bits


class GrowingWav:
    """A context manager that appends blocks to a WAV file.

    Args:
      path: ends in .wav; must not exist unless `overwrite`.
      sample_rate_hz, channels: of the file.
      overwrite: replace a file of that name.
    Raises: DataError when it exists or cannot be written.
    """

    def __init__(self, path: Path, *, sample_rate_hz: int, channels: int, overwrite: bool = False):
        self.path, self.clipped_samples, self.frames = path, 0, 0
        self._channels = channels
        try:
            with ExitStack() as closing:
                self._file = closing.enter_context(open(path, "wb" if overwrite else "xb"))
                self._wave = closing.enter_context(wave.open(self._file, "wb"))
                self._wave.setparams((channels, BYTES, sample_rate_hz, 0, "NONE", "not compressed"))
                self.write(np.zeros((0, channels), np.float32))
                self._closing = closing.pop_all()
        except FileExistsError as error:
            raise DataError(
                f"{path} exists; choose another name or replace it with --overwrite."
            ) from error
        except OSError as error:
            raise DataError(f"cannot write {path}: {error.strerror or error}") from error

    def __enter__(self) -> "GrowingWav":
        return self

    def __exit__(self, *exception) -> None:
        with suppress(OSError):  # a full disk; the head is right already
            self._closing.close()

    def write(self, samples: np.ndarray) -> None:
        """Append `[time, channels]` float32; samples beyond full scale are clipped and counted.

        Raises: DataError when the disk or the file is full; what was written before is complete.
        """
        top = (1 << 23) - 1
        scaled = np.rint(samples * (top + 1.0))
        self.clipped_samples += int(np.count_nonzero((scaled > top) | (scaled < -top - 1)))
        integers = np.clip(scaled, -top - 1, top).astype("<i4")
        content = integers.view(np.uint8).reshape(-1, 4)[:, :BYTES].tobytes()
        if (self.frames + len(samples)) * self._channels * BYTES > MOST_BYTES:
            raise DataError(
                f"{self.path} is full: a WAV file holds 4 GB. It is complete up to here."
            )
        try:
            self._wave.writeframes(content)
            self._file.flush()
        except OSError as error:
            raise DataError(
                f"cannot write {self.path}: {error.strerror or error}; it is complete up to here."
            ) from error
        self.frames += len(samples)
