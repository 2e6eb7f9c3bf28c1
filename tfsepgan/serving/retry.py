"""When a server is asked again, after how long, and when it is enough.

Source: the status codes of gRPC; exponential back-off with jitter as in AWS' "Exponential Backoff
And Jitter" (2015), so that clients that were turned away together do not come back together.
"""

import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from tfsepgan.errors import ConfigError, ServingError

Result = TypeVar("Result")
BAD_REPLY = "BAD_REPLY"  # ours: an answer arrived, and is not what was asked for
# What may be gone a moment later. INTERNAL and UNKNOWN are what gRPC calls a reply that it could
# not read to its end.
PASSING = frozenset(
    {
        "UNAVAILABLE",
        "RESOURCE_EXHAUSTED",
        "DEADLINE_EXCEEDED",
        "INTERNAL",
        "UNKNOWN",
        "ABORTED",
        BAD_REPLY,
    }
)


class Refused(Exception):
    """One attempt that gave no result: the name of a gRPC status code, or `BAD_REPLY`, and what was
    said."""

    def __init__(self, code: str, message: str, *, final: bool = False):
        super().__init__(message)
        self.code = code
        self.passing = code in PASSING and not final


@dataclass(frozen=True, kw_only=True)
class Patience:
    """How long a client goes on asking for one block."""

    deadline_seconds: float = 120.0  # for a block, all attempts and waits together
    attempt_seconds: float = 60.0  # for one attempt: a lost reply is asked for again after that
    # with the waits below: a server may be away for half a minute, as when it restarts
    attempts: int = 10
    first_wait_seconds: float = 0.1
    longest_wait_seconds: float = 8.0

    def __post_init__(self):
        for name, value in vars(self).items():
            if not value > 0:
                raise ConfigError(f"got {name}={value}; wanted a number above zero")

    def wait_seconds(self, failures: int, draw: Callable[[], float] = random.random) -> float:
        """How long to wait after so many failures in a row: twice as long each time, and half of it
        by chance."""
        longest = min(self.first_wait_seconds * 2 ** (failures - 1), self.longest_wait_seconds)
        return longest * (0.5 + 0.5 * draw())


def patiently(
    attempt: Callable[[float], Result],
    patience: Patience,
    *,
    server: str,
    draw: Callable[[], float] = random.random,
    sleep: Callable[[float], None] = time.sleep,
) -> Result:
    """Ask until there is an answer.

    Args:
      attempt: given the seconds it may take; raises `Refused`.
      patience: how long to go on.
      server: its name, for the error.
      draw, sleep: chance and time, for tests.
    Returns: what the attempt that succeeded returned.
    Raises: ServingError when the answer would be the same again, or after the last attempt.
    """
    end = time.monotonic() + patience.deadline_seconds
    failures = 0
    while True:
        try:
            return attempt(min(patience.attempt_seconds, max(end - time.monotonic(), 0.001)))
        except Refused as refused:
            failures += 1
            wait = patience.wait_seconds(failures, draw)
            out_of_time = time.monotonic() + wait >= end
            if not refused.passing:
                raise ServingError(
                    f"{server} answered {refused.code}: {_first_line(refused)}"
                ) from refused
            if out_of_time or failures >= patience.attempts:
                why = f"{patience.deadline_seconds:g} s" if out_of_time else f"{failures} attempts"
                raise ServingError(
                    f"{server} gave no usable answer in {why}; the last was {refused.code}:"
                    f" {_first_line(refused)}. Is it up, and not overloaded? Fewer requests at a"
                    " time or a longer deadline may help."
                ) from refused
            sleep(wait)


def _first_line(error: Exception) -> str:
    return str(error).strip().split("\n")[0][:500] or "it said nothing more"
