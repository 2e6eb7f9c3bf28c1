"""One recording on disk to its stems on disk, with memory that does not grow with its length."""

import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path, PurePath

from tfsepgan.audio.containers import read_tags
from tfsepgan.audio.decoding import SoundInfo, probe, read_blocks
from tfsepgan.audio.encodings import StemFormat
from tfsepgan.audio.formats import SUFFIXES
from tfsepgan.audio.stem_writer import Levels, StemWriter, check_options
from tfsepgan.errors import DataError
from tfsepgan.separation.naming import safe_name
from tfsepgan.separation.prefetch import ahead
from tfsepgan.separation.separator import Separator
from tfsepgan.separation.stream import RESIDUAL

READ_FRAMES = 1 << 18  # 6 s at 44.1 kHz: a call costs little next to it
READ_AHEAD, SEPARATE_AHEAD = 4, 1  # pieces that wait: 25 s of input, one block of stems

Progress = Callable[[int, int], None]
"""Told samples done and samples in all."""


@dataclass(frozen=True, kw_only=True)
class SeparatedFile:
    """What came of one recording.

    `stems`: path of every source and "residual". `frames`: samples of each. `levels`: what the clip
      policy did.
    `elapsed_seconds`: from opening to the last rename. `notes`: whatever a user should know and
      might not expect.
    """

    path: Path
    stems: dict[str, Path]
    frames: int
    channels: int
    sample_rate_hz: int
    levels: Levels
    elapsed_seconds: float
    notes: tuple[str, ...]

    @property
    def times_real_time(self) -> float:
        """Seconds of audio separated in a second."""
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
    progress: Progress | None = None,
) -> SeparatedFile:
    """Separate an audio file to `output_dir/track/SOURCE.wav` and `residual.wav`.

    The stems have the recording's own rate, channels and exact length, and sum to it; MP3, M4A and
    Opus cannot hold every rate. They appear under their names when all of them are complete;
    whatever goes wrong before leaves no stem behind. Stems of an earlier run are replaced.

    Args:
      separator: the model.
      path: audio of any kind in `audio.formats`.
      output_dir: made if need be.
      track: folder below it; the file's name without suffix if not given.
      form: wav, flac, ogg, mp3, m4a or opus; or a StemFormat, which says all of the next two.
      subtype: of WAV: FLOAT (nothing can clip), DOUBLE, PCM_16, PCM_24 or PCM_32; of FLAC: PCM_24
        or PCM_16.
      bit_rate_kbps: of MP3, M4A and Opus.
      clip: what to do when a format would clip: "rescale" (one gain for all stems), "clip" or
        "error".
      progress: told of every block.
    Returns: where the stems are, and what was done to their level.
    Raises: DataError for a recording that cannot be read or an output that cannot be written.
    """
    started = time.perf_counter()
    form = (
        form
        if isinstance(form, StemFormat)
        else StemFormat(name=form, subtype=subtype, bit_rate_kbps=bit_rate_kbps)
    )
    check_options(form, clip)
    path = Path(path)
    directory = _directory_for(path, Path(output_dir), track)
    info = probe(path)
    writer = StemWriter(
        directory,
        separator.stems,
        sample_rate_hz=info.sample_rate_hz,
        channels=info.channels,
        frames=info.frames,
        form=form,
        clip=clip,
        tags=read_tags(path) if form.name != "wav" else None,
    )
    _refuse_to_overwrite(path, writer.paths.values())
    with writer:
        frames = _write_stems(separator, path, info, writer, progress)
        levels = writer.finish()
    return SeparatedFile(
        path=path,
        stems=writer.paths,
        frames=frames,
        channels=info.channels,
        sample_rate_hz=info.sample_rate_hz,
        levels=levels,
        elapsed_seconds=time.perf_counter() - started,
        notes=(*info.notes, *_notes(levels, form, info, writer)),
    )


def _write_stems(
    separator: Separator, path: Path, info: SoundInfo, writer: StemWriter, progress: Progress | None
) -> int:
    """Read, separate and write at the same time: three threads, a bounded number of blocks between
    them."""
    blocks = ahead(read_blocks(path, info, frames=READ_FRAMES), depth=READ_AHEAD)
    stems = ahead(
        separator.stream(blocks, info.sample_rate_hz, info.channels), depth=SEPARATE_AHEAD
    )
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


def _directory_for(path: Path, output_dir: Path, track: PurePath | str | None) -> Path:
    """Where the stems of a recording go: always below the output folder."""
    if track is None:
        track = safe_name(path.stem if path.suffix.lower() in SUFFIXES else path.name)
    directory = output_dir.joinpath(*(safe_name(part) for part in PurePath(track).parts))
    if not directory.resolve().is_relative_to(output_dir.resolve()):
        raise DataError(
            f"the stems of {path} would go to {directory.resolve()}, outside {output_dir}"
        )
    return directory


def _refuse_to_overwrite(path: Path, targets) -> None:
    for target in targets:
        if target.exists() and target.samefile(path):
            raise DataError(
                f"{path} would be replaced by one of its own stems; choose another output"
            )


def _notes(
    levels: Levels, form: StemFormat, info: SoundInfo, writer: StemWriter
) -> tuple[str, ...]:
    notes = []
    if writer.rate_hz != info.sample_rate_hz:
        notes.append(
            f"the stems are at {writer.rate_hz} Hz, as {form} holds no {info.sample_rate_hz} Hz"
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
