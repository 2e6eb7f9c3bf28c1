"""One recording of one source: a file, a channel or stream of a file, or a sum of several files.

Data sets differ: MIR-1K holds the voice in the right channel, MUSDB18 four sources in one file,
Slakh2100 several files for each instrument. Nothing is copied; files are added while they are
decoded.
"""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path

import numpy as np
import soundfile

from tfsepgan.audio.decoding import checked_blocks, probe, resample, sound_blocks
from tfsepgan.errors import DataError


@dataclass(frozen=True, kw_only=True)
class AudioFile:
    """One recording of one source."""

    path: Path
    name: str
    """Its path in the native layout, with forward slashes, the same on every machine.

    In a plain folder: its path in that folder.
    """
    frames: int
    sample_rate_hz: int
    channels: int
    channel: int | None = None
    """The only channel of the file that is used, counted from 0; None uses all."""
    stream: int | None = None
    """The audio stream of a stem file that is used, counted from 0."""
    further: tuple[Path, ...] = ()
    """Files that are added to the first; all start together."""

    @property
    def seconds(self) -> float:
        """Length in seconds."""
        return self.frames / self.sample_rate_hz

    @property
    def is_whole(self) -> bool:
        """True when the recording is the whole of one file."""
        return self.channel is None and self.stream is None and not self.further

    def blocks(
        self, *, mono: bool, weights: np.ndarray | None = None, notes: list[str] | None = None
    ) -> Iterator[np.ndarray]:
        """Decode block by block: float32 `[frames, channels]`, or `[frames, 1]` when `mono`.

        Args:
          mono: True gives the mean of the channels, False all of them.
          weights: `[channels]`, weight of each channel in the mean; equal by default.
          notes: gets what decoding finds that the head does not show.
        Raises: DataError that names the file, see `decoding.checked_blocks`.
        """
        parts = [
            self._blocks_of(path, notes, mono=mono, weights=weights)
            for path in (self.path, *self.further)
        ]
        if not self.further:
            yield from parts[0]
            return
        for blocks in zip_longest(*parts):
            present = [block for block in blocks if block is not None]
            yield self._added(present, 1 if mono else self.channels)

    def _blocks_of(
        self, path: Path, notes: list[str] | None, *, mono: bool, weights: np.ndarray | None
    ) -> Iterator[np.ndarray]:
        info = probe(path, stream=self.stream)
        blocks = sound_blocks(path, info, notes=notes)
        return checked_blocks(path, info, blocks, mono=mono, channel=self.channel, weights=weights)

    def _added(self, blocks: list[np.ndarray], channels: int) -> np.ndarray:
        if any(block.shape[1] not in (1, channels) for block in blocks):
            raise DataError(
                f"{self.path} and the files that are added to it for {self.name} have different"
                " numbers of channels. Convert them to one."
            )
        total = np.zeros((max(map(len, blocks)), channels), np.float32)
        for block in blocks:
            total[: len(block)] += block
        return total

    def read(self, *, mono: bool, weights: np.ndarray | None = None) -> np.ndarray:
        """Decode all of it at its own rate: float32 `[time, channels]`, or `[time, 1]` when `mono`.

        Args, Raises: see `blocks`.
        """
        return np.concatenate(list(self.blocks(mono=mono, weights=weights)))

    def decode(self, sample_rate_hz: int, *, mono: bool = True) -> np.ndarray:
        """Decode all of it and resample it to `sample_rate_hz`; see `read`."""
        return resample(self.read(mono=mono), self.sample_rate_hz, sample_rate_hz)

    def excerpt(self, start: int, count: int) -> np.ndarray:
        """Samples of one channel of the first file, to compare recordings by.

        Returns: float32 `[count]`, or fewer at the end of the file.
        Raises: DataError when decoding fails.
        """
        if probe(self.path, stream=self.stream).stream is not None:
            return self._excerpt_of_stream(start, count)
        try:
            with soundfile.SoundFile(os.fsencode(self.path)) as sound:
                sound.seek(min(start, sound.frames))
                return sound.read(count, dtype="float32", always_2d=True)[:, self.channel or 0]
        except (soundfile.SoundFileError, RuntimeError) as error:
            raise DataError(
                f"{self.path} is corrupt ({error}). Copy it again or remove it."
            ) from error

    def _excerpt_of_stream(self, start: int, count: int) -> np.ndarray:
        kept, done = [], 0
        for block in self.blocks(mono=False):
            kept.append(block[max(0, start - done) : max(0, start + count - done), 0])
            done += len(block)
            if done >= start + count:
                break
        return np.concatenate(kept)


def open_audio(
    path: Path,
    name: str,
    *,
    further: tuple[Path, ...] = (),
    channel: int | None = None,
    stream: int | None = None,
) -> AudioFile:
    """Read the heads of a recording's files; the arguments are the fields of AudioFile.

    Raises: DataError for a file that `probe` refuses, that lacks the channel or stream, or whose
      rate differs from that of the file it is added to.
    """
    infos = [probe(path, stream=stream), *(probe(other) for other in further)]
    for file, info in zip((path, *further), infos, strict=True):
        if channel is not None and channel >= info.channels:
            raise DataError(
                f"{file} has {info.channels} channel(s); channel {channel + 1} of it was expected."
                " Copy it again."
            )
        if info.sample_rate_hz != infos[0].sample_rate_hz:
            raise DataError(
                f"{file} is at {info.sample_rate_hz} Hz, what it is added to at"
                f" {infos[0].sample_rate_hz} Hz. Resample them to one rate."
            )
    return AudioFile(
        path=path,
        name=name,
        frames=max(info.frames for info in infos),
        sample_rate_hz=infos[0].sample_rate_hz,
        channels=1 if channel is not None else max(info.channels for info in infos),
        channel=channel,
        stream=stream,
        further=further,
    )
