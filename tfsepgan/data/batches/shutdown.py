"""Clean exit while tf.data still prepares batches.

tf.data calls Python functions in its own threads. When Python exits while such a thread waits for
Python's lock, it freezes the thread, then waits for it: the program hangs. After the consumer
stops, tf.data's buffers are full within a few batches and no function runs. So it is enough to wait
for that moment before Python exits.
"""

import atexit
import threading
import time
from collections.abc import Callable

QUIET_SECONDS = 0.1  # without a call, the buffers are full
LONGEST_WAIT_SECONDS = 10.0  # for a pipeline that is still being read


class CallWatch:
    """Tracks whether any watched function is running, and when one last ran."""

    def __init__(self):
        """Register `wait` to run when the program exits."""
        self._lock = threading.Lock()
        self._running = 0
        self._last = 0.0
        atexit.register(self.wait)

    def watch(self, function: Callable) -> Callable:
        """The same function, with its calls tracked."""

        def watched(*arguments):
            self._note(+1)
            try:
                return function(*arguments)
            finally:
                self._note(-1)

        return watched

    def wait(self) -> bool:
        """Wait until no call ran for QUIET_SECONDS; False if that takes LONGEST_WAIT_SECONDS."""
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
