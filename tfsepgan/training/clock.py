"""How long a run has trained, over restarts, and how long it still may."""

import math
import time
from typing import Any

from tfsepgan.config import TrainingConfig


class Clock:
    """Wall time and processor time of a run; starts when it is made.

    Args:
      progress: `seconds` and `processor_seconds` before this session.
    """

    def __init__(self, progress: dict[str, Any]):
        self._seconds_before = progress["seconds"]
        self._processor_before = progress["processor_seconds"]
        self._start, self._processor_start = time.monotonic(), time.process_time()

    def seconds(self) -> float:
        """Seconds of training so far."""
        return self._seconds_before + time.monotonic() - self._start

    def processor_seconds(self) -> float:
        """Seconds of processor time so far, all cores together."""
        return self._processor_before + time.process_time() - self._processor_start

    def minutes_left(self, training: TrainingConfig) -> tuple[float, float]:
        """Minutes and processor minutes left when this session starts; infinite without a limit."""
        return (
            _left(training.minutes, self._seconds_before),
            _left(training.processor_minutes, self._processor_before),
        )


def _left(minutes: float | None, seconds: float) -> float:
    return math.inf if minutes is None else minutes - seconds / 60
