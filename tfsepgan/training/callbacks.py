"""Keras callbacks of a run: when to stop, what to do after an epoch, progress on the console."""

import math
import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf
from rich.console import Console

from tfsepgan.errors import TfsepganError
from tfsepgan.progress import ProgressBar

REASONS = (None, "interrupted", "time", "diverged")  # for which any worker stops all


class Guard(keras.callbacks.Callback):
    """Stops a run after the current step: on a signal, at a time limit, or on a bad loss.

    The signals are SIGINT (Ctrl-C) and SIGTERM; a third one stops immediately. A bad loss is one
    that is not finite.

    Args:
      minutes_left: minutes of training; infinite for no limit.
      processor_minutes_left: minutes of processor time, all cores together; infinite for no limit.
      gathered: maps a number of this worker to the numbers of all workers; so all stop after the
        same step.
    `reason` holds why the run stopped: None, 'interrupted', 'time', 'diverged', or the argument of
    `stop`.
    """

    def __init__(
        self,
        minutes_left: float = math.inf,
        processor_minutes_left: float = math.inf,
        gathered: Callable[[int], list[int]] = lambda number: [number],
    ):
        super().__init__()
        self.reason: str | None = None
        self.diverged_in: list[str] = []
        self._deadline = time.monotonic() + 60 * minutes_left
        self._processor_deadline = time.process_time() + 60 * processor_minutes_left
        self._signals, self._gathered = 0, gathered
        self._previous: dict[int, object] = {}

    def __enter__(self):
        # Python handles signals in the main thread only
        in_main_thread = threading.current_thread() is threading.main_thread()
        for number in (signal.SIGINT, signal.SIGTERM) if in_main_thread else ():
            self._previous[number] = signal.signal(number, self._on_signal)
        return self

    def __exit__(self, *exception):
        for number, handler in self._previous.items():
            signal.signal(number, handler)

    def _on_signal(self, number, frame):
        self._signals += 1
        if self._signals > 2:
            # the third signal: do not wait for the step and the checkpoint
            raise KeyboardInterrupt
        self.reason = "interrupted"

    def stop(self, reason: str) -> None:
        """Stop after this epoch; an earlier reason stays."""
        self.reason = self.reason or reason
        self.model.stop_training = True

    def on_train_batch_end(self, batch, logs=None):
        self.diverged_in = [name for name, value in (logs or {}).items() if not np.isfinite(value)]
        if self.diverged_in:
            self.reason = "diverged"
        elif time.monotonic() > self._deadline or time.process_time() > self._processor_deadline:
            self.reason = self.reason or "time"
        numbers = self._gathered(REASONS.index(self.reason) if self.reason in REASONS else 0)
        self.reason = next((REASONS[one] for one in numbers if one), self.reason)
        if self.reason:
            self.model.stop_training = True


class Count(keras.callbacks.Callback):
    """Counts the steps of a run, over restarts.

    Args:
      step: steps taken before this session.
    """

    def __init__(self, step: int):
        super().__init__()
        self.step = step

    def on_train_batch_end(self, batch, logs=None):
        self.step += 1


class EndOfEpoch(keras.callbacks.Callback):
    """Calls `finish(epoch, logs)` after each epoch that is complete or ends at a time limit.

    Raises: TfsepganError when `finish` cannot write.
    """

    def __init__(self, finish: Callable[[int, dict[str, float]], None], guard: Guard):
        super().__init__()
        self.finish, self.guard = finish, guard
        self._steps = 0

    def on_epoch_begin(self, epoch, logs=None):
        self._steps = 0

    def on_train_batch_end(self, batch, logs=None):
        self._steps += 1

    def on_epoch_end(self, epoch, logs=None):
        cut_short = self.guard.reason == "interrupted" and self._steps < self.params["steps"]
        if cut_short or self.guard.reason == "diverged":
            return
        try:
            self.finish(epoch, {name: float(value) for name, value in (logs or {}).items()})
        except (OSError, tf.errors.OpError) as error:
            raise TfsepganError(
                f"Could not write the run: {error}. Free some space and resume."
            ) from error


class ShowProgress(keras.callbacks.Callback):
    """A progress bar over the whole run with the time left; hidden where there is no terminal."""

    def __init__(self, console: Console, *, step: int, steps: int):
        super().__init__()
        self._bar = ProgressBar(console, "training", steps, unit="steps", done=step, stays=False)

    def on_train_begin(self, logs=None):
        self._bar.start()

    def on_train_batch_end(self, batch, logs=None):
        losses = [f"{name} {float(value):.4g}" for name, value in list((logs or {}).items())[:2]]
        self._bar.describe("  ".join(["training", *losses]))
        self._bar.advance()

    def on_train_end(self, logs=None):
        self.close()

    def close(self):
        """Remove the bar from the screen."""
        self._bar.stop()


class Profile(keras.callbacks.Callback):
    """Traces some steps of a session for the Profile page of TensorBoard.

    Args:
      directory: folder of the event files.
      steps: number of steps, after the first `WARM_UP`.
    """

    WARM_UP = 5  # steps that trace graphs and fill buffers

    def __init__(self, directory: Path, steps: int):
        super().__init__()
        self.directory, self.steps, self._done, self._tracing = directory, steps, 0, False

    def on_train_batch_begin(self, batch, logs=None):
        if self._done == self.WARM_UP:
            tf.profiler.experimental.start(str(self.directory))
            self._tracing = True

    def on_train_batch_end(self, batch, logs=None):
        self._done += 1
        if self._done == self.WARM_UP + self.steps:
            self._stop()

    def on_train_end(self, logs=None):
        self._stop()

    def _stop(self):
        if self._tracing:
            tf.profiler.experimental.stop()
            self._tracing = False
