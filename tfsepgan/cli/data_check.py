"""`tfsepgan-data check`: lists a folder, measures levels, and says if training can run on it."""

from dataclasses import dataclass
from typing import Annotated

import tyro
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from tfsepgan.cli.command import say
from tfsepgan.config import SetLayout
from tfsepgan.errors import DataError
from tfsepgan.progress import ProgressBar


@dataclass(frozen=True, kw_only=True)
class Check:
    """Read every recording of a folder to its end and say whether training can run on it."""

    directory: Annotated[str, tyro.conf.Positional]
    """Folder of recordings (or shards, or their address), several folders separated by commas, or
    'demo'."""
    sources: tuple[str, ...] = ("piano",)
    """Sources to separate."""
    layout: SetLayout = "auto"
    """Layout of the folder: the name of a public set, 'plain' for your own folders, or 'auto' to
    detect it."""
    leave_out: tuple[str, ...] = ()
    """Recordings to leave out: patterns of SET/SPLIT/SOURCE/... in which * stands for anything."""
    window_seconds: float = 1.024
    """Length of a training window, in seconds; a recording of each source must fill one."""
    cache: str | None = None
    """Folder for recordings unpacked from shards; default: the user's cache folder."""


def check(options: Check, console: Console) -> None:
    """Print a report on a folder.

    Raises: DataError when training cannot run, after every problem is printed.
    """
    from tfsepgan.cli.catalogue import show_catalogue
    from tfsepgan.data.layouts.listing import files_in
    from tfsepgan.data.recordings.opening import open_catalogue

    problems: list[str] = []
    try:
        catalogue = open_catalogue(
            options.directory,
            options.sources,
            layout=options.layout,
            leave_out=options.leave_out,
            problems=problems,
            cache=options.cache,
        )
    finally:
        for problem in problems:
            say(console, f"  {problem}")
    show_catalogue(catalogue, console)
    count = len(problems) + len(files_in(catalogue.splits))
    catalogue.require("train", options.sources)
    _refuse_all_short(catalogue, options)
    unusable = len(problems) + _survey(catalogue, options.sources, console)
    for double in catalogue.doubles:
        say(console, f"  {double}")
    if unusable:
        raise DataError(f"{unusable} of {count} recordings cannot be used; repair or remove them.")
    if catalogue.doubles:
        raise DataError(
            f"{len(catalogue.doubles)} recordings are in two splits; remove one of each."
        )
    for split, lack in (("valid", "models cannot be chosen"), ("test", "nothing to score")):
        if split not in catalogue.splits:
            console.print(f"No {split} split: {lack}.")
    if not catalogue.others("train", options.sources):
        console.print(
            "Every source of the train split is named: mixtures will hold no others, and no"
            " residual will be scored."
        )
    console.print(f"{count} recordings, all of them readable: training can run.")


def _survey(catalogue, wanted: tuple[str, ...], console: Console) -> int:
    """Measure every recording and print levels; returns how many recordings cannot be used."""
    from tfsepgan.cli.catalogue import first_of
    from tfsepgan.data.layouts.listing import files_in
    from tfsepgan.data.recordings.survey import Survey, oddities, survey

    totals: dict[tuple[str, str], Survey] = {}
    broken, files = 0, files_in(catalogue.splits)
    with ProgressBar(console, "reading", len(files), unit="") as bar:
        for file in bar.over(files):
            total = totals.setdefault((file.split, file.source), Survey())
            try:
                measured = survey(file)
                total.add(measured)
                if odd := [*oddities(file), *measured.notes]:
                    say(console, f"  Note: {file.path} {' and '.join(odd)}.")
            except DataError as error:
                broken += 1
                say(console, f"  {error}")
    _show_levels(totals, console)
    for (split, source), total in totals.items():
        silent = [name for name in total.silent_files if name not in set(total.cancelled_files)]
        for names, what in (
            (silent, "are silent"),
            (total.cancelled_files, "have channels that cancel out, so that their mean is silent"),
        ):
            if names:
                what = f"{len(names)} recordings of {source} in {split} {what}"
                say(console, f"  {what}: {first_of(names)}")
        if split == "train" and source in wanted and total.files == len(total.silent_files):
            raise DataError(
                f"Every recording of {source!r} in {split} is silent or unreadable. Add recordings"
                " that can be trained on."
            )
    return broken


def _show_levels(totals: dict, console: Console) -> None:
    table = Table(title="levels", title_justify="left")
    for name in ("split", "source"):
        table.add_column(name)
    for name in ("RMS, dBFS", "peak, dBFS", "silence", "clipped files"):
        table.add_column(name, justify="right")
    for (split, source), total in totals.items():
        clipped = f"{total.clipped_files} of {total.files}"
        levels = f"{total.level_db:.1f}", f"{total.peak_db:.1f}", f"{100 * total.silence:.0f} %"
        table.add_row(split, escape(source), *levels, clipped)
    console.print(table)


def _refuse_all_short(catalogue, options: Check) -> None:
    for source in options.sources:
        longest = max(catalogue.splits["train"][source], key=lambda file: file.seconds)
        if longest.seconds < options.window_seconds:
            raise DataError(
                f"No recording of {source!r} in train is as long as a window of"
                f" {options.window_seconds} s; the longest is {longest.path}, {longest.seconds:.2f}"
                " s. Train with a shorter --window, or add longer recordings."
            )
