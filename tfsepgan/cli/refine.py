"""`tfsepgan-refine`: averages weights, softens masks, makes networks narrower, compares models."""

import json
from dataclasses import dataclass
from pathlib import Path

import tyro
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from tfsepgan.cli.command import command, say
from tfsepgan.cli.flags import inherited, read_subcommand
from tfsepgan.errors import ConfigError, DataError
from tfsepgan.files import write_whole
from tfsepgan.quiet import quiet_tensorflow
from tfsepgan.refining.settings import NarrowSettings, SoftenSettings

FILE_WIDTH = 120  # characters; a table in a file is not cut


@dataclass(frozen=True, kw_only=True)
class Average:
    """Write the mean of the weights of several models, with the settings of the last."""

    models: tuple[str, ...]
    """Runs, model folders or names, with the same network."""
    output: str
    """Folder to create."""


@dataclass(frozen=True, kw_only=True)
class Soften(SoftenSettings):
    """Soften the masks of a model by the temperature and offset with the best SI-SDR gain."""

    model: str
    """Run, model folder or name."""
    data: tyro.conf.UseAppendAction[tuple[tuple[str, ...], ...]] = ()
    """Folders of recordings, laid out as for training; repeat --data for each set. Each counts the
    same. 'demo' is the packaged set."""
    output: str
    """Folder to create."""


@dataclass(frozen=True, kw_only=True)
class Narrow(NarrowSettings):
    """Make a model smaller and faster: cut channels, then learn the estimates of the wide model."""

    model: str
    """Run, model folder or name, of kind 'filterbank'."""
    data: str
    """Folders of recordings, joined by commas, laid out as for training. Only their mixtures are
    used, made with the settings of the model's own training."""
    output: str
    """Folder to create."""


@dataclass(frozen=True, kw_only=True)
class Compare:
    """Compare the SI-SDR gain of models on the same mixtures, with standard errors."""

    models: tuple[str, ...]
    """Runs, model folders or names; the others are compared with the first."""
    data: str
    """Folder of recordings, laid out as for training; 'demo' is the packaged set."""
    splits: tuple[str, ...] = ("valid", "test")
    """Splits to score."""
    mixtures: int = 192
    """Mixtures of each split, or songs of a multitrack set."""
    seconds: float = 8.0
    """Length of each mixture, in seconds."""
    output: str | None = None
    """JSON file for all figures."""


def _refine(arguments, console):
    runs = {Average: _average, Soften: _soften, Narrow: _narrow, Compare: _compare}
    options = read_subcommand(tuple(runs), arguments, program="tfsepgan-refine")
    run = runs[type(options)]
    run(options, console)


def _average(options: Average, console: Console) -> None:
    quiet_tensorflow()
    from tfsepgan.refining.average import average_models

    average_models(options.models, Path(options.output))
    say(console, f"Mean of {len(options.models)} models: {options.output}")


def _soften(options: Soften, console: Console) -> None:
    data = [folder for group in options.data for folder in group]
    settings = inherited(options, SoftenSettings)
    settings.check(len(data))
    quiet_tensorflow()
    from tfsepgan.refining.soften import soften

    with console.status("softening") as status:
        done = soften(options.model, data, Path(options.output), settings, report=status.update)
    for of_set in done.sets:
        count, targets = len(of_set.targets), len(set(of_set.targets))
        title = f"{of_set.name}: {count} mixtures of {targets} targets"
        table = _table(f"{title}, SI-SDR gain of {done.source}, dB", "temperature", "offset")
        for pair, gains in zip(done.pairs, of_set.gains, strict=True):
            table.add_row(*(f"{value:g}" for value in pair), *_cells(gains, of_set.gains[0]))
        _show(table, of_set.left_out, console)
    temperature, offset = done.pairs[done.kept]
    console.print(f"Kept temperature {temperature:g}, offset {offset:g}: {options.output}")
    if done.held_out is None:
        console.print("Only one target: the gain on other targets is unknown.")
        return
    for of_set, held_out in zip(done.sets, done.held_out, strict=True):
        mean, _, above, over = _cells(held_out, of_set.gains[0])
        say(
            console,
            f"{of_set.name}: each target with the pair that is best on the others: {mean} dB,"
            f" {above} above zero; {over} over the model as trained.",
        )


def _narrow(options: Narrow, console: Console) -> None:
    settings = inherited(options, NarrowSettings)
    settings.check()
    quiet_tensorflow()
    from tfsepgan.refining.distil import distil

    with console.status("narrowing") as status:
        done = distil(
            options.model,
            options.data.split(","),
            Path(options.output),
            settings,
            report=status.update,
        )
    say(
        console,
        f"{done.parameters:,} parameters of {done.wide_parameters:,}; the estimates differ by"
        f" {done.after:.2%} of their energy ({done.before:.2%} before {done.steps} steps):"
        f" {options.output}",
    )


def _compare(options: Compare, console: Console) -> None:
    if not options.models:
        raise ConfigError("No models: give --models, one or more.")
    if options.mixtures < 1 or not 0 < options.seconds < float("inf"):
        raise ConfigError("--mixtures must be at least 1 and --seconds above zero.")
    quiet_tensorflow()
    from tfsepgan.refining.paired_scores import as_json, compare_models

    amount = {"count": options.mixtures, "seconds": options.seconds}
    results = []
    for result in compare_models(options.models, options.data, splits=options.splits, **amount):
        results.append(result)
        title = f"{result.split}: {result.mixtures} mixtures of {options.seconds:g} s, SI-SDR gain"
        table = _table(f"{title} of {result.source}, dB", "model")
        for model, gains in result.gains:
            table.add_row(escape(model), *_cells(gains, result.gains[0][1]))
        _show(table, result.left_out, console)
    if options.output:
        path, text = Path(options.output), json.dumps(as_json(results), indent=1)
        try:
            write_whole(path, lambda file: file.write(text.encode()))
        except OSError as error:
            raise DataError(
                f"Could not write {path}: {error.strerror or error}. Choose another --output."
            ) from error


def _table(title: str, *heads: str) -> Table:
    """A table for `_cells` whose first columns are `heads`; numbers are aligned to the right."""
    table = Table(title=escape(title))
    for head in (*heads, "mean", "median", "above zero", "over the first"):
        table.add_column(head, justify="left" if head == "model" else "right")
    return table


def _cells(gains, first) -> tuple[str, str, str, str]:
    """The summary of gains, dB `[mixtures]`, and of their differences from the first row."""
    from tfsepgan.refining.paired_scores import summarize

    summary, over = summarize(gains), summarize(gains - first)
    return (
        f"{summary.mean:+.2f} ± {summary.error:.2f}",
        f"{summary.median:+.2f}",
        f"{summary.above} of {summary.mixtures}",
        f"{over.mean:+.2f} ± {over.error:.2f}",
    )


def _show(table: Table, left_out: tuple[str, ...], console: Console) -> None:
    console.print(table, width=None if console.is_terminal else FILE_WIDTH)
    if left_out:
        what = "mixtures left out, in which the source is silent or alone"
        say(console, f"{len(left_out)} {what}: {', '.join(left_out)}")


main = command(_refine)

if __name__ == "__main__":
    raise SystemExit(main())
