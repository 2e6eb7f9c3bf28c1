"""Stems to sound files, which appear under their names only when all of them are complete."""

import errno
import os
import shutil
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile
import soxr

from tfsepgan.audio.encodings import BYTES_PER_SAMPLE, StemFormat, open_encoder
from tfsepgan.audio.first_stems import HELD_BYTES, FirstStems
from tfsepgan.audio.wav import remove_time
from tfsepgan.errors import ConfigError, DataError
from tfsepgan.files import readable_size

CLIP_POLICIES = ("rescale", "clip", "error")
WAV_LIMIT_BYTES = (1 << 32) - (1 << 20)  # sizes in a WAV header are 32 bits; RF64 is WAV with 64


@dataclass(frozen=True, kw_only=True)
class Levels:
    """The levels of a recording's stems, and what the clip policy changed."""

    peak: float
    """Largest absolute sample of all stems; 1 is full scale."""
    gain: float
    """The factor that every stem was multiplied by; 1 where nothing changed."""
    clipped_samples: int
    """How many samples were clipped to full scale."""


def check_options(form: StemFormat, clip: str) -> None:
    """Raise ConfigError unless the format and clip policy exist."""
    form.check()
    if clip not in CLIP_POLICIES:
        raise ConfigError(f"got clip policy {clip!r}; wanted one of {', '.join(CLIP_POLICIES)}")


class StemWriter:
    """A context manager that writes all stems of one recording, or none.

    Samples go to hidden temporary files beside the final ones; `finish` renames these. Leaving the
    context without `finish` (an error, Ctrl-C) removes them. Stems of a format that can clip are
    kept as float first, in memory or in a file, because the clip policy needs the peak of the whole
    recording.
    """

    def __init__(
        self,
        files: Mapping[str, Path],
        *,
        sample_rate_hz: int,
        channels: int,
        frames: int,
        form: StemFormat,
        clip: str,
        tags: dict[str, str] | None = None,
    ):
        """
        Args:
          files: of the stems, by name; their folders are created if missing.
          sample_rate_hz, channels: of the stems.
          frames: expected length in samples, for the kind of WAV and the space on the disk.
          form: format of the files.
          clip: for stems beyond full scale: "rescale" (one gain for all), "clip" or "error".
          tags: of the recording, for all formats but WAV; the title gets the name of the stem.
        Raises: DataError for more channels than the format holds.
        """
        check_options(form, clip)
        form.check_channels(channels)
        self.paths = dict(files)
        self.rate_hz = form.encoding.rate_for(sample_rate_hz)
        self._folders = {path.parent for path in self.paths.values()}
        self._directory = Path(os.path.commonpath(self._folders))
        self._sample_rate_hz, self._channels = sample_rate_hz, channels
        self._frames, self._form, self._clip, self._tags = frames, form, clip, tags or {}
        self._first_subtype = form.sample_format if form.cannot_clip else "FLOAT"
        self._written, self._highest, self._lowest = 0, 0.0, 0.0
        self._first = FirstStems(
            {name: self._partial(name) for name in self.paths},
            lambda path: self._create(path, self._first_subtype),
            in_files=form.cannot_clip or self._bytes_of(frames) > HELD_BYTES,
        )
        self._created: list[Path] = []  # folders that are removed again if writing fails

    def __enter__(self) -> "StemWriter":
        try:
            needed = {one for path in self.paths.values() for one in path.parents}
            deepest_first = sorted(needed, key=lambda one: len(one.parts), reverse=True)
            self._created = [one for one in deepest_first if not one.exists()]
            for folder in self._folders:
                folder.mkdir(parents=True, exist_ok=True)
            self._check_space()
            self._first.open()
        except OSError as error:
            self._discard()
            raise DataError(
                f"cannot write to {self._directory}: {error.strerror or error}"
            ) from error
        except BaseException:
            self._discard()
            raise
        return self

    def __exit__(self, *exception) -> None:
        self._discard()

    def write(self, stems: dict[str, np.ndarray]) -> None:
        """Append `[time, channels]` float32 to every stem; the caller must not change it later."""
        for name in self.paths:
            samples = stems[name]
            self._highest = max(self._highest, float(samples.max(initial=0.0)))
            self._lowest = min(self._lowest, float(samples.min(initial=0.0)))
            self._guarded(self._first.add, name, samples)
        self._written += len(samples)

    def finish(self) -> Levels:
        """Close, check and convert the stems, and rename them to their final names.

        Returns: their levels.
        Raises: DataError when the disk did not take every sample, or for peaks beyond full scale
          under the policy "error".
        """
        self._guarded(self._first.close)
        levels = Levels(peak=max(self._highest, -self._lowest), gain=1.0, clipped_samples=0)
        ready = {name: self._partial(name) for name in self.paths}
        if self._first.in_files:
            for name, path in ready.items():
                self._check_complete(path, name)
        if self._form.cannot_clip:
            for path in ready.values():
                self._guarded(remove_time, path)
        else:
            levels = self._convert(levels, ready)
        self._put_in_place(ready)
        self._created = []
        return levels

    def _put_in_place(self, ready: dict[str, Path]) -> None:
        """Rename all stems to their final names, or none.

        Where one cannot be renamed, the stems of an earlier run are restored.
        """
        kept: dict[Path, Path] = {}
        placed: list[Path] = []
        try:
            for name, path in ready.items():
                place = self.paths[name]
                if place.is_dir():
                    raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
                if place.exists():
                    kept[place] = self._partial(name, "before")
                    os.replace(place, kept[place])
                placed.append(place)
                os.replace(path, place)
        except BaseException as error:  # Ctrl-C between two renames too
            for one in placed:
                one.unlink(missing_ok=True)
            for one, before in kept.items():
                if before.exists():
                    os.replace(before, one)
            if not isinstance(error, OSError):
                raise
            raise DataError(
                f"{place} could not be put in place: {error.strerror}; remove it and"
                " run the command again"
            ) from error
        for before in kept.values():
            before.unlink()

    def _convert(self, levels: Levels, ready: dict[str, Path]) -> Levels:
        """Write the final format from the float files under the clip policy; updates `ready`."""
        top = self._form.top
        excess = max(self._highest / top, -self._lowest)
        gain = 1.0 / excess if excess > 1.0 and self._clip == "rescale" else 1.0
        if excess > 1.0 and self._clip == "error":
            raise DataError(
                f"the stems peak at {levels.peak:.3f} and {self._form} holds at most 1; use wav"
                " with subtype FLOAT, or the clip policy 'rescale' (one gain for all stems) or"
                " 'clip'"
            )
        clipped = 0
        for name in self.paths:
            source, ready[name] = ready[name], self._partial(name, "encoded")
            clipped += self._encode(self._first.blocks(name), ready[name], name, gain)
            os.unlink(source)
        return Levels(peak=levels.peak, gain=gain, clipped_samples=clipped)

    def _encode(self, blocks: Iterable[np.ndarray], target: Path, name: str, gain: float) -> int:
        """Write one stem in its format; returns how many samples were clipped."""
        top, clipped = self._form.top, 0
        may_clip = gain == 1.0 and (self._highest > top or self._lowest < -1.0)
        resampler = self._resampler()
        encoder = self._open_encoder(target, name)
        try:
            for block in blocks:
                scaled = block if gain == 1.0 else block * np.float32(gain)
                if may_clip:
                    clipped += int(np.count_nonzero((scaled > top) | (scaled < -1.0)))
                    scaled = np.clip(scaled, -1.0, 1.0)
                fitted = resampler(scaled, last=False) if resampler else scaled
                self._guarded(encoder.write, self._form.stored(fitted))
            if resampler:
                rest = resampler(np.zeros((0, self._channels), np.float32), last=True)
                self._guarded(encoder.write, self._form.stored(rest))
        finally:
            self._guarded(encoder.close)
        return clipped

    def _resampler(self) -> Callable | None:
        """A resampler of blocks to the rate of the files; None where that is the recording's."""
        if self.rate_hz == self._sample_rate_hz:
            return None
        return soxr.ResampleStream(
            self._sample_rate_hz, self.rate_hz, self._channels, dtype="float32", quality="HQ"
        ).resample_chunk

    def _open_encoder(self, path: Path, name: str):
        if self._form.name == "wav":
            return self._create(path, self._form.sample_format)
        tags = dict(self._tags)
        if "title" in tags:
            tags["title"] = f"{tags['title']} ({name})"
        facts = {"rate_hz": self.rate_hz, "channels": self._channels, "tags": tags}
        return self._guarded(open_encoder, path, self._form, **facts)

    def _create(self, path: Path, subtype: str) -> soundfile.SoundFile:
        size = self._frames * self._channels * BYTES_PER_SAMPLE[subtype]
        kind = {"subtype": subtype, "format": "RF64" if size > WAV_LIMIT_BYTES else "WAV"}
        facts = (path, "w", self._sample_rate_hz, self._channels)
        return self._guarded(soundfile.SoundFile, *facts, **kind)

    def _guarded(self, action: Callable, *arguments, **named):
        try:
            return action(*arguments, **named)
        except (
            OSError,  # FFmpeg's errors are some of these
            soundfile.SoundFileError,
            AssertionError,  # a short write is soundfile's assert
        ) as error:
            reason = str(error).rsplit(": ", 1)[-1].removesuffix("System error.").strip()
            reason = reason or "not all samples were written"
            raise DataError(
                f"cannot write to {self._directory} ({reason}); no stem was kept: free some space"
                " or choose another output"
            ) from error

    def _check_space(self) -> None:
        per_sample = BYTES_PER_SAMPLE[self._first_subtype]
        if not self._form.cannot_clip:
            per_sample += self._form.bytes_per_sample
        needed = self._bytes_of(self._frames, per_sample)
        free = shutil.disk_usage(self._directory).free
        if free < needed:
            raise DataError(
                f"{self._directory} has {readable_size(free)} free and the stems need"
                f" {readable_size(needed)}; free some space or choose another output"
            )

    def _check_complete(self, path: Path, name: str) -> None:
        held = self._guarded(soundfile.info, path).frames
        if held != self._written:
            raise DataError(
                f"{self.paths[name]} holds {held} samples after writing; wanted {self._written}: is"
                " the disk full?"
            )

    def _bytes_of(self, frames: int, per_sample: float = 4.0) -> float:
        """Of all stems; as floats by default."""
        return frames * self._channels * per_sample * len(self.paths)

    def _partial(self, name: str, kind: str = "part") -> Path:
        path = self.paths[name]
        return path.with_name(f".{path.name}.{os.getpid()}.{kind}")

    def _discard(self) -> None:
        with suppress(OSError, soundfile.SoundFileError):
            self._first.close()
        for name in self.paths:
            for partial in (self._partial(name), self._partial(name, "encoded")):
                with suppress(OSError):
                    partial.unlink()
        for directory in self._created:
            with suppress(OSError):  # not empty: another program wrote there
                directory.rmdir()
