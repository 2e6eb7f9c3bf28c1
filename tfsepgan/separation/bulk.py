"""Many recordings to stems, one after the other; a failed one does not stop the others."""

import os
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.progress import (
    BarColumn,
    Progress,
    TaskProgressColumn,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from tfsepgan.audio.decoding import probe
from tfsepgan.audio.encodings import StemFormat
from tfsepgan.audio.stem_writer import check_options
from tfsepgan.errors import DataError, TfsepganError
from tfsepgan.separation.files import ProgressFunction, SeparatedFile, separate_file
from tfsepgan.separation.naming import Recording, chosen_stems
from tfsepgan.separation.separator import Separator
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
    """Separate recordings one after the other; a failed one does not stop the others.

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
) -> Iterator[tuple[Recording, SeparatedFile | FailedFile]]:
    """Separate recordings one after the other.

    Args:
      separator: the model.
      recordings: as `inputs.find_inputs` gives them.
      wanted: accepts the recordings, see `Wanted.check`.
      lengths: of the recordings, in seconds, as `length_of` gives them; measured by default.
      console: shows progress; None shows nothing.
      at_each_block: called after each block; an exception it raises ends the whole run, and no stem
        of the current recording is left.
    Yields: each recording and what became of it, when it is finished.
    """
    shown = console or Console(quiet=True)
    seconds = [length_of(one) for one in recordings] if lengths is None else list(lengths)
    with _progress_bar(shown) as bar:
        task = bar.add_task("separating", total=sum(seconds))
        before = 0.0
        for recording, length in zip(recordings, seconds, strict=True):
            bar.update(task, description=escape(str(recording.track)))

            def advance(samples: int, total: int, before=before, length=length) -> None:
                at_each_block()
                bar.update(task, completed=before + length * samples / total)

            one = separate_one(separator, recording, wanted, progress=advance)
            before += length
            bar.update(task, completed=before)
            yield recording, one


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


def _progress_bar(console: Console) -> Progress:
    columns = TextColumn("{task.description}"), BarColumn(), TaskProgressColumn()
    times = TimeElapsedColumn(), TextColumn("left"), TimeRemainingColumn()
    # results on the same terminal are printed above the bar; those that go to a file are left alone
    redirect = sys.stdout is not None and sys.stdout.isatty()
    shown = console.is_terminal
    return Progress(*columns, *times, console=console, disable=not shown, redirect_stdout=redirect)
