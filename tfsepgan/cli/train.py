"""`tfsepgan-train`: trains, scores and exports a separator; the same command resumes a run."""

from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import ClassVar

from tfsepgan.cli.command import Stopped, command
from tfsepgan.cli.settings import parse, require_data
from tfsepgan.cli.train_report import show_kept, show_networks, show_next, show_settings
from tfsepgan.config import Experiment, check
from tfsepgan.errors import ConfigError
from tfsepgan.quiet import quiet_tensorflow


@dataclass(frozen=True, kw_only=True)
class TrainOptions:
    """Where the run is stored and what follows training."""

    TOPICS: ClassVar = {"run": ("run", "finish", "test_mixtures")}

    run: str | None = None
    """Folder of the run; default: runs/<system>-<preset>. An existing run with the same settings
    is resumed."""
    finish: bool = True
    """After training, score the test split, write its stems, export SavedModel and TFLite."""
    test_mixtures: int = 24
    """Number of test mixtures to score."""
    test_seconds: float = 10.0
    """Length of each test mixture, in seconds."""


def _train(arguments, console):
    experiment, options = parse(
        arguments,
        TrainOptions,
        program="tfsepgan-train",
        about="Train a separator on folders of recordings.",
    )
    _refuse(experiment, options)
    directory = Path(options.run or f"runs/{experiment.system}-{experiment.preset}")
    show_settings(experiment, directory, console)
    catalogue = _open_recordings(experiment, console)

    quiet_tensorflow()
    from tfsepgan.systems import system_kind
    from tfsepgan.training.run import Run

    mixtures_of = partial(_mixtures_of, catalogue, experiment, options)
    # Made before training, so that errors in the test split appear before it.
    separates = system_kind(experiment.system) != "synthesis"
    tests = mixtures_of("test", options.test_mixtures) if options.finish and separates else []
    run = Run(experiment, catalogue, directory, console)
    show_networks(run.system, run.workers, console)
    _report(run.train(), run, console)
    try:
        if run.workers.chief and (directory / "model").is_dir():
            if options.finish:
                _finish(run, tests, mixtures_of, console)
            show_next(directory, run, console)
    finally:
        run.workers.leave()


def _refuse(experiment: Experiment, options: TrainOptions) -> None:
    check(experiment)
    for name in ("test_mixtures", "test_seconds"):
        value = getattr(options, name)
        if not 0 < value < float("inf"):
            raise ConfigError(
                f"{name} is {value}; it must be above zero. --no-finish skips scoring."
            )
    require_data(experiment)


def _open_recordings(experiment: Experiment, console):
    """Open the catalogue and print it.

    Raises: DataError when a split lacks a source.
    """
    from tfsepgan.cli.catalogue import show_catalogue
    from tfsepgan.data.recordings.opening import catalogue_of

    catalogue = catalogue_of(experiment.data)
    show_catalogue(catalogue, console)
    for split in ("train", *(split for split in ("valid", "test") if split in catalogue.splits)):
        catalogue.require(split, experiment.data.sources)
    if not catalogue.others("train", experiment.data.sources):
        console.print(
            "Every source of the train split is named: mixtures hold no others, and no residual is"
            " trained or scored."
        )
    return catalogue


def _mixtures_of(
    catalogue, experiment: Experiment, options: TrainOptions, split: str, count: int
) -> list:
    """Fixed mixtures of a split; none without the split."""
    from tfsepgan.evaluation.scoring import scoring_mixtures

    if split not in catalogue.splits:
        return []
    sources, rate_hz = experiment.data.sources, experiment.data.sample_rate_hz
    return scoring_mixtures(
        catalogue, sources, rate_hz, split=split, count=count, seconds=options.test_seconds
    )


def _report(outcome, run, console) -> None:
    """Print how training ended.

    Raises: Stopped when it was interrupted.
    """
    if outcome.reason == "interrupted":
        raise Stopped(
            f"Interrupted at step {outcome.step}; {run.directory} holds the checkpoint. The same"
            " command resumes."
        )
    if outcome.reason == "time":
        console.print(f"Stopped at its time limit, at step {outcome.step}.")
    if outcome.best and run.workers.chief:
        show_kept(outcome.best, run, console)


def _finish(run, tests: list, mixtures_of, console) -> None:
    """Score and export; without test mixtures, files are compared on a training mixture."""
    from tfsepgan.cli.finish import finish, finish_synthesis

    if run.system.kind == "synthesis":
        finish_synthesis(run.directory, run.system, run.catalogue, console)
        return
    loudest = max(tests or mixtures_of("train", 1), key=lambda item: abs(item.mixture).mean())
    finish(run.directory, tests, loudest.mixture, console)


main = command(_train)

if __name__ == "__main__":
    raise SystemExit(main())
