"""A search over a system's settings with keras-tuner: each trial is a training run that survives a
kill, as the search does.

One process does both, or keras-tuner's chief says what is tried next and workers train:
`KERASTUNER_TUNER_ID` ('chief' or a name), `KERASTUNER_ORACLE_IP` and `KERASTUNER_ORACLE_PORT` tell
a process which it is. `tuning_workers` starts them all here.
"""

import contextlib
import io
import os
import time
from pathlib import Path

import keras_tuner
import tensorflow as tf
from keras_tuner.errors import FatalError
from rich.console import Console

from tfsepgan.data.recordings.catalogue import Catalogue
from tfsepgan.errors import CheckpointError
from tfsepgan.files import write_whole
from tfsepgan.models.bundle import Bundle
from tfsepgan.models.saved import open_model
from tfsepgan.tuning.samplers import oracle_of
from tfsepgan.tuning.trials import Record, SearchPlan, read_records, run_trial

PROCESS = "KERASTUNER_TUNER_ID"
ASKING_SECONDS = 1.0  # between two questions, while no trial can be had before others have ended


def is_chief() -> bool:
    """Whether this process only says what is tried next; by keras-tuner's own rule."""
    return "chief" in os.environ.get(PROCESS, "")


def is_part() -> bool:
    """Whether this process is one of a search that has a chief."""
    return "KERASTUNER_ORACLE_IP" in os.environ


class SettingsTuner(keras_tuner.Tuner):
    """Tries settings, a training run for each.

    Args:
      plan: what is searched.
      catalogue: the recordings; None for a chief, which trains nothing.
      console: told of each trial.
    """

    def __init__(self, plan: SearchPlan, catalogue: Catalogue | None, console: Console):
        self.plan, self.catalogue, self.console = plan, catalogue, console
        self._asked = 0.0
        with contextlib.redirect_stdout(io.StringIO()):  # it says which file it reads
            super().__init__(
                oracle=oracle_of(plan), directory=str(plan.directory), project_name="oracle"
            )

    def run_trial(self, trial: keras_tuner.engine.trial.Trial) -> dict[str, float]:
        """Train one trial; whatever ends it, the search hears a number that it can go on with."""
        drawn = trial.hyperparameters.values
        number = int(trial.trial_id)
        values = self.plan.values(drawn)
        records = {record.trial: record for record in read_records(self.plan.directory)}
        after = records.get(int(drawn.get("tuner/trial_id", -1)))
        if number not in records:
            self.console.rule(f"trial {number}", align="left")
            self.console.print(told_values(values), markup=False, highlight=False)
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
        # keras-tuner would count it as a failed trial, and the next would fail alike
        except Exception as error:
            raise FatalError(str(error)) from error
        self.console.print(told_record(record), markup=False, highlight=False)
        floor = self.plan.floor_db
        return {
            self.oracle.objective.name: floor if record.score is None else max(floor, record.score)
        }

    def pre_create_trial(self):
        """Wait a little before asking again."""
        wait = self._asked + ASKING_SECONDS - time.monotonic()
        if wait > 0:
            time.sleep(wait)
        self._asked = time.monotonic()

    def on_trial_begin(self, trial):
        """There was a trial, so the next question need not wait."""
        self._asked = 0.0

    def on_search_begin(self):
        """Be found from the first trial on."""
        self.save()

    def save(self):
        """Write the state in one piece; a worker has none."""
        if not self._is_worker():
            self.oracle.save()
            write_whole(Path(self._get_tuner_fname()), lambda file: file.write(b"{}"))

    def reload(self):
        """Read the state."""
        if not self._is_worker():
            try:
                self.oracle.reload()
            except (ValueError, LookupError, RuntimeError, TypeError) as error:
                raise CheckpointError(
                    f"{self.project_dir} is damaged: {error}. Choose another --output folder; the"
                    " trials stay where they are."
                ) from error

    def _get_tuner_fname(self):
        # whether one process searches or several
        return os.path.join(self.project_dir, "tuner.json")

    def load_model(self, trial: keras_tuner.engine.trial.Trial) -> Bundle:
        """The model that a trial keeps."""
        number = int(trial.trial_id)
        record = next(
            record for record in read_records(self.plan.directory) if record.trial == number
        )
        return open_model(self.plan.directory / record.folder)


def told_values(values: dict) -> str:
    """Settings in one line."""
    return ", ".join(f"{name} {value}" for name, value in values.items())


def told_record(record: Record) -> str:
    """A trial in one line."""
    score = "no score" if record.score is None else f"{record.score:.2f} dB"
    rung = (
        f", to go on from step {record.rung} if it is chosen"
        if record.rung and record.outcome == "finished"
        else ""
    )
    return (
        f"trial {record.trial}: {score}, {record.outcome} at step {record.step} "
        f"after {record.minutes:.1f} minutes{rung}: {told_values(record.values)}"
    )


def run_search(plan: SearchPlan, catalogue: Catalogue | None, console: Console) -> None:
    """Search to the end, or until stopped, as the part of the search that this process is.

    Raises: KeyboardInterrupt when asked to stop; TfsepganError for what no trial would escape. All
      can be gone on with.
    """
    tf.get_logger().setLevel("ERROR")  # it warns of every new network, and each trial has one
    tuner = SettingsTuner(plan, catalogue, console)
    try:
        tuner.search()
    except FatalError as error:
        raise error.__cause__ or error from None
