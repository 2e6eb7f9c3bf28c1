"""One training run: from settings and recordings to a trained model, resumable at any moment.

The folder of a run holds:

- `settings.yaml`;
- `state.npz`, the checkpoint: everything that resuming needs;
- `model/`, the model that is kept, by `--keep` the best or the last one; `tfsepgan.load` opens it;
- `history.json`, `metrics.jsonl`, `curves.png` and `tensorboard/`;
- `sessions.jsonl`: code, versions and hardware of each session.
"""

import gc
import logging
import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import tensorflow as tf
from rich.console import Console

from tfsepgan import config as settings
from tfsepgan import systems
from tfsepgan.config import Experiment
from tfsepgan.data.batches.fingerprint import DRAWS, fingerprint
from tfsepgan.data.recordings.catalogue import Catalogue
from tfsepgan.errors import CheckpointError
from tfsepgan.files import remove_half_written
from tfsepgan.models.keras_state import built_in
from tfsepgan.models.saved import load_trained, save_trained, start_from
from tfsepgan.training.batches import Batches
from tfsepgan.training.board import Board
from tfsepgan.training.callbacks import Count, EndOfEpoch, Guard, Profile, ShowProgress
from tfsepgan.training.checkpoint import check_finite, restore_state, save_state
from tfsepgan.training.clock import Clock
from tfsepgan.training.devices import use_devices
from tfsepgan.training.directory import prepare_directory
from tfsepgan.training.failures import divergence, explained
from tfsepgan.training.lock import hold, let_go
from tfsepgan.training.records import History, line_of, shown_numbers, training_facts, write_history
from tfsepgan.training.sessions import write_session
from tfsepgan.training.sharing import share_state
from tfsepgan.training.validators import validator_of
from tfsepgan.training.workers import open_workers

logger = logging.getLogger(__name__)

# called with the history after each epoch; returns a reason to end the run there, or None
Watch = Callable[[History], str | None]


class Outcome(NamedTuple):
    """How a run ended."""

    reason: str  # 'finished', 'time', 'interrupted', or what `watch` returned
    step: int
    best: dict[str, float]
    history: History


class Run:
    """Trains one system on its data, with checkpoints, validation and progress.

    Args:
      experiment: all settings.
      catalogue: the recordings.
      directory: the folder of the run; a run that is there is resumed.
      console: shows the progress; messages go to the log.
    """

    def __init__(
        self, experiment: Experiment, catalogue: Catalogue, directory: Path, console: Console
    ):
        settings.check(experiment)
        experiment = replace(experiment, data=catalogue.settled(experiment.data))
        self.experiment, self.catalogue, self.console = experiment, catalogue, console
        self.directory = Path(directory)
        use_devices(experiment.training.device)
        self.workers = open_workers(experiment.training.strategy)
        with self.workers.together():
            self.workers.check(experiment)
            if self.workers.chief:
                prepare_directory(self.directory, experiment)
        try:
            self._open()
        except BaseException:
            let_go(self.directory)
            raise

    def _open(self) -> None:
        """Build the system and give it the state in the folder, or that of a new run."""
        experiment, catalogue = self.experiment, self.catalogue
        if self.workers.chief:
            for folder in (self.directory, self.directory / "model"):
                remove_half_written(folder)  # of a killed run
        with self.workers.scope(), built_in(experiment.training.precision):
            self.system = systems.build(experiment)
            self.system.compile()
        self._guard: Guard | None = None
        self.progress: dict[str, Any] = {
            "step": 0,
            "seconds": 0.0,
            "processor_seconds": 0.0,
            "best": {},
            "history": [],
            "recordings": fingerprint(catalogue, experiment.data.augment.rooms),
            "draws": DRAWS,
        }
        with self.workers.together():
            if self.workers.chief:
                self._restore()
        if self.workers.count > 1:
            share_state(self.workers, self.system, self.progress, experiment)
        rows = self.workers.rows_of(experiment.data.batch)
        self._batches = Batches(
            catalogue, experiment.data, self.system.batch_keys, logger.info, rows
        )
        self.board = None
        if self.workers.chief:
            write_session(self.directory, self.progress, self.workers)
            self.validator = validator_of(self.system, catalogue, experiment)
            self.board = self._open_board() if experiment.training.tensorboard else None

    def _restore(self) -> None:
        restored = restore_state(self.directory, self.system)
        if restored is not None:
            self._resume(restored)
        else:
            self._begin()

    def _resume(self, restored: dict[str, Any]) -> None:
        own = self.progress["recordings"]
        if restored.get("recordings", own) != own:
            raise CheckpointError(
                f"{self.directory} was trained on other recordings than those in"
                f" {self.catalogue.directory} (names, lengths or rates differ). Use the recordings"
                " that it was trained on (their folder may have moved), or choose another --run"
                " folder."
            )
        self.progress = self.progress | restored
        logger.info("Resuming %s at step %d.", self.directory, self.progress["step"])
        if restored.get("draws", 1) != DRAWS:
            logger.info(
                "An earlier version, which draws other windows and augmentations, started this"
                " run. From here on it uses those of this version."
            )
        self.progress["draws"] = DRAWS

    def _begin(self) -> None:
        self.system.begin(load_trained)
        start = self.experiment.training.init_from
        if start:
            start_from(self.system, start)
            logger.info("Starting from the weights of %s.", start)

    def _open_board(self) -> Board:
        try:
            return Board(self.directory / "tensorboard")
        except (OSError, tf.errors.OpError) as error:
            raise CheckpointError(
                f"Could not write {self.directory / 'tensorboard'}: {error}. Free some space, or"
                " use --no-tensorboard."
            ) from error

    def train(self, *, until: int | None = None, watch: Watch | None = None) -> Outcome:
        """Train to the end or until stopped; the run can be resumed after either.

        Args:
          until: an earlier step to stop at; the learning-rate schedule still ends at the last one.
          watch: called after each epoch; a reason that it returns ends the run there.
        Raises: TfsepganError when a loss stops being finite; the last good weights are on disk.
        """
        self._watch = watch
        if self.workers.chief:
            hold(self.directory)
        try:
            return self._train(min(until or math.inf, self.experiment.training.steps))
        finally:
            let_go(self.directory)

    def _train(self, stop: int) -> Outcome:
        training = self.experiment.training
        start = self.progress["step"]
        with self.workers.together():
            self._batches.prepare()  # may decode recordings: before the clock starts
        self._clock = Clock(self.progress)
        left, processor_left = self._clock.minutes_left(training)
        if start >= stop or min(left, processor_left) <= 0:
            return self._outcome("finished" if start >= stop else "time")
        self._count = Count(start)
        self._guard = Guard(left, processor_left, self.workers.gathered)
        show = ShowProgress(self.console, step=start, steps=training.steps)
        callbacks = [self._count, self._guard, EndOfEpoch(self._finish_epoch, self._guard), show]
        if training.profile and self.workers.chief:
            callbacks.append(Profile(self.directory / "tensorboard", training.profile))
        try:
            with self._guard:
                for first, last in self._fits(start, stop):
                    self._fit(first, last, callbacks)
                    if self._guard.reason:
                        break
                return self._end()
        finally:
            show.close()

    def _fits(self, start: int, stop: int) -> list[tuple[int, int]]:
        """Calls of `fit` from start to stop, each `(first step, step after the last)`.

        First the remainder of an epoch that was cut short, then whole epochs, then a shorter last
        epoch.
        """
        size = self.experiment.training.steps_per_epoch
        edge = min(stop, -(-start // size) * size)
        whole = edge + (stop - edge) // size * size
        return [(a, b) for a, b in ((start, edge), (edge, whole), (whole, stop)) if a < b]

    def _fit(self, first: int, last: int, callbacks) -> None:
        size = self.experiment.training.steps_per_epoch
        steps = min(size, last - first)
        batches = self._batches.from_step(first)

        def steps_of() -> tuple[int, int]:
            return self._count.step, self.progress["step"]

        # Keras' epochs only count steps here: data and learning rate depend on the step alone.
        try:
            with explained(steps_of, self.directory, self.workers):
                self.system.fit(
                    self.workers.batches(batches.take(last - first)),
                    epochs=(last - first) // steps,
                    steps_per_epoch=steps,
                    callbacks=callbacks,
                    shuffle=False,
                    verbose=0,
                )
        finally:
            del batches
            gc.collect()  # stops the readers of this pipeline before the next one starts

    def _end(self) -> Outcome:
        if self._guard.reason == "diverged":
            step, saved = self._count.step, self.progress["step"]
            raise divergence(self._guard.diverged_in, step, saved, self.directory)
        if self._guard.reason and self.progress["step"] != self._count.step:
            self._save()
        return self._outcome(self._guard.reason or "finished")

    @property
    def diverged(self) -> bool:
        """Whether the run stopped because a loss was not finite."""
        return self._guard is not None and self._guard.reason == "diverged"

    def _outcome(self, reason: str) -> Outcome:
        return Outcome(
            reason, self.progress["step"], self.progress["best"], self.progress["history"]
        )

    def _save(self) -> None:
        self.progress["step"] = self._count.step
        if not self.workers.chief:
            return
        self.progress["seconds"] = self._clock.seconds()
        self.progress["processor_seconds"] = self._clock.processor_seconds()
        save_state(self.directory, self.system, self.progress)

    def _finish_epoch(self, epoch: int, losses: dict[str, float]) -> None:
        """Validate, keep the model if it is the best one, save a checkpoint, show the numbers."""
        check_finite(self.system)
        self.system.finish_epoch()
        step = self._count.step
        if not self.workers.chief:
            self.progress["step"] = step
            return
        row = {"step": step, "minutes": round(self._clock.seconds() / 60, 3)}
        row |= {f"train/{name}": value for name, value in losses.items()}
        validation = self.validator.validate()
        row |= validation.numbers
        score, best = validation.score, self.progress["best"]
        keeps_last = score is None or self.experiment.training.keep == "last"
        if keeps_last or not best or score > best["score"]:
            self.progress["best"] = {"score": score, "step": step}
            self._keep(row)
        self.progress["history"].append(row)
        self._save()
        self._show(row)
        reason = self._watch(self.progress["history"]) if self._watch else None
        if reason:
            self._guard.stop(reason)

    def _keep(self, row: dict[str, float]) -> None:
        facts = training_facts(self.experiment, self.catalogue, row)
        save_trained(self.directory / "model", self.system, facts)

    def _show(self, row: dict[str, float]) -> None:
        logger.info(line_of(row))
        write_history(self.directory, self.progress["history"])
        if self.board:
            self.board.scalars(row["step"], shown_numbers(row))
            self.validator.show(self.board, row["step"])
