"""Stems before the clip policy: in memory while they are short, otherwise in files."""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import numpy as np
import soundfile

HELD_BYTES = 1 << 25  # 50 s of two stems in stereo
BLOCK = 1 << 18  # samples returned at a time


class FirstStems:
    """The samples of several stems, `[time, channels]` float32."""

    def __init__(
        self,
        files: Mapping[str, Path],
        create: Callable[[Path], soundfile.SoundFile],
        *,
        in_files: bool,
    ):
        """
        Args:
          files: one for each stem, by its name.
          create: opens a file to write.
          in_files: whether the samples go to the files from the start.
        """
        self._files, self._create = dict(files), create
        self._held: dict[str, list[np.ndarray]] = {name: [] for name in files}
        self._held_bytes = 0
        self._open: dict[str, soundfile.SoundFile] = {}
        self.in_files = in_files
        """Whether the samples are in the files."""

    def open(self) -> None:
        """Create the files, so that errors come early and other writers see the folder in use."""
        for name, path in self._files.items():
            if self.in_files:
                self._open[name] = self._create(path)
            else:
                path.touch()

    def add(self, name: str, samples: np.ndarray) -> None:
        """Append to a stem; the caller must not change the samples afterwards."""
        if self.in_files:
            self._open[name].write(samples)
            return
        self._held[name].append(samples)
        self._held_bytes += samples.nbytes
        if self._held_bytes > HELD_BYTES:
            self._move_to_files()

    def blocks(self, name: str) -> Iterator[np.ndarray]:
        """The samples of a stem; call `close` before."""
        if self.in_files:
            with soundfile.SoundFile(self._files[name]) as file:
                yield from file.blocks(BLOCK, dtype="float32", always_2d=True)
        elif held := self._held.pop(name):
            whole = np.concatenate(held)
            yield from (whole[start : start + BLOCK] for start in range(0, len(whole), BLOCK))

    def close(self) -> None:
        """Close the files, whose content is then on the disk."""
        while self._open:
            self._open.popitem()[1].close()

    def _move_to_files(self) -> None:
        self.in_files = True
        for name, path in self._files.items():
            self._open[name] = self._create(path)
            for samples in self._held.pop(name):
                self._open[name].write(samples)
