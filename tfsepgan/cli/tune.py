"""`tfsepgan-tune`: a search over a system's settings that ends in a report and a preset; the same
command again goes on."""

import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from rich.markup import escape
from rich.table import Table

from tfsepgan import systems
from tfsepgan.cli.command import command
from tfsepgan.cli.settings import parse, read_file
from tfsepgan.config import Experiment, check
from tfsepgan.errors import ConfigError
from tfsepgan.quiet import quiet_tensorflow
from tfsepgan.settings.search import Choice
from tfsepgan.tuning.space import Space, resolve
from tfsepgan.tuning.space_file import read_spans


@dataclass(frozen=True, kw_only=True)
class TuneOptions:
    """What is searched, how, and where it is kept. The other settings are those of one trial, its
    budget among them."""

    output: str | None = None
    """Folder of the search; default: runs/tune-<system>-<preset>. One that holds this search is
    gone on with."""
    space: str | None = None
    """YAML file of what is searched instead of the system's own ranges, see docs/tuning.md."""
    algorithm: Literal["random", "bayesian", "hyperband"] = "bayesian"
    """Who says what is tried next."""
    trials: int | None = None
    """Most trials, the preset as it is being the first; default: 12, or a whole sweep of hyperband.
    More may be asked for later."""
    workers: int = 1
    """Trials at a time, each in a process of its own on this machine."""
    threads: int | None = None
    """Threads of each worker; default: the workers share the cores."""
    factor: int = 3
    """One in so many trials goes on to so many times the steps (hyperband)."""
    poor_db: float = 10.0
    """A trial that stays this far below the mixture ends early, in dB."""
    poor_epochs: int = 2
    """Validations that it has to get above that."""


def _tune(arguments, console):
    experiment, options = parse(
        arguments,
        TuneOptions,
        program="tfsepgan-tune",
        about="Search a system's settings for what separates best on the valid split.",
    )
    _refuse(experiment, options)
    declared = systems.search_space(experiment.system)
    spans = (
        declared
        if options.space is None
        else read_spans(read_file(options.space), declared, options.space)
    )
    space = resolve(spans, experiment, strict=options.space is not None)
    directory = Path(options.output or f"runs/tune-{experiment.system}-{experiment.preset}")

    from tfsepgan.cli.catalogue import show_catalogue
    from tfsepgan.data.recordings.opening import catalogue_of

    catalogue = catalogue_of(experiment.data)
    for split in ("train", "valid"):
        catalogue.require(split, experiment.data.sources)

    quiet_tensorflow()
    from tfsepgan.training.lock import hold, let_go
    from tfsepgan.tuning.plan import SearchPlan, prepare_search
    from tfsepgan.tuning.report import write_report
    from tfsepgan.tuning.samplers import sampler_of, trials_of
    from tfsepgan.tuning.tuner import PROCESS, is_chief, is_part, run_search
    from tfsepgan.tuning.workers import leave_with_the_pipe, search_with_workers

    names = ("algorithm", "trials", "factor", "poor_db", "poor_epochs")
    plan = SearchPlan(
        start=experiment,
        space=space,
        directory=directory,
        **{name: getattr(options, name) for name in names},
    )
    trials = trials_of(sampler_of(plan))
    prepare_search(plan)
    if is_part():
        leave_with_the_pipe()
        own = directory / "processes" / os.environ[PROCESS]
        own.mkdir(parents=True, exist_ok=True)
        hold(own)
        run_search(plan, None if is_chief() else catalogue, console)
        return
    hold(directory)
    try:
        show_catalogue(catalogue, console)
        _show(experiment, space, console)
        console.print(
            f"{options.algorithm}, {trials} trials, in {directory}", style="bold", markup=False
        )
        if options.workers == 1:
            run_search(plan, catalogue, console)
        else:
            line = [sys.executable, "-m", "tfsepgan.cli.tune", *arguments]
            search_with_workers(
                line, directory, workers=options.workers, threads=options.threads, console=console
            )
    finally:
        let_go(directory)
        write_report(plan, console)


def _refuse(experiment: Experiment, options: TuneOptions) -> None:
    check(experiment)
    for name in ("workers", "threads", "poor_epochs"):
        value = getattr(options, name)
        if value is not None and value < 1:
            raise ConfigError(f"{name} is {value}; it must be at least 1.")
    if not 0 < options.poor_db < float("inf"):
        raise ConfigError(f"poor_db is {options.poor_db}; it must be above zero.")
    if experiment.data.data is None:
        raise ConfigError(
            "No recordings: give --data DIR, laid out as DIR/<split>/<source>/... (see"
            " docs/data.md), or take --preset demo, which has its own."
        )
    if not experiment.training.validation_mixtures:
        raise ConfigError(
            "validation_mixtures is 0, and trials are compared by validation; it must be above"
            " zero."
        )


def _show(experiment: Experiment, space: Space, console) -> None:
    table = Table(
        title=f"Searched from {experiment.system}, preset {experiment.preset}", title_justify="left"
    )
    for name in ("setting", "values"):
        table.add_column(name)
    for item in space.settings:
        span = item.span
        told = (
            ", ".join(map(str, span.values))
            if isinstance(span, Choice)
            else f"{span.low} to {span.high}"
        )
        table.add_row(
            item.name, escape(told) + (", logarithmic" if getattr(span, "log", False) else "")
        )
    console.print(table)
    for name, why in space.left_out.items():
        console.print(f"Not searched: {name}, as {why}", markup=False, highlight=False)


main = command(_tune)

if __name__ == "__main__":
    raise SystemExit(main())
