"""Many recordings to stems; a failed one does not stop the others."""

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.markup import escape

from tfsepgan.audio.decoding import probe
from tfsepgan.audio.encodings import StemFormat
from tfsepgan.audio.stem_writer import check_options
from tfsepgan.errors import DataError, TfsepganError
from tfsepgan.progress import ProgressBar
from tfsepgan.separation.files import ProgressFunction, SeparatedFile, separate_file
from tfsepgan.separation.naming import Recording, chosen_stems
from tfsepgan.separation.separator import Separator
from tfsepgan.separation.side_by_side import side_by_side
from tfsepgan.separation.stem_names import DEFAULT_NAME, refuse_shared_files, stem_files


@dataclass(frozen=True, kw_only=True)
class FailedFile:
    """A recording that could not be separated, and why; none of its stems were written."""

    path: Path
    reason: str


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """What to write for every recording, and where; the fields are those of `separate_file`."""

    output_dir: Path
    form: StemFormat
    clip: str
    stems: tuple[str, ...]
    name: str = DEFAULT_NAME

    def check(self, recordings: Sequence[Recording]) -> None:
        """Raise ConfigError where stems would replace recordings or other stems."""
        check_options(self.form, self.clip)
        refuse_shared_files(recordings, self.output_dir, self.stems, self.form, self.name)

    def places(self, recording: Recording) -> tuple[Path, ...]:
        """The files of the stems of a recording."""
        files = stem_files(self.name, recording.track, self.stems, self.form)
        return tuple(self.output_dir / file for file in files.values())


def separate_files(
    separator: Separator,
    recordings: Sequence[Recording],
    output_dir: str | os.PathLike,
    *,
    form: StemFormat | str = "wav",
    clip: str = "rescale",
    only: Sequence[str] | None = None,
    name: str = DEFAULT_NAME,
    lengths: Sequence[float] | None = None,
    console: Console | None = None,
    at_each_block: Callable[[], None] = lambda: None,
) -> tuple[list[SeparatedFile], list[FailedFile]]:
    """Separate recordings; a failed one does not stop the others.

    Args:
      separator: the model.
      recordings: as `inputs.find_inputs` gives them.
      output_dir: the stems of each go to `output_dir/recording.track/`.
      form, clip, only, name: see `files.separate_file`.
      console: shows progress and failures; None shows nothing.
      lengths, at_each_block: see `separate_each`.
    Returns: the separated and the failed recordings.
    Raises: ConfigError, before any work, where stems would replace recordings or other stems.
    """
    form = StemFormat(name=form) if isinstance(form, str) else form
    check_options(form, clip)
    stems = chosen_stems(separator.stems, only)
    wanted = Wanted(output_dir=Path(output_dir), form=form, clip=clip, stems=stems, name=name)
    wanted.check(recordings)
    done: list[SeparatedFile] = []
    failed: list[FailedFile] = []
    options = {"lengths": lengths, "console": console, "at_each_block": at_each_block}
    for _, one in separate_each(separator, recordings, wanted, **options):
        if isinstance(one, SeparatedFile):
            done.append(one)
            continue
        failed.append(one)
        if console is not None:
            console.print(f"[red]failed[/red] {escape(one.reason)}", highlight=False)
    return done, failed


def separate_each(
    separator: Separator,
    recordings: Sequence[Recording],
    wanted: Wanted,
    *,
    lengths: Sequence[float] | None = None,
    console: Console | None = None,
    at_each_block: Callable[[], None] = lambda: None,
    ended: Callable[[Recording, SeparatedFile | FailedFile], Any] = lambda recording, item: item,
) -> Iterator[tuple[Recording, Any]]:
    """Separate recordings, several short ones at a time; the stems are those of each one alone.

    Args:
      separator: the model.
      recordings: as `inputs.find_inputs` gives them.
      wanted: accepts the recordings, see `Wanted.check`.
      lengths: of the recordings, in seconds, as `length_of` gives them; measured by default.
      console: shows progress; None shows nothing.
      at_each_block: called often; an exception it raises ends the whole run, and no stem of the
        recordings in work is left.
      ended: called for each recording in its thread; by default, its result is yielded.
    Yields: each recording and what `ended` returns for it, in order.
    """
    seconds = [length_of(one) for one in recordings] if lengths is None else list(lengths)
    with ProgressBar(console, "separating", sum(seconds)) as bar:

        def work(job: tuple[Recording, float], check: Callable[[], None]) -> tuple[Recording, Any]:
            recording, length = job
            shown = 0.0

            def advance(share: float) -> None:
                nonlocal shown
                bar.advance(length * share - shown)
                shown = length * share

            def progress(samples: int, total: int) -> None:
                check()
                advance(samples / total)

            bar.describe(str(recording.track))
            item = separate_one(separator, recording, wanted, progress=progress)
            advance(1.0)
            return recording, ended(recording, item)

        limits = {"threads": separator.recordings_at_once, "room": separator.block_seconds}
        jobs = zip(zip(recordings, seconds, strict=True), seconds, strict=True)
        with closing(side_by_side(work, jobs, poll=at_each_block, **limits)) as separated:
            yield from separated


def separate_one(
    separator: Separator,
    recording: Recording,
    wanted: Wanted,
    *,
    progress: ProgressFunction | None = None,
) -> SeparatedFile | FailedFile:
    """Separate one of many recordings; an error of the recording is returned, not raised."""
    try:
        return separate_file(
            separator,
            recording.path,
            wanted.output_dir,
            track=recording.track,
            form=wanted.form,
            clip=wanted.clip,
            only=wanted.stems,
            name=wanted.name,
            progress=progress,
        )
    except TfsepganError as error:
        return failure(recording, str(error))


def failure(recording: Recording, reason: str) -> FailedFile:
    """A failed recording; its path is added to a reason that does not name it."""
    path = recording.path
    return FailedFile(path=path, reason=reason if str(path) in reason else f"{path}: {reason}")


def length_of(recording: Recording) -> float:
    """Seconds of a recording by its head; 0 where the head cannot be read.

    `separate_files` reports such a recording as failed.
    """
    try:
        return probe(recording.path).seconds
    except DataError:
        return 0.0
