"""`tfsepgan-tune`: searches settings of a system, writes a report and a preset; resumes."""

import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Literal

from rich.markup import escape
from rich.table import Table

from tfsepgan import systems
from tfsepgan.cli.command import command, say
from tfsepgan.cli.settings import parse, read_file, require_data
from tfsepgan.config import Experiment, check
from tfsepgan.errors import ConfigError
from tfsepgan.quiet import quiet_tensorflow
from tfsepgan.settings.search import Choice
from tfsepgan.tuning.space import Space, resolve
from tfsepgan.tuning.space_file import read_spans


@dataclass(frozen=True, kw_only=True)
class TuneOptions:
    """What is searched, how, and where it is stored. The other settings are those of each trial,
    its budget included."""

    TOPICS: ClassVar = {"search": ("output", "space", "algorithm", "trials", "workers")}

    output: str | None = None
    """Folder of the search; default: runs/tune-<system>-<preset>. An existing search with the same
    settings is resumed."""
    space: str | None = None
    """YAML file of ranges that replace those of the system (docs/tuning.md)."""
    algorithm: Literal["random", "bayesian", "hyperband"] = "bayesian"
    """Method that chooses the next trial."""
    trials: int | None = None
    """Largest number of trials; the first is the preset itself. Default: 12, or one sweep of
    hyperband. It can be raised later."""
    workers: int = 1
    """Trials at the same time, each in its own process on this machine."""
    threads: int | None = None
    """Threads of each worker; default: the workers share the cores."""
    factor: int = 3
    """One in this many trials continues, with this many times the steps (hyperband)."""
    poor_db: float = 10.0
    """A trial whose score stays this far below the mixture ends early, in dB."""
    poor_epochs: int = 2
    """Number of validations after which such a trial ends."""


def _tune(arguments, console):
    experiment, options = parse(
        arguments,
        TuneOptions,
        program="tfsepgan-tune",
        about="Search the settings of a system for the best separation of the valid split.",
    )
    _refuse(experiment, options)
    if experiment.training.strategy == "multiworker":
        raise ConfigError(
            "strategy is 'multiworker'; a search trains its candidates one by one, each in one"
            " process. Use --workers for several at a time."
        )
    space = _space(experiment, options)
    directory = Path(options.output or f"runs/tune-{experiment.system}-{experiment.preset}")

    from tfsepgan.data.recordings.opening import catalogue_of

    catalogue = catalogue_of(experiment.data)
    for split in ("train", "valid"):
        catalogue.require(split, experiment.data.sources)

    quiet_tensorflow()
    from tfsepgan.tuning.plan import SearchPlan, prepare_search
    from tfsepgan.tuning.samplers import sampler_of, trials_of
    from tfsepgan.tuning.tuner import is_part

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
        _take_part(plan, catalogue, console)
        return
    line = [sys.executable, "-m", "tfsepgan.cli.tune", *arguments]
    _search(plan, catalogue, options, console, trials=trials, line=line)


def _space(experiment: Experiment, options: TuneOptions) -> Space:
    """Ranges to search: those of the system, or of the file."""
    declared = systems.search_space(experiment.system)
    spans = declared
    if options.space is not None:
        spans = read_spans(read_file(options.space), declared, options.space)
    return resolve(spans, experiment, strict=options.space is not None)


def _take_part(plan, catalogue, console) -> None:
    """Run one process of a search by several: the chief, or a worker."""
    from tfsepgan.training.lock import hold
    from tfsepgan.tuning.tuner import PROCESS, is_chief, run_search
    from tfsepgan.tuning.workers import leave_with_the_pipe

    leave_with_the_pipe()
    own = plan.directory / "processes" / os.environ[PROCESS]
    own.mkdir(parents=True, exist_ok=True)
    hold(own)
    run_search(plan, None if is_chief() else catalogue, console)


def _search(plan, catalogue, options: TuneOptions, console, *, trials: int, line: list[str]):
    """Run the search here or in workers, each started with `line`, and write the report."""
    from tfsepgan.cli.catalogue import show_catalogue
    from tfsepgan.training.lock import hold, let_go
    from tfsepgan.tuning.report import write_report
    from tfsepgan.tuning.tuner import run_search
    from tfsepgan.tuning.workers import search_with_workers

    hold(plan.directory)
    try:
        show_catalogue(catalogue, console)
        _show(plan.start, plan.space, console)
        title = f"{options.algorithm}, {trials} trials, in {plan.directory}"
        console.print(title, style="bold", markup=False)
        if options.workers == 1:
            run_search(plan, catalogue, console)
        else:
            search_with_workers(
                line,
                plan.directory,
                workers=options.workers,
                threads=options.threads,
                console=console,
            )
    finally:
        let_go(plan.directory)
        write_report(plan, console)


def _refuse(experiment: Experiment, options: TuneOptions) -> None:
    check(experiment)
    for name in ("workers", "threads", "poor_epochs"):
        value = getattr(options, name)
        if value is not None and value < 1:
            raise ConfigError(f"{name} is {value}; it must be at least 1.")
    if not 0 < options.poor_db < float("inf"):
        raise ConfigError(f"poor_db is {options.poor_db}; it must be above zero.")
    require_data(experiment)
    if not experiment.training.validation_mixtures:
        raise ConfigError(
            "validation_mixtures is 0, but trials are compared by validation; it must be above"
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
        if isinstance(span, Choice):
            values = ", ".join(map(str, span.values))
        else:
            values = f"{span.low} to {span.high}"
        table.add_row(
            item.name, escape(values) + (", logarithmic" if getattr(span, "log", False) else "")
        )
    console.print(table)
    for name, why in space.left_out.items():
        say(console, f"Not searched: {name}, as {why}")


main = command(_tune)

if __name__ == "__main__":
    raise SystemExit(main())
