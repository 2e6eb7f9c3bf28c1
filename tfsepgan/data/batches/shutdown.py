"""Letting a program end while tf.data still makes batches ahead.

tf.data runs Python functions in threads of its own. A Python that ends while one of them waits for
its turn freezes that thread for good, and then waits for it: the program hangs. The consumer having
stopped, the buffers are full after a few batches and nothing runs any more; so it is enough to wait
for that moment before Python ends.
"""

import atexit
import threading
import time
from collections.abc import Callable

QUIET_SECONDS = 0.1  # without a call: the buffers are full
LONGEST_WAIT_SECONDS = 10.0  # for a pipeline that somebody still reads from


class CallWatch:
    """Knows whether any of the functions it watches is running, and when one last did."""

    def __init__(self):
        """Start with nothing running; at the end of the program, wait until that is so."""
        self._lock = threading.Lock()
        self._running = 0
        self._last = 0.0
        atexit.register(self.wait)

    def watch(self, function: Callable) -> Callable:
        """The same function, seen by this watch."""

        def watched(*arguments):
            self._note(+1)
            try:
                return function(*arguments)
            finally:
                self._note(-1)

        return watched

    def wait(self) -> bool:
        """Wait until nothing has run for QUIET_SECONDS; False after LONGEST_WAIT_SECONDS of being
        busy."""
        deadline = time.monotonic() + LONGEST_WAIT_SECONDS
        while self._running or time.monotonic() - self._last < QUIET_SECONDS:
            if time.monotonic() > deadline:
                return False
            time.sleep(QUIET_SECONDS / 10)
        return True

    def _note(self, change: int) -> None:
        with self._lock:
            self._running += change
            self._last = time.monotonic()
