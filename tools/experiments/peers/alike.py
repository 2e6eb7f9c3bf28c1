"""What trainings of different networks share: the windows, the learning rate, the time. NumPy only.

`make_windows.py` writes the windows; `train_torch.py` and `train_keras.py` train on them, in
environments of their own; `table.py` scores all estimates.
"""

import argparse
import json
import math
import resource
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

WINDOWS, SCORED, ESTIMATES, FACTS = "windows.npy", "scored.npy", "estimates.npy", "facts.json"
STEP_SIZE, WARM_UP = 1e-3, 0.02  # of Adam; the share of the time in which it rises to that
SECONDS_BETWEEN_SAVES, STEPS_BETWEEN_LINES = 300, 20
CLIP_NORM, LOSS_WEIGHT = 5.0, 100.0  # of the mean square error of the source
LEVEL = 0.1  # of a mixture, root mean square, for all networks
PASS = 4  # mixtures at a time


class Windows:
    """Windows in one order for all networks: `[count, 2, time]` float16, the source and the rest.

    Args:
      folder: as `make_windows.py` writes it.
      batch: windows of a step.
      crop: samples of a window that are used, from its start.
    """

    def __init__(self, folder: Path, *, batch: int, crop: int | None = None):
        self._windows = np.load(folder / WINDOWS, mmap_mode="r")
        self._batch, self._crop = batch, crop

    def at(self, step: int) -> tuple[np.ndarray, np.ndarray]:
        """The mixture, at one level, and its source: `[batch, time]` float32 each.

        After the last window follows the first.
        """
        rows = np.arange(step * self._batch, (step + 1) * self._batch) % len(self._windows)
        windows = self._windows[rows, :, : self._crop].astype(np.float32)
        mixture, source = windows.sum(axis=1), windows[:, 0]
        gain = gain_to_level(mixture)
        return gain * mixture, gain * source


class Budget:
    """Processor time of a training, and the learning rate that falls to zero with it.

    Args:
      minutes: of the processor, over all threads and all sittings.
      spent: seconds of earlier sittings.
    """

    def __init__(self, minutes: float, spent: float = 0.0):
        self._seconds, self._spent, self._start = 60 * minutes, spent, time.process_time()
        self._saved = spent

    @property
    def spent(self) -> float:
        """Seconds of the processor so far."""
        return self._spent + time.process_time() - self._start

    @property
    def left(self) -> bool:
        """Whether there is time for another step."""
        return self.spent < self._seconds

    def learning_rate(self) -> float:
        """A linear rise, then half a cosine."""
        share = min(self.spent / self._seconds, 1.0)
        if share < WARM_UP:
            return STEP_SIZE * max(share / WARM_UP, 0.01)
        return STEP_SIZE * (1 + math.cos(math.pi * (share - WARM_UP) / (1 - WARM_UP))) / 2

    def save_now(self) -> bool:
        """Whether it is time to save; counts from the last True."""
        due = self.spent - self._saved >= SECONDS_BETWEEN_SAVES
        if due:
            self._saved = self.spent
        return due


def common_flags(description: str) -> argparse.ArgumentParser:
    """A parser with the flags that all trainings have."""
    parser = argparse.ArgumentParser(
        description=description, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--minutes", type=float, default=60.0, help="of the processor")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--windows", type=Path, required=True, help="of make_windows.py")
    parser.add_argument("--output", type=Path, required=True)
    return parser


def train_until_spent(
    learn: Callable[[np.ndarray, np.ndarray, float], float],
    save: Callable[[int, float], None],
    windows: Windows,
    budget: Budget,
    step: int,
) -> dict:
    """Train until the time is over; returns the facts of the training so far.

    Args:
      learn: one step on mixtures and sources `[batch, time]` with a learning rate; its loss.
      save: writes the state, with the number of steps and the seconds of the processor so far.
      step: steps of earlier sittings.
    """
    while budget.left:
        loss = learn(*windows.at(step), budget.learning_rate())
        step += 1
        if step % STEPS_BETWEEN_LINES == 0:
            print(f"{budget.spent / 60:.1f} min, step {step}: {loss:.4f}", flush=True)
        if budget.save_now():
            save(step, budget.spent)
    save(step, budget.spent)
    batch, crop = windows.at(0)[0].shape
    return {
        "steps": step,
        "batch": batch,
        "crop": crop,
        "processor_minutes": budget.spent / 60,
        "memory_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }


def gain_to_level(mixtures: np.ndarray) -> np.ndarray:
    """The factor of each signal of `[some, time]`, `[some, 1]`; at most 60 dB."""
    power = np.mean(mixtures**2, axis=1, keepdims=True)
    return np.float32(LEVEL) / np.sqrt(np.maximum(power, np.float32((LEVEL / 1000) ** 2)))


def scored_mixtures(folder: Path) -> Iterator[tuple[slice, np.ndarray]]:
    """The mixtures to separate, a few at a time: where they belong, and `[some, time]` float32."""
    scored = np.load(folder / SCORED, mmap_mode="r")
    for first in range(0, len(scored), PASS):
        some = slice(first, min(first + PASS, len(scored)))
        yield some, scored[some].astype(np.float32).sum(axis=1)


def write_estimates(folder: Path, output: Path, separate, facts: dict) -> None:
    """Separate all mixtures; writes the estimates, and the facts with the time that it took.

    Args:
      separate: `[some, time]` float32 to the same.
      facts: of the training.
    """
    shape = np.load(folder / SCORED, mmap_mode="r").shape
    estimates = np.empty((shape[0], shape[2]), np.float16)
    start = time.process_time()
    for some, mixtures in scored_mixtures(folder):
        gain = gain_to_level(mixtures)
        estimates[some] = separate(gain * mixtures) / gain
    facts["separation_seconds"] = time.process_time() - start
    np.save(output / ESTIMATES, estimates)
    (output / FACTS).write_text(json.dumps(facts, indent=1) + "\n")
