"""Stems to WAV files that appear under their names only when all of them are complete."""

import os
import shutil
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile

from tfsepgan.errors import ConfigError, DataError
from tfsepgan.separation.reading import READ_FRAMES

BYTES_PER_SAMPLE = {"FLOAT": 4, "DOUBLE": 8, "PCM_16": 2, "PCM_24": 3, "PCM_32": 4}
CLIP_POLICIES = ("rescale", "clip", "error")
WAV_LIMIT_BYTES = (1 << 32) - (1 << 20)  # sizes in a WAV header are 32 bits; RF64 is WAV with 64


@dataclass(frozen=True, kw_only=True)
class Levels:
    """What the clip policy found and did, over all the stems of a recording.

    `peak`: largest absolute sample, 1 is full scale. `gain`: what every stem was multiplied by (1 = nothing).
    `clipped_samples`: how many samples were cut to full scale.
    """

    peak: float
    gain: float
    clipped_samples: int


def check_options(subtype: str, clip: str) -> None:
    """Raise ConfigError unless the sample format and clip policy exist."""
    if subtype not in BYTES_PER_SAMPLE:
        raise ConfigError(f"got subtype {subtype!r}; wanted one of {', '.join(BYTES_PER_SAMPLE)}")
    if clip not in CLIP_POLICIES:
        raise ConfigError(f"got clip policy {clip!r}; wanted one of {', '.join(CLIP_POLICIES)}")


class StemWriter:
    """Writes the stems of one recording, all or none of them, as a context manager.

    Everything goes to hidden temporary files beside the final ones; `finish` moves them to their names. Leaving the
    context without it (an error, Ctrl-C) removes them. Integer formats are written as float first, because their
    clip policy needs the peak of the whole recording.
    """

    def __init__(
        self,
        directory: Path,
        names: Sequence[str],
        *,
        sample_rate_hz: int,
        channels: int,
        frames: int,
        subtype: str,
        clip: str,
    ):
        """
        Args:
          directory: where the stems go; made if need be.
          names: of the stems; each becomes `directory/NAME.wav`.
          sample_rate_hz, channels: of the stems.
          frames: how many samples to expect; decides between WAV and RF64 and whether the disk has room.
          subtype: FLOAT, DOUBLE, PCM_16, PCM_24 or PCM_32.
          clip: for PCM when a stem goes beyond full scale: "rescale" all stems by one gain, "clip", or "error".
        """
        check_options(subtype, clip)
        self.paths = {name: directory / f"{name}.wav" for name in names}
        self._directory, self._sample_rate_hz, self._channels = directory, sample_rate_hz, channels
        self._frames, self._subtype, self._clip = frames, subtype, clip
        self._first_subtype = subtype if subtype in ("FLOAT", "DOUBLE") else "FLOAT"
        self._written, self._highest, self._lowest = 0, 0.0, 0.0
        self._files: dict[str, soundfile.SoundFile] = {}
        self._made: list[Path] = []  # directories to take away again if nothing comes of it

    def __enter__(self) -> "StemWriter":
        try:
            self._made = [one for one in (self._directory, *self._directory.parents) if not one.exists()]
            self._directory.mkdir(parents=True, exist_ok=True)
            self._check_space()
            for name in self.paths:
                self._files[name] = self._create(self._partial(name), self._first_subtype)
        except OSError as error:
            self._discard()
            raise DataError(f"cannot write to {self._directory}: {error.strerror or error}") from error
        except BaseException:
            self._discard()
            raise
        return self

    def __exit__(self, *exception) -> None:
        self._discard()

    def write(self, stems: dict[str, np.ndarray]) -> None:
        """Append `[time, channels]` float32 to every stem."""
        for name, file in self._files.items():
            samples = stems[name]
            self._highest = max(self._highest, float(samples.max(initial=0.0)))
            self._lowest = min(self._lowest, float(samples.min(initial=0.0)))
            self._append(file, samples)
        self._written += len(samples)

    def finish(self) -> Levels:
        """Close, convert, check and give the stems their names.

        Returns: what was done about their level.
        Raises: DataError when the disk did not take everything, or on peaks beyond full scale under "error".
        """
        self._close()
        levels = Levels(peak=max(self._highest, -self._lowest), gain=1.0, clipped_samples=0)
        ready = {name: self._partial(name) for name in self.paths}
        if self._subtype != self._first_subtype:
            levels = self._convert(levels, ready)
        for name, path in ready.items():
            self._check_complete(path, name)
        for name, path in ready.items():
            try:
                os.replace(path, self.paths[name])
            except OSError as error:
                raise DataError(
                    f"{self.paths[name]} could not be put in place: {error.strerror}; remove what stands there and repeat"
                ) from error
        self._made = []
        return levels

    def _convert(self, levels: Levels, ready: dict[str, Path]) -> Levels:
        """Write the integer files from the float ones under the clip policy; updates `ready` to them."""
        top = 1.0 - 2.0 ** (1 - 8 * BYTES_PER_SAMPLE[self._subtype])  # largest positive value of the format
        excess = max(self._highest / top, -self._lowest)
        gain = 1.0 / excess if excess > 1.0 and self._clip == "rescale" else 1.0
        if excess > 1.0 and self._clip == "error":
            raise DataError(
                f"the stems peak at {levels.peak:.3f} and {self._subtype} holds 1 at most; use the FLOAT subtype, or "
                "the clip policy 'rescale' (one gain for all stems) or 'clip'"
            )
        clipped = 0
        for name in self.paths:
            source, target = self._partial(name), self._partial(f"{name}.pcm")
            with soundfile.SoundFile(source) as floats, self._create(target, self._subtype) as file:
                for block in floats.blocks(READ_FRAMES, dtype="float32", always_2d=True):
                    scaled = block * np.float32(gain)
                    if gain == 1.0:
                        clipped += int(np.count_nonzero((scaled > top) | (scaled < -1.0)))
                    self._append(file, scaled)
            os.unlink(source)
            ready[name] = target
        return Levels(peak=levels.peak, gain=gain, clipped_samples=clipped)

    def _create(self, path: Path, subtype: str) -> soundfile.SoundFile:
        size = self._frames * self._channels * BYTES_PER_SAMPLE[subtype]
        container = "RF64" if size > WAV_LIMIT_BYTES else "WAV"
        return self._guarded(
            lambda: soundfile.SoundFile(
                path, "w", self._sample_rate_hz, self._channels, subtype=subtype, format=container
            )
        )

    def _append(self, file: soundfile.SoundFile, samples: np.ndarray) -> None:
        self._guarded(lambda: file.write(samples))

    def _guarded(self, action: Callable):
        try:
            return action()
        except (
            OSError,
            soundfile.SoundFileError,
            AssertionError,
        ) as error:  # a short write is soundfile's assert
            reason = str(error).rsplit(": ", 1)[-1].strip() or "it took less than it was given"
            raise DataError(
                f"cannot write to {self._directory} ({reason}); nothing was kept there: free some space or choose "
                "another output"
            ) from error

    def _check_space(self) -> None:
        per_sample = BYTES_PER_SAMPLE[self._first_subtype]
        if self._subtype != self._first_subtype:
            per_sample += BYTES_PER_SAMPLE[self._subtype]
        needed = self._frames * self._channels * per_sample * len(self.paths)
        free = shutil.disk_usage(self._directory).free
        if free < needed:
            raise DataError(
                f"{self._directory} has {free / 1e9:.2f} GB free and the stems need {needed / 1e9:.2f} GB; free some "
                "space or choose another output"
            )

    def _check_complete(self, path: Path, name: str) -> None:
        held = self._guarded(lambda: soundfile.info(path).frames)
        if held != self._written:
            raise DataError(
                f"{self.paths[name]} came out with {held} samples; wanted {self._written}: is the disk full?"
            )

    def _partial(self, name: str) -> Path:
        return self._directory / f".{name}.wav.part"

    def _close(self) -> None:
        for file in self._files.values():
            self._guarded(file.close)
        self._files = {}

    def _discard(self) -> None:
        for file in self._files.values():
            with suppress(OSError, soundfile.SoundFileError):
                file.close()
        self._files = {}
        for name in self.paths:
            for partial in (self._partial(name), self._partial(f"{name}.pcm")):
                with suppress(OSError):
                    partial.unlink()
        for directory in self._made:
            with suppress(OSError):  # not empty: something else has come to lie there
                directory.rmdir()
