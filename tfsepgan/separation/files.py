"""A recording on disk to stems on disk, with memory that does not grow with its length."""

import os
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath

import numpy as np

from tfsepgan.audio.containers import read_tags
from tfsepgan.audio.decoding import SoundInfo, probe, read_blocks
from tfsepgan.audio.encodings import StemFormat
from tfsepgan.audio.stem_writer import Levels, StemWriter, check_options
from tfsepgan.errors import DataError
from tfsepgan.separation import earlier
from tfsepgan.separation.naming import chosen_stems
from tfsepgan.separation.prefetch import ahead
from tfsepgan.separation.separator import Separator
from tfsepgan.separation.stem_names import DEFAULT_NAME, stem_places
from tfsepgan.separation.stream import RESIDUAL

READ_FRAMES = 1 << 18  # 6 s at 44.1 kHz: the cost of a call is negligible
READ_AHEAD, SEPARATE_AHEAD = 4, 1  # pieces that wait: 25 s of input, one block of stems

ProgressFunction = Callable[[int, int], None]
"""Called with the number of samples done, and the number of all samples."""


@dataclass(frozen=True, kw_only=True)
class SeparatedFile:
    """The result for one recording."""

    path: Path
    stems: dict[str, Path]
    """Path of every source and of "residual"."""
    frames: int
    channels: int
    sample_rate_hz: int
    levels: Levels
    """What the clip policy changed."""
    elapsed_seconds: float
    """From opening the recording to the last rename."""
    notes: tuple[str, ...]
    """Facts about the recording or its stems that a user may not expect."""

    @property
    def times_real_time(self) -> float:
        """Seconds of audio separated per second."""
        return self.frames / self.sample_rate_hz / max(self.elapsed_seconds, 1e-9)


def separate_file(
    separator: Separator,
    path: str | os.PathLike,
    output_dir: str | os.PathLike,
    *,
    track: PurePath | str | None = None,
    form: StemFormat | str = "wav",
    subtype: str | None = None,
    bit_rate_kbps: int | None = None,
    clip: str = "rescale",
    only: Sequence[str] | None = None,
    name: str = DEFAULT_NAME,
    progress: ProgressFunction | None = None,
) -> SeparatedFile:
    """Separate an audio file into `output_dir/track/SOURCE.wav` and `residual.wav`.

    The stems have the rate, channels and exact length of the recording, and sum to it; MP3, M4A and
    Opus do not support every rate. They appear once all of them are complete; an error before that
    leaves none. Stems of an earlier run are replaced.

    Args:
      separator: the model.
      path: audio of any kind in `audio.formats`.
      output_dir: created if missing.
      track: folder below it; by default as `inputs.track_of` gives it.
      form: wav, flac, ogg, mp3, m4a or opus; or a StemFormat, which replaces the next two.
      subtype: of WAV or FLAC, see `encodings.ENCODINGS`; FLOAT and DOUBLE cannot clip.
      bit_rate_kbps: of MP3, M4A and Opus.
      clip: policy for samples that would clip: "rescale" (one gain for all stems), "clip", "error".
      only: names of the stems to write; all by default.
      name: template of the files below the output folder, see `stem_names`.
      progress: called after each block.
    Returns: the paths of the stems, their levels, and notes.
    Raises: DataError for a recording that cannot be read or an output that cannot be written.
    """
    started, path = time.perf_counter(), Path(path)
    if not isinstance(form, StemFormat):
        form = StemFormat(name=form, subtype=subtype, bit_rate_kbps=bit_rate_kbps)
    check_options(form, clip)
    stems = chosen_stems(separator.stems, only)
    files = stem_places(path, Path(output_dir), track, stems, form, name)
    info, earlier_seconds = probe(path), earlier.seconds_of(files.values())
    found = list(info.notes)
    blocks = read_blocks(path, info, frames=READ_FRAMES, notes=found)
    with _writer_for(path, info, files, form, clip) as writer:
        frames = _write_stems(separator, blocks, info, writer, progress)
        levels = writer.finish()
    return SeparatedFile(
        path=path,
        stems=writer.paths,
        frames=frames,
        channels=info.channels,
        sample_rate_hz=info.sample_rate_hz,
        levels=levels,
        elapsed_seconds=time.perf_counter() - started,
        notes=(
            *found,
            *_notes(levels, form, info, writer),
            *earlier.replaced(earlier_seconds, files.values(), frames / info.sample_rate_hz),
        ),
    )


def _writer_for(
    path: Path, info: SoundInfo, files: dict[str, Path], form: StemFormat, clip: str
) -> StemWriter:
    """A writer for the stems of a recording, none of which may replace the recording."""
    if any(target.exists() and target.samefile(path) for target in files.values()):
        raise DataError(f"{path} would be replaced by one of its own stems; choose another output")
    return StemWriter(
        files,
        sample_rate_hz=info.sample_rate_hz,
        channels=info.channels,
        frames=info.frames,
        form=form,
        clip=clip,
        tags=read_tags(path) if form.name != "wav" else None,
    )


def _write_stems(
    separator: Separator,
    blocks: Iterator[np.ndarray],
    info: SoundInfo,
    writer: StemWriter,
    progress: ProgressFunction | None,
) -> int:
    """Read, separate and write; returns samples.

    Where several blocks follow each other, this is done in three threads, with few blocks between.
    """
    facts, several = (info.sample_rate_hz, info.channels), info.seconds > separator.block_seconds
    blocks = ahead(blocks, depth=READ_AHEAD) if several else blocks
    stems = separator.stream(blocks, *facts)
    stems = ahead(stems, depth=SEPARATE_AHEAD) if several else stems
    done = 0
    try:
        for block in stems:
            writer.write(block)
            done += len(block[RESIDUAL])
            if progress is not None:
                progress(done, max(done, info.frames))
    finally:
        stems.close()
        blocks.close()
    return done


def _notes(
    levels: Levels, form: StemFormat, info: SoundInfo, writer: StemWriter
) -> tuple[str, ...]:
    notes = []
    if writer.rate_hz != info.sample_rate_hz:
        notes.append(
            f"the stems are at {writer.rate_hz} Hz, as {form} does not support"
            f" {info.sample_rate_hz} Hz"
        )
    if levels.gain != 1.0:
        notes.append(
            f"all stems were multiplied by {levels.gain:.4f}, as their peak of {levels.peak:.3f}"
            f" does not fit {form}; their sum is the recording at that gain"
        )
    if levels.clipped_samples:
        notes.append(
            f"{levels.clipped_samples} samples were clipped to full scale, as a peak of"
            f" {levels.peak:.3f} does not fit {form}"
        )
    return tuple(notes)


def __getattr__(name: str):
    """The functions for many recordings, which are now in `tfsepgan.separation.bulk`."""
    if name not in ("FailedFile", "length_of", "separate_files"):
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from tfsepgan.separation import bulk

    return getattr(bulk, name)
