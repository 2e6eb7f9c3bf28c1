"""Repeating failed requests: which ones, after how long, and how often.

Source: the status codes of gRPC; exponential back-off with jitter as in AWS' "Exponential Backoff
And Jitter" (2015), so that clients refused at the same time do not try again at the same time.
"""

import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from tfsepgan.errors import ConfigError, ServingError

Result = TypeVar("Result")
BAD_REPLY = "BAD_REPLY"  # not a gRPC code: a reply arrived but failed the checks
# Failures that may be gone a moment later. gRPC reports a reply that was cut short as INTERNAL or
# UNKNOWN.
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
    """One attempt without a result."""

    def __init__(self, code: str, message: str, *, final: bool = False):
        """
        Args:
          code: name of a gRPC status code, or `BAD_REPLY`.
          message: of the server, or of the check that failed.
          final: True when another attempt cannot succeed, whatever the code.
        """
        super().__init__(message)
        self.code = code
        self.passing = code in PASSING and not final


class BadReply(Refused):
    """A reply that arrived but failed a check."""

    def __init__(self, message: str):
        super().__init__(BAD_REPLY, message)


@dataclass(frozen=True, kw_only=True)
class Patience:
    """How long a client keeps requesting one block."""

    deadline_seconds: float = 120.0  # for a block, all attempts and waits together
    attempt_seconds: float = 60.0  # for one attempt; then the reply is considered lost
    # with the waits below, a server may be away for half a minute, as during a restart
    attempts: int = 10
    first_wait_seconds: float = 0.1
    longest_wait_seconds: float = 8.0

    def __post_init__(self):
        for name, value in vars(self).items():
            if not value > 0:
                raise ConfigError(f"got {name}={value}; wanted a number above zero")

    def wait_seconds(self, failures: int, draw: Callable[[], float] = random.random) -> float:
        """A random wait after this many failures in a row, between half of a limit and the limit.

        The limit doubles with each failure, up to `longest_wait_seconds`.
        """
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
    """Repeat a request until it succeeds.

    Args:
      attempt: sends the request; its argument is a time limit in seconds; raises `Refused`.
      patience: limits of time and attempts.
      server: its name, for the error.
      draw, sleep: random number and wait; replaced in tests.
    Returns: the result of the first successful attempt.
    Raises: ServingError when another attempt cannot succeed, or a limit is reached.
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
                    f" {_first_line(refused)}. Check that it is running and not overloaded; fewer"
                    " requests at a time or a longer deadline may help."
                ) from refused
            sleep(wait)


def _first_line(error: Exception) -> str:
    return str(error).strip().split("\n")[0][:500] or "no message"
