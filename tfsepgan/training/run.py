"""One training run, from settings and a folder of recordings to a trained generator, resumable at
any moment.

A run directory holds: `settings.yaml`, `state.npz` (everything to go on), `model/` (the generator
that is kept: by `--keep` the one that validated best or the last: a model as `tfsepgan.load` takes
it), `history.json`, `curves.png` and `tensorboard/`.
"""

import gc
import json
import math
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import keras
import tensorflow as tf
import yaml
from rich.console import Console

from tfsepgan import config as settings
from tfsepgan import systems
from tfsepgan.config import Experiment
from tfsepgan.data.batches.fingerprint import DRAWS, fingerprint
from tfsepgan.data.batches.pipeline import training_batches
from tfsepgan.data.batches.streams import open_pool
from tfsepgan.data.recordings.catalogue import Catalogue
from tfsepgan.data.remote.client import ask_servers, served_batches
from tfsepgan.errors import CheckpointError, DataError, TfsepganError
from tfsepgan.models.saved import load_trained, save_trained, start_from
from tfsepgan.training.board import Board, plot_curves
from tfsepgan.training.callbacks import Count, EndOfEpoch, Guard, ShowProgress
from tfsepgan.training.checkpoint import (
    check_finite,
    remove_leftovers,
    restore_state,
    save_state,
    write_atomically,
)
from tfsepgan.training.lock import LOCK, hold, let_go
from tfsepgan.training.validators import validator_of

SETTINGS = "settings.yaml"


def _left(minutes: float | None, seconds: float) -> float:
    """Minutes left of a limit; infinite without one."""
    return math.inf if minutes is None else minutes - seconds / 60


History = list[dict[str, float]]
# hears the history after each epoch; why the run should end there, or None
Watch = Callable[[History], str | None]


class Outcome(NamedTuple):
    """How a run ended."""

    reason: str  # 'finished', 'time', 'interrupted', or what `watch` said
    step: int
    best: dict[str, float]
    history: History


def prepare_directory(directory: Path, experiment: Experiment) -> None:
    """Make the run's folder, or see that the run in it is this one.

    Raises: CheckpointError when the folder holds something else or a run with other settings, or
      cannot be written.
    """
    directory = Path(directory)
    path = directory / SETTINGS
    there, different = path.exists(), []
    if there:
        theirs = _read_settings(path)
        different = settings.differences(experiment, theirs)
        if different and not _never_trained(directory, theirs):
            raise CheckpointError(
                f"{directory} holds a run with other settings:\n  "
                + "\n  ".join(different)
                + "\nRepeat its settings to resume it, or choose another --run folder; nothing was"
                " changed."
            )
    elif directory.is_dir() and any(not item.name.startswith(".") for item in directory.iterdir()):
        raise CheckpointError(
            f"{directory} is not empty and not a run (no {SETTINGS}). Choose another --run folder;"
            " nothing was changed."
        )
    try:
        directory.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise CheckpointError(
            f"Could not write {path}: {error.strerror}. Free some space or choose another --run"
            " folder; what was there before is untouched."
        ) from error
    hold(directory)  # another process may be about to write its first checkpoint
    if there and not different:
        return
    text = yaml.safe_dump(settings.to_dict(experiment), sort_keys=False)
    try:
        write_atomically(path, lambda file: file.write(text.encode()))
    except BaseException:
        (directory / LOCK).unlink(missing_ok=True)
        let_go(directory)
        raise


def _read_settings(path: Path) -> dict[str, Any]:
    try:
        theirs = yaml.safe_load(path.read_text())
    except (OSError, yaml.YAMLError, UnicodeDecodeError) as error:
        raise CheckpointError(
            f"{path} cannot be read: {error}. Choose another --run folder."
        ) from error
    if not isinstance(theirs, dict):
        raise CheckpointError(
            f"{path} does not hold the settings of a run. Choose another --run folder."
        )
    return theirs


def _never_trained(directory: Path, theirs: dict[str, Any]) -> bool:
    """Whether a folder is a run that ended before its first checkpoint: nothing in it but its
    settings."""
    there = {item.name for item in directory.iterdir() if not item.name.startswith(".")}
    return there <= {SETTINGS, "tensorboard"} and {"system", "preset"} <= theirs.keys()


class Run:
    """A system on its data, with everything around it.

    Args:
      experiment: all settings.
      catalogue: the recordings.
      directory: where the run lives; one that holds the same run is resumed.
      console: where people look.
    """

    def __init__(
        self, experiment: Experiment, catalogue: Catalogue, directory: Path, console: Console
    ):
        settings.check(experiment)
        experiment = replace(experiment, data=catalogue.settled(experiment.data))
        self.experiment, self.catalogue, self.console = experiment, catalogue, console
        self.directory = Path(directory)
        prepare_directory(self.directory, experiment)
        try:
            self._open()
        except BaseException:
            let_go(self.directory)
            raise

    def _open(self) -> None:
        """Build the system as the folder has it, or as a new run begins."""
        experiment, catalogue, console = self.experiment, self.catalogue, self.console
        remove_leftovers(self.directory)
        keras.config.set_dtype_policy(experiment.training.precision)
        try:
            self.system = systems.build(experiment)
            self.system.compile()
        finally:
            keras.config.set_dtype_policy("float32")
        self._guard: Guard | None = None
        self.progress: dict[str, Any] = {
            "step": 0,
            "seconds": 0.0,
            "processor_seconds": 0.0,
            "best": {},
            "history": [],
            "recordings": self._fingerprint(),
            "draws": DRAWS,
        }
        restored = restore_state(self.directory, self.system)
        if restored is not None:
            self.progress = self.progress | restored
            self._refuse_other_recordings()
            console.print(
                f"Resuming {self.directory} at step {self.progress['step']}.", markup=False
            )
            if restored.get("draws", 1) != DRAWS:
                console.print(
                    "It was begun by a version that draws other windows and changes; from here on"
                    " it hears those of this one."
                )
            self.progress["draws"] = DRAWS
        else:
            self.system.begin(load_trained)
            if experiment.training.init_from:
                start_from(self.system, experiment.training.init_from)
                console.print(
                    f"Starting from the weights of {experiment.training.init_from}.", markup=False
                )
        self.validator = validator_of(self.system, catalogue, experiment, console)
        self.board = self._open_board() if experiment.training.tensorboard else None

    def _open_board(self) -> Board:
        try:
            return Board(self.directory / "tensorboard")
        except (OSError, tf.errors.OpError) as error:
            raise CheckpointError(
                f"Could not write {self.directory / 'tensorboard'}: {error}. Free some space, or"
                " use --no-tensorboard."
            ) from error

    def _fingerprint(self) -> str:
        return fingerprint(self.catalogue, self.experiment.data.augment.rooms)

    def _refuse_other_recordings(self) -> None:
        if self.progress["recordings"] != self._fingerprint():
            raise CheckpointError(
                f"{self.directory} was trained on other recordings than those in"
                f" {self.catalogue.directory} (names, lengths or rates differ). Give the folder it"
                " was trained on, wherever it lies now, or choose another --run folder."
            )

    def train(self, *, until: int | None = None, watch: Watch | None = None) -> Outcome:
        """Train to the end, or until stopped; either way the run can go on from what is on disk.

        Args:
          until: a step to stop at on the way; the learning rate still falls towards the last one.
          watch: asked after each epoch whether the run should end there.
        Raises: TfsepganError when a loss stops being finite; the last good weights are on disk.
        """
        self._watch = watch
        hold(self.directory)
        try:
            return self._train(min(until or math.inf, self.experiment.training.steps))
        finally:
            let_go(self.directory)

    def _train(self, stop: int) -> Outcome:
        training = self.experiment.training
        start = self.progress["step"]
        self._prepare_batches()  # unpacks what is not yet: before the clock starts
        self._started, self._seconds_before = time.monotonic(), self.progress["seconds"]
        self._processor_started, self._processor_before = (
            time.process_time(),
            self.progress["processor_seconds"],
        )
        left = _left(training.minutes, self._seconds_before)
        processor_left = _left(training.processor_minutes, self._processor_before)
        if start >= stop or min(left, processor_left) <= 0:
            return self._outcome("finished" if start >= stop else "time")
        self._count, self._guard = Count(start), Guard(left, processor_left)
        show = ShowProgress(self.console, step=start, steps=training.steps)
        callbacks = [self._count, self._guard, EndOfEpoch(self._finish_epoch, self._guard), show]
        try:
            with self._guard:
                for first, last in self._stretches(start, stop):
                    self._fit(first, last, callbacks)
                    if self._guard.reason:
                        break
                return self._end()
        finally:
            show.close()

    def _stretches(self, start: int, stop: int):
        """Stretches of whole epochs, `(first step, step after the last)`, with what is left of an
        epoch cut short apart."""
        size = self.experiment.training.steps_per_epoch
        edge = min(stop, -(-start // size) * size)
        whole = edge + (stop - edge) // size * size
        return [(a, b) for a, b in ((start, edge), (edge, whole), (whole, stop)) if a < b]

    def _fit(self, first: int, last: int, callbacks) -> None:
        size = self.experiment.training.steps_per_epoch
        steps = min(size, last - first)
        batches = self._batches(first)
        # Keras' epochs only count steps here: the order of the data and the schedule follow the
        # step.
        try:
            self.system.fit(
                batches.take(last - first),
                epochs=(last - first) // steps,
                steps_per_epoch=steps,
                callbacks=callbacks,
                shuffle=False,
                verbose=0,
            )
        except tf.errors.ResourceExhaustedError as error:
            raise TfsepganError(
                f"Out of memory at step {self._count.step + 1}. Take a smaller --batch or --window"
                " in a new run."
            ) from error
        except tf.errors.OpError as error:  # tf.data wraps what its functions raise
            reason = (str(error.message).strip() or type(error).__name__).splitlines()[-1]
            # Not saved: what in the step does not wait for the batch (counters, seeds) may have
            # moved already.
            raise DataError(
                f"A batch could not be made after step {self._count.step}: {reason}."
                f" {self.directory} holds step {self.progress['step']}; repair the recordings or"
                " the cache, then repeat the command to go on."
            ) from error
        finally:
            del batches
            gc.collect()  # the readers of one pipeline stop before those of the next start

    def _prepare_batches(self) -> None:
        data = self.experiment.data
        if data.data_server:
            ask_servers(self.catalogue, data, batch_keys=self.system.batch_keys, say=self._say)
        else:
            open_pool(self.catalogue, data)

    def _batches(self, first: int):
        """What the system hears from a step on, made here or, the same, by servers."""
        data, batch_keys = self.experiment.data, self.system.batch_keys
        if data.data_server:
            return served_batches(
                self.catalogue, data, batch_keys=batch_keys, first_step=first, say=self._say
            )
        return training_batches(self.catalogue, data, batch_keys=batch_keys, first_step=first)

    def _say(self, text: str) -> None:
        self.console.print(text, markup=False, highlight=False)

    def _end(self) -> Outcome:
        guard = self._guard
        if guard.reason == "diverged":
            saved = self.progress["step"]
            held = (
                f"{self.directory} still holds the good weights of step {saved}; try a lower"
                " --learning-rate or a --clip-norm in a new run, with --init-from this one."
                if saved
                else (
                    "Nothing was saved yet; try a lower --learning-rate or a --clip-norm in a new"
                    " run."
                )
            )
            losses = ", ".join(guard.diverged_in)
            raise TfsepganError(
                f"The losses {losses} stopped being finite at step {self._count.step}. {held}"
            )
        if guard.reason and self.progress["step"] != self._count.step:
            self._save()
        return self._outcome(guard.reason or "finished")

    @property
    def diverged(self) -> bool:
        """Whether it stopped because a loss was no longer finite."""
        return self._guard is not None and self._guard.reason == "diverged"

    def _outcome(self, reason: str) -> Outcome:
        return Outcome(
            reason, self.progress["step"], self.progress["best"], self.progress["history"]
        )

    def _seconds(self) -> float:
        """Seconds of training so far, over restarts."""
        return self._seconds_before + time.monotonic() - self._started

    def _save(self) -> None:
        self.progress["step"] = self._count.step
        self.progress["seconds"] = self._seconds()
        self.progress["processor_seconds"] = (
            self._processor_before + time.process_time() - self._processor_started
        )
        save_state(self.directory, self.system, self.progress)

    def _finish_epoch(self, epoch: int, losses: dict[str, float]) -> None:
        """Judge, keep the best, save, show."""
        check_finite(self.system)
        self.system.finish_epoch()
        step = self._count.step
        row = {"step": step, "minutes": round(self._seconds() / 60, 3)}
        row |= {f"train/{name}": value for name, value in losses.items()}
        validation = self.validator.validate()
        row |= validation.numbers
        score = validation.score
        best = self.progress["best"]
        if (
            score is None
            or self.experiment.training.keep == "last"
            or not best
            or score > best["score"]
        ):
            self.progress["best"] = {"score": score, "step": step}
            self._keep(row)
        self.progress["history"].append(row)
        self._save()
        self._show(row)
        reason = self._watch(self.progress["history"]) if self._watch else None
        if reason:
            self._guard.stop(reason)

    def _keep(self, row: dict[str, float]) -> None:
        experiment = self.experiment
        trained = {
            "preset": experiment.preset,
            "steps": f"{row['step']} of {experiment.training.steps}",
            "minutes": round(row["minutes"], 1),
            "recordings": {
                item.source: f"{item.files} files, {item.minutes:.1f} minutes"
                for item in self.catalogue.summary()
                if item.split == "train"
            },
            "scores": {
                name: round(value, 2) for name, value in row.items() if name.startswith("val/")
            },
            "settings": self._told_settings(),
        }
        save_trained(self.directory / "model", self.system, trained)

    def _told_settings(self) -> dict[str, Any]:
        """What a model's manifest says of its settings: nothing of this machine, and not the
        generator's, which stand there anyway."""
        told = settings.to_dict(self.experiment)
        told["augment"].pop("rooms")
        return {
            name: value
            for name, value in told.items()
            if name not in settings.FREE_ON_RESUME | {"generator"}
        }

    def _show(self, row: dict[str, float]) -> None:
        numbers = {
            name: value for name, value in row.items() if "/" in name and "median" not in name
        }
        text = "  ".join(
            f"{name.split('/')[1]} {value:.4g}" for name, value in numbers.items() if value
        )
        self.console.print(
            f"step {row['step']:>6}  {row['minutes']:6.2f} min  {text}", highlight=False
        )
        history = self.progress["history"]
        rows = json.dumps(history, indent=1).encode()
        write_atomically(self.directory / "history.json", lambda file: file.write(rows))
        plot_curves(history, self.directory / "curves.png")
        if self.board:
            self.board.scalars(row["step"], numbers)
            self.validator.show(self.board, row["step"])
