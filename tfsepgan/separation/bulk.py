"""Many recordings with one model: progress with time left, and one bad file does not stop the
others."""

import os
from collections.abc import Callable, Sequence
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
from tfsepgan.errors import DataError, TfsepganError
from tfsepgan.separation.files import SeparatedFile, separate_file
from tfsepgan.separation.naming import Recording
from tfsepgan.separation.separator import Separator


@dataclass(frozen=True, kw_only=True)
class FailedFile:
    """A recording that could not be separated, and why; nothing of it was written."""

    path: Path
    reason: str


def separate_files(
    separator: Separator,
    recordings: Sequence[Recording],
    output_dir: str | os.PathLike,
    *,
    form: StemFormat | str = "wav",
    clip: str = "rescale",
    lengths: Sequence[float] | None = None,
    console: Console | None = None,
    at_each_block: Callable[[], None] = lambda: None,
) -> tuple[list[SeparatedFile], list[FailedFile]]:
    """Separate recordings one after the other; those that fail are reported and the rest still
    done.

    Args:
      separator: the model, loaded once.
      recordings: as `naming.find_inputs` gives them.
      output_dir: stems of each go to `output_dir/recording.track/`.
      form, clip: see `separate_file`.
      lengths: seconds of each recording as `length_of` gives them, where they are known; an MP3 is
        read through for its own.
      console: where to show progress and failures; None shows nothing.
      at_each_block: called now and then; what it raises ends all of it, and nothing of the
        recording at hand is left.
    Returns: what was separated, and what failed.
    """
    done: list[SeparatedFile] = []
    failed: list[FailedFile] = []
    shown = console or Console(quiet=True)
    seconds = (
        [length_of(recording) for recording in recordings] if lengths is None else list(lengths)
    )
    with _progress(shown) as progress:
        task = progress.add_task("separating", total=sum(seconds))
        before = 0.0
        for recording, length in zip(recordings, seconds, strict=True):
            progress.update(task, description=escape(str(recording.track)))

            def advance(samples: int, total: int, before=before, length=length) -> None:
                at_each_block()
                progress.update(task, completed=before + length * samples / total)

            try:
                done.append(
                    separate_file(
                        separator,
                        recording.path,
                        output_dir,
                        track=recording.track,
                        form=form,
                        clip=clip,
                        progress=advance,
                    )
                )
            except TfsepganError as error:
                failed.append(FailedFile(path=recording.path, reason=str(error)))
                shown.print(f"[red]failed[/red] {escape(str(error))}", highlight=False)
            before += length
            progress.update(task, completed=before)
    return done, failed


def _progress(console: Console) -> Progress:
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        TimeElapsedColumn(),
    )
    return Progress(*columns, TextColumn("left"), TimeRemainingColumn(), console=console)


def length_of(recording: Recording) -> float:
    """Seconds of a recording by its head; 0 for one that cannot be read, which is reported when its
    turn comes."""
    try:
        return probe(recording.path).seconds
    except DataError:
        return 0.0
