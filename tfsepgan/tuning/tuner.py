"""A search over a system's settings with keras-tuner; it resumes after a kill.

Each trial is a training run. One process does everything, or keras-tuner's chief chooses the values
and workers train. The variables `KERASTUNER_TUNER_ID` ('chief' or another name),
`KERASTUNER_ORACLE_IP` and `KERASTUNER_ORACLE_PORT` give the role of a process. `tuning.workers`
starts all processes on this machine.
"""

import os
import time

import keras_tuner
import tensorflow as tf
from keras_tuner.errors import FatalError
from rich.console import Console

from tfsepgan.data.recordings.catalogue import Catalogue
from tfsepgan.models.bundle import Bundle
from tfsepgan.models.saved import open_model
from tfsepgan.tuning.plan import SearchPlan
from tfsepgan.tuning.records import Record, read_record, read_records, record_path
from tfsepgan.tuning.samplers import sampler_of
from tfsepgan.tuning.trials import run_trial

PROCESS = "KERASTUNER_TUNER_ID"
REQUEST_SECONDS = 1.0  # between two requests, while every trial has to wait for others


def is_chief() -> bool:
    """Whether this process is the chief, which does not train; keras-tuner's own rule."""
    return "chief" in os.environ.get(PROCESS, "")


def is_part() -> bool:
    """Whether this process belongs to a search with a chief."""
    return "KERASTUNER_ORACLE_IP" in os.environ


def is_worker() -> bool:
    """Whether this process trains for a chief."""
    return is_part() and not is_chief()


class SettingsTuner(keras_tuner.Tuner):
    """Runs the trials of a search, each a training run.

    Args:
      plan: the plan of the search.
      catalogue: the recordings; None for a chief, which does not train.
      console: prints the trials.
    """

    def __init__(self, plan: SearchPlan, catalogue: Catalogue | None, console: Console):
        self.plan, self.catalogue, self.console = plan, catalogue, console
        self._last_request = 0.0
        sampler = sampler_of(plan)
        if not is_worker():
            sampler.reload()
        super().__init__(oracle=sampler, directory=str(plan.directory), project_name="oracle")

    def run_trial(self, trial: keras_tuner.engine.trial.Trial) -> dict[str, float]:
        """Train one trial; returns a finite score for the sampler, however the trial ends."""
        drawn = trial.hyperparameters.values
        number = int(trial.trial_id)
        values = self.plan.values(drawn)
        records = {record.trial: record for record in read_records(self.plan.directory)}
        after = records.get(int(drawn.get("tuner/trial_id", -1)))
        if number not in records:
            self.console.rule(f"trial {number}", align="left")
            self.console.print(values_line(values), markup=False, highlight=False)
        try:
            record = run_trial(
                self.plan,
                number,
                values,
                self.catalogue,
                self.console,
                epochs=drawn.get("tuner/epochs"),
                after=after,
            )
        # keras-tuner would count a failed trial and try the next, which would fail too
        except Exception as error:
            raise FatalError(str(error)) from error
        self.console.print(record_line(record), markup=False, highlight=False)
        floor = self.plan.floor_db
        score = floor if record.score is None else max(floor, record.score)
        return {self.oracle.objective.name: score}

    def pre_create_trial(self):
        """Wait a little before the next request."""
        wait = self._last_request + REQUEST_SECONDS - time.monotonic()
        if wait > 0:
            time.sleep(wait)
        self._last_request = time.monotonic()

    def on_trial_begin(self, trial):
        """Reset the waiting time, because the request was successful."""
        self._last_request = 0.0

    def on_search_begin(self):
        """Save the state before the first trial."""
        self.save()

    def save(self):
        """Write the state, which is the sampler's; a worker has none."""
        if not is_worker():
            self.oracle.save()

    def load_model(self, trial: keras_tuner.engine.trial.Trial) -> Bundle:
        """The model that a trial kept."""
        record = read_record(record_path(self.plan.directory, int(trial.trial_id)))
        return open_model(self.plan.directory / record.folder)


def values_line(values: dict) -> str:
    """Settings in one line."""
    return ", ".join(f"{name} {value}" for name, value in values.items())


def record_line(record: Record) -> str:
    """A trial in one line."""
    score = "no score" if record.score is None else f"{record.score:.2f} dB"
    stopped = record.rung and record.outcome == "finished"
    rung = f", may continue from step {record.rung}" if stopped else ""
    return (
        f"trial {record.trial}: {score}, {record.outcome} at step {record.step} "
        f"after {record.minutes:.1f} minutes{rung}: {values_line(record.values)}"
    )


def run_search(plan: SearchPlan, catalogue: Catalogue | None, console: Console) -> None:
    """Search to the end or until stopped, in the role of this process.

    Raises: KeyboardInterrupt when interrupted; TfsepganError for errors that would affect every
      trial.
    """
    tf.get_logger().setLevel("ERROR")  # it warns about every new network, and each trial has one
    tuner = SettingsTuner(plan, catalogue, console)
    try:
        tuner.search()
    except FatalError as error:
        raise error.__cause__ or error from None
