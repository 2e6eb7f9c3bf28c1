"""`tfsepgan-train`: from recordings to a trained, scored and exported separator; the same command
again resumes it."""

from dataclasses import dataclass
from pathlib import Path

from tfsepgan.cli.command import Stopped, command
from tfsepgan.cli.settings import parse
from tfsepgan.config import check, flatten, to_dict
from tfsepgan.errors import ConfigError
from tfsepgan.quiet import quiet_tensorflow


@dataclass(frozen=True, kw_only=True)
class TrainOptions:
    """Where the run lives and what follows it."""

    run: str | None = None
    """Folder of the run; default: runs/<system>-<preset>. One that holds this run is resumed."""
    finish: bool = True
    """After training: score the test split, separate its mixtures, export SavedModel and TFLite."""
    test_mixtures: int = 24
    """Mixtures of the test split that are scored."""
    test_seconds: float = 10.0
    """Length of each of them, in seconds."""


def _train(arguments, console):
    experiment, options = parse(
        arguments,
        TrainOptions,
        program="tfsepgan-train",
        about="Train a separator on folders of recordings.",
    )
    check(experiment)
    for name, value in {
        "test_mixtures": options.test_mixtures,
        "test_seconds": options.test_seconds,
    }.items():
        if not 0 < value < float("inf"):
            raise ConfigError(
                f"{name} is {value}; it must be above zero. --no-finish leaves scoring out."
            )
    directory = Path(options.run or f"runs/{experiment.system}-{experiment.preset}")
    if experiment.data.data is None:
        raise ConfigError(
            "No recordings: give --data DIR, laid out as DIR/<split>/<source>/... (see"
            " docs/data.md), or take --preset demo, which has its own."
        )
    console.print(
        f"{experiment.system}, preset {experiment.preset}, run {directory}",
        style="bold",
        markup=False,
    )
    for key, value in flatten(to_dict(experiment)).items():
        console.print(f"  {key}: {value}", markup=False, highlight=False)

    from tfsepgan.cli.catalogue import show_catalogue
    from tfsepgan.data.recordings.opening import catalogue_of

    catalogue = catalogue_of(experiment.data)
    show_catalogue(catalogue, console)
    for split in ("train", *(split for split in ("valid", "test") if split in catalogue.splits)):
        catalogue.require(split, experiment.data.sources)
    if not catalogue.others("train", experiment.data.sources):
        console.print(
            "Every source of the train split is named: mixtures hold no others, and no residual is"
            " learnt or scored."
        )

    quiet_tensorflow()
    from tfsepgan.cli.finish import finish, finish_synthesis
    from tfsepgan.evaluation.scoring import scoring_mixtures
    from tfsepgan.systems import system_kind
    from tfsepgan.training.run import Run

    def mixtures_of(split: str, count: int) -> list:
        if split not in catalogue.splits:
            return []
        sources, rate_hz = experiment.data.sources, experiment.data.sample_rate_hz
        return scoring_mixtures(
            catalogue, sources, rate_hz, split=split, count=count, seconds=options.test_seconds
        )

    # Made before training, so that what is wrong with them is known before it too.
    separates = system_kind(experiment.system) != "synthesis"
    tests = mixtures_of("test", options.test_mixtures) if options.finish and separates else []
    run = Run(experiment, catalogue, directory, console)
    console.print(_sizes(run.system), highlight=False)
    outcome = run.train()
    if outcome.reason == "interrupted":
        raise Stopped(
            f"Interrupted at step {outcome.step}; {directory} holds it all. The same command goes"
            " on from there."
        )
    if outcome.reason == "time":
        console.print(f"Stopped at its time limit, at step {outcome.step}.")
    if outcome.best:
        score = outcome.best["score"]
        heard = "" if score is None else f", {score:.2f} {run.validator.score_name}"
        console.print(f"Model kept: that of step {outcome.best['step']}{heard}.", highlight=False)
    if not options.finish or not (directory / "model").is_dir():
        return
    if run.system.kind == "synthesis":
        finish_synthesis(directory, run.system, catalogue, console)
    else:
        recording = max(
            tests or mixtures_of("train", 1), key=lambda item: abs(item.mixture).mean()
        ).mixture
        finish(directory, tests, recording, console)


def _sizes(system) -> str:
    """Parameters of every network that is trained or ships."""
    networks = {"generator": system.shipped} if system.kind == "generator" else dict(system.shipped)
    networks |= {name: network for name, network in system.players.items() if name not in networks}
    return "parameters: " + ", ".join(
        f"{name} {network.count_params():,}" for name, network in networks.items()
    )


main = command(_train)

if __name__ == "__main__":
    raise SystemExit(main())
