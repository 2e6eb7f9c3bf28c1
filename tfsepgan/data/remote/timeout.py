"""Running a function with a time limit."""

import threading
from collections.abc import Callable
from typing import Any


def within(seconds: float, work: Callable[[], Any]) -> Any:
    """The result of `work`, unless it takes longer.

    Raises: TimeoutError then; otherwise what `work` raises.
    """
    done: list[tuple[bool, Any]] = []

    def run():
        try:
            done.append((True, work()))
        except Exception as error:  # raised below, in the thread that waits
            done.append((False, error))

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(seconds)
    if not done:
        raise TimeoutError
    ((succeeded, result),) = done
    if not succeeded:
        raise result
    return result
