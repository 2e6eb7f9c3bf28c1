"""One trial of a search: a training run of its own with the values that were drawn, and the record
it leaves.

A search's folder holds `search.yaml` (what is searched), `oracle/` (keras-tuner's state),
`trials/NNN/` (a run each) and `results/NNN.json` (a record each, written when the trial has ended).
"""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal, NamedTuple

import keras
import tensorflow as tf
import yaml
from rich.console import Console

from tfsepgan import systems
from tfsepgan.config import Experiment, check, differences, flatten, to_dict
from tfsepgan.data.recordings.catalogue import Catalogue
from tfsepgan.errors import CheckpointError, DataError, TfsepganError
from tfsepgan.settings.search import Choice, Searched, Space, with_values
from tfsepgan.training.checkpoint import check_finite, write_atomically
from tfsepgan.training.lock import let_go
from tfsepgan.training.run import History, Run

Algorithm = Literal["random", "bayesian", "hyperband"]
SEARCH = "search.yaml"
FROM_THE_START = 0  # the trial of the preset as it is, which the others are to beat
# ends of a trial that ran its course; the others are 'poor', 'diverged' and 'failed'
WHOLE = ("finished", "time")
IMPROVEMENT = "val/si_sdr_improvement_db"
WORST_SOUNDS_DB = -60.0  # as far from the recordings as silence is


@dataclass(frozen=True, kw_only=True)
class SearchPlan:
    """What is searched, how, and where."""

    start: Experiment
    """The preset that the search starts from, under the budget of one trial."""
    space: Space
    directory: Path
    algorithm: Algorithm = "bayesian"
    trials: int | None = None
    """Most trials, that of the start included; None: what the algorithm has for a whole sweep
    (hyperband)."""
    factor: int = 3
    """One in so many trials goes on to the next round, with so many times the steps (hyperband)."""
    poor_db: float = 10.0
    """A trial further below the mixture than this ends early, and none counts as worse."""
    poor_epochs: int = 2
    """Validations that a trial has to get above that."""

    @property
    def epochs(self) -> int:
        """Validations in a whole trial."""
        return math.ceil(self.start.training.steps / self.start.training.steps_per_epoch)

    @property
    def separates(self) -> bool:
        """Whether trials are compared by SI-SDR improvement, or else by what sounds are judged by."""
        return systems.system_kind(self.start.system) != "synthesis"

    @property
    def floor_db(self) -> float:
        """The worst score that the search hears of: a trial without sense must not drown the
        differences of the others."""
        return -self.poor_db if self.separates else WORST_SOUNDS_DB

    def values(self, drawn: Mapping[str, Any]) -> dict[str, Any]:
        """Settings from what keras-tuner drew, rounded to what a person would write."""
        return {
            item.name: decoded(item, drawn[item.name])
            for item in self.space.settings
            if item.name in drawn
        }

    def experiment(self, number: int, values: Mapping[str, Any]) -> Experiment:
        """The settings of a trial."""
        return self.start if number == FROM_THE_START else with_values(self.start, values)

    def is_poor(self, history: History) -> bool:
        """Whether a separator is still far below the mixture after its first validations."""
        heard = [row[IMPROVEMENT] for row in history if IMPROVEMENT in row]
        return len(heard) >= self.poor_epochs and not max(heard) >= -self.poor_db  # NaN is poor too

    def told(self) -> dict[str, Any]:
        """Everything that must stay the same when a search goes on."""
        return {
            "algorithm": self.algorithm,
            "factor": self.factor,
            "poor_db": self.poor_db,
            "poor_epochs": self.poor_epochs,
            "space": self.space.plain(),
            "settings": to_dict(self.start),
        }


class Record(NamedTuple):
    """How a trial ended."""

    trial: int
    outcome: str  # one of WHOLE, or 'poor', 'diverged', 'failed'
    score: float | None  # of the model it keeps, dB, higher is better; None where there is none
    values: dict[str, Any]
    folder: str  # of its run, in the search's folder
    step: int
    rung: int | None = None  # the step it was to stop at, where that is not the last (hyperband)
    minutes: float = 0.0  # of training, by the clock, with the trials it goes on from
    processor_minutes: float = 0.0  # of all cores together
    parameters: int | None = None  # of what ships
    goes_on_from: int | None = None
    why: str | None = None

    @property
    def whole(self) -> bool:
        """Whether it had the whole budget, so that its score can be compared."""
        return (
            self.outcome in WHOLE
            and self.score is not None
            and (self.rung is None or self.outcome == "time")
        )


def encoded(item: Searched, value: Any) -> Any:
    """A setting's value as keras-tuner holds it: a choice as JSON text."""
    if isinstance(item.span, Choice):
        return json.dumps(next(choice for choice in item.span.values if choice == _listed(value)))
    return value


def decoded(item: Searched, drawn: Any) -> Any:
    """A setting's value from what keras-tuner drew."""
    if isinstance(item.span, Choice):
        return json.loads(drawn)
    rounded = round(drawn) if item.whole else float(f"{drawn:.4g}")
    return min(max(rounded, item.span.low), item.span.high)


def _listed(value: Any) -> Any:
    return [_listed(one) for one in value] if isinstance(value, (list, tuple)) else value


def start_values(plan: SearchPlan) -> dict[str, Any]:
    """The preset's own values of what is searched."""
    flat = flatten(to_dict(plan.start))
    return {item.name: flat[item.name] for item in plan.space.settings}


def prepare_search(plan: SearchPlan) -> None:
    """Make the search's folder, or see that the search in it is this one.

    Raises: CheckpointError when the folder holds something else or another search, or cannot be
      written.
    """
    path, mine = plan.directory / SEARCH, plan.told()
    if path.exists():
        different = _search_differences(plan, path, mine)
        if different:
            raise CheckpointError(
                f"{plan.directory} holds another search:\n  "
                + "\n  ".join(different)
                + "\nRepeat its settings to go on with it, or choose another --output folder;"
                " nothing was changed."
            )
        return
    if plan.directory.is_dir() and any(
        not item.name.startswith(".") for item in plan.directory.iterdir()
    ):
        raise CheckpointError(
            f"{plan.directory} is not empty and not a search (no {SEARCH}). Choose another --output"
            " folder; nothing was changed."
        )
    write_atomically(path, lambda file: file.write(yaml.safe_dump(mine, sort_keys=False).encode()))


def _search_differences(plan: SearchPlan, path: Path, mine: dict[str, Any]) -> list[str]:
    try:
        theirs = yaml.safe_load(path.read_text())
        different = differences(plan.start, theirs["settings"])
        return different + [
            f"{name}: the search has {theirs.get(name)}, you asked for {mine[name]}"
            for name in mine
            if name != "settings" and theirs.get(name) != mine[name]
        ]
    except (
        OSError,
        UnicodeDecodeError,
        yaml.YAMLError,
        LookupError,
        TypeError,
        AttributeError,
    ) as error:
        raise CheckpointError(
            f"{path} cannot be read: {error}. Choose another --output folder."
        ) from error


def read_records(directory: Path) -> list[Record]:
    """The records of a search, in the order of their numbers.

    Raises: CheckpointError for a file that is no record.
    """
    records = []
    for path in Path(directory).glob("results/*.json"):
        try:
            records.append(Record(**json.loads(path.read_text())))
        except (OSError, ValueError, TypeError) as error:
            raise CheckpointError(
                f"{path} is damaged: {error}. Remove it; the search then goes on without it."
            ) from error
    return sorted(records, key=lambda record: record.trial)


def record_path(directory: Path, number: int) -> Path:
    """Where the record of a trial is."""
    return Path(directory) / "results" / f"{number:03d}.json"


def run_trial(
    plan: SearchPlan,
    number: int,
    values: Mapping[str, Any],
    catalogue: Catalogue,
    console: Console,
    *,
    epochs: int | None = None,
    after: Record | None = None,
) -> Record:
    """Train one trial to its end and write its record; one that was left half-way goes on, one with
    a record is only read.

    Args:
      values: of the settings, by dotted name; the first trial, the start, has those of its preset.
      epochs: to stop at; the whole budget by default.
      after: the record of the trial that this one goes on from.
    Raises: KeyboardInterrupt when asked to stop; CheckpointError or DataError for what no other
      trial would escape either.
    """
    path = record_path(plan.directory, number)
    if path.exists():
        return next(record for record in read_records(plan.directory) if record.trial == number)
    values = start_values(plan) if number == FROM_THE_START else dict(values)
    folder = after.folder if after else f"trials/{number:03d}"
    training = plan.start.training
    until = None if epochs is None or epochs >= plan.epochs else epochs * training.steps_per_epoch
    record = Record(
        number,
        "failed",
        None,
        values,
        folder,
        0,
        until,
        goes_on_from=after.trial if after else None,
    )
    if after and after.outcome not in WHOLE:  # it would end the same way
        record = after._replace(trial=number, rung=until, goes_on_from=after.trial)
    else:
        record = _train(plan, record, catalogue, console)
    write_atomically(path, lambda file: file.write(json.dumps(record._asdict(), indent=1).encode()))
    return record


def _train(plan: SearchPlan, record: Record, catalogue: Catalogue, console: Console) -> Record:
    try:
        return _trained(plan, record, catalogue, console)
    finally:
        keras.backend.clear_session()  # the next trial has another network; this one must not stay


def _trained(plan: SearchPlan, record: Record, catalogue: Catalogue, console: Console) -> Record:
    experiment = plan.experiment(record.trial, record.values)
    experiment = replace(experiment, training=replace(experiment.training, tensorboard=False))
    # A window longer than the recordings is the trial's own fault.
    fatal = (CheckpointError,) if "window" in record.values else (CheckpointError, DataError)
    may_end_early = plan.separates and record.trial != FROM_THE_START
    run = None
    try:
        check(experiment)
        run = Run(experiment, catalogue, plan.directory / record.folder, console)
        if may_end_early and plan.is_poor(run.progress["history"]):
            let_go(run.directory)
            return _told(record, run, "poor")
        watch = (
            (lambda history: "poor" if plan.is_poor(history) else None) if may_end_early else None
        )
        outcome = run.train(until=record.rung, watch=watch)
    except (TfsepganError, tf.errors.ResourceExhaustedError, MemoryError) as error:
        diverged = run is not None and (run.diverged or not _finite(run.system))
        if isinstance(error, fatal) and not diverged:
            raise
        console.print(f"Trial {record.trial} ends here: {error}", markup=False, highlight=False)
        told = _told(record, run, "diverged" if diverged else "failed") if run else record
        return told._replace(score=None, why=str(error) or type(error).__name__)
    if outcome.reason == "interrupted":
        raise KeyboardInterrupt(
            f"Interrupted in trial {record.trial}, at step {outcome.step}; {plan.directory} holds"
            " it all. The same command goes on from there."
        )
    return _told(record, run, outcome.reason)


def _finite(system: Any) -> bool:
    try:
        check_finite(system)
    except CheckpointError:
        return False
    return True


def _told(record: Record, run: Run, outcome: str) -> Record:
    progress = run.progress
    score = progress["best"].get("score")
    shipped = run.system.shipped
    networks = shipped.values() if isinstance(shipped, Mapping) else [shipped]
    why = None
    if score is None or not math.isfinite(score):
        score, outcome, why = None, "failed" if outcome in WHOLE else outcome, "It has no score."
    return record._replace(
        outcome=outcome,
        score=score,
        step=progress["step"],
        minutes=round(progress["seconds"] / 60, 3),
        processor_minutes=round(progress["processor_seconds"] / 60, 3),
        parameters=sum(network.count_params() for network in networks),
        why=why,
    )
