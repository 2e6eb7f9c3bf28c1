"""One trial of a search: a training run with the values that were drawn."""

import json
import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import keras
import tensorflow as tf
from rich.console import Console

from tfsepgan.config import check
from tfsepgan.data.recordings.catalogue import Catalogue
from tfsepgan.errors import CheckpointError, DataError, TfsepganError
from tfsepgan.training.checkpoint import check_finite, write_atomically
from tfsepgan.training.lock import let_go
from tfsepgan.training.records import History
from tfsepgan.training.run import Run
from tfsepgan.tuning.plan import SearchPlan, start_values
from tfsepgan.tuning.records import START, WHOLE, Record, read_record, record_path


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
    """Train one trial and write its record.

    A trial that was interrupted is resumed; a trial that has a record is only read.

    Args:
      values: the settings by dotted name; the first trial has those of the preset.
      epochs: number of epochs after which it stops; the whole budget by default.
      after: the record of the trial that this one continues.
    Raises: KeyboardInterrupt when interrupted; CheckpointError or DataError for errors that would
      affect every trial.
    """
    path = record_path(plan.directory, number)
    if path.exists():
        return read_record(path)
    values = start_values(plan) if number == START else dict(values)
    folder = after.folder if after else f"trials/{number:03d}"
    training = plan.start.training
    until = None if epochs is None or epochs >= plan.epochs else epochs * training.steps_per_epoch
    place = {"trial": number, "rung": until, "goes_on_from": after.trial if after else None}
    if after and after.outcome not in WHOLE:  # it would end in the same way
        record = after._replace(**place)
    else:
        record = Record(outcome="failed", score=None, values=values, folder=folder, step=0, **place)
        try:
            record = _train(plan, record, catalogue, console)
        finally:
            keras.backend.clear_session()  # frees this network before the next one is built
    write_atomically(path, lambda file: file.write(json.dumps(record._asdict(), indent=1).encode()))
    return record


def _train(plan: SearchPlan, record: Record, catalogue: Catalogue, console: Console) -> Record:
    experiment = plan.experiment(record.trial, record.values)
    experiment = replace(experiment, training=replace(experiment.training, tensorboard=False))
    # A searched window may be longer than the recordings: an error of this trial only.
    fatal = (CheckpointError,) if "window" in record.values else (CheckpointError, DataError)
    may_end_early = plan.separates and record.trial != START

    def watch(history: History) -> str | None:
        return "poor" if may_end_early and plan.is_poor(history) else None

    run = None
    try:
        check(experiment)
        run = Run(experiment, catalogue, plan.directory / record.folder, console)
        if watch(run.progress["history"]):
            let_go(run.directory)
            return _ended(record, run, "poor")
        outcome = run.train(until=record.rung, watch=watch)
    except (TfsepganError, tf.errors.ResourceExhaustedError, MemoryError) as error:
        diverged = run is not None and (run.diverged or not _finite(run.system))
        if isinstance(error, fatal) and not diverged:
            raise
        console.print(f"Trial {record.trial} ends here: {error}", markup=False, highlight=False)
        ended = _ended(record, run, "diverged" if diverged else "failed") if run else record
        return ended._replace(score=None, why=str(error) or type(error).__name__)
    if outcome.reason == "interrupted":
        raise KeyboardInterrupt(
            f"Interrupted in trial {record.trial}, at step {outcome.step}; everything is saved in"
            f" {plan.directory}. The same command resumes the search."
        )
    return _ended(record, run, outcome.reason)


def _finite(system: Any) -> bool:
    try:
        check_finite(system)
    except CheckpointError:
        return False
    return True


def _ended(record: Record, run: Run, outcome: str) -> Record:
    """The record with the outcome, score and cost of its run."""
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
