"""Runs scoring jobs in other processes, or in this one when those processes die.

The processes are spawned, not forked: TensorFlow runs in the main process and does not survive a
fork. A new process loads this file first. It must not import numpy, because the limit to one thread
has to be set before numpy is loaded.
"""

import os
import signal
import threading
import warnings
from collections.abc import Callable, Hashable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context, parent_process
from typing import Any

from tfsepgan.errors import ConfigError


class ScoringPool:
    """A context that takes jobs and returns their results in the order in which they end.

    Args:
      function: called with a job; must be importable by name from a module.
      workers: number of processes; with 0 every job runs in this process at once.
    """

    def __init__(self, function: Callable[[Any], Any], *, workers: int):
        if workers < 0:
            raise ConfigError(f"workers is {workers}, wanted 0 (score in this process) or more")
        self._function = function
        self._workers = workers
        self._executor: ProcessPoolExecutor | None = None
        self._pending: dict[Future, tuple[Hashable, Any]] = {}

    def __enter__(self) -> "ScoringPool":
        if self._workers:
            self._executor = ProcessPoolExecutor(
                self._workers, mp_context=get_context("spawn"), initializer=prepare_worker
            )
            # starts a process now: a script without a main guard fails here
            self._executor.submit(int)
        return self

    def __exit__(self, *_exception) -> None:
        if self._executor is not None:
            self._executor.shutdown(wait=not self._pending, cancel_futures=True)

    def submit(self, key: Hashable, job: Any) -> None:
        """Add a job; `results` returns its key with its result."""
        future: Future
        if self._executor is None:
            future = self._run_here(job)
        else:
            try:
                future = self._executor.submit(self._function, job)
            except BrokenProcessPool:
                self._replace_processes()
                future = self._run_here(job)
        self._pending[future] = (key, job)

    def results(self, *, leave: int) -> Iterator[tuple[Hashable, Any | None, Exception | None]]:
        """Yields results until at most `leave` jobs are unfinished.

        Yields: (key, result, None) or (key, None, exception of the job).
        """
        while len(self._pending) > leave or any(future.done() for future in self._pending):
            done, _ = wait(self._pending, return_when=FIRST_COMPLETED)
            for future in done:
                key, job = self._pending.pop(future)
                error = future.exception()
                if isinstance(error, BrokenProcessPool):
                    self._replace_processes()
                    future = self._run_here(job)
                    error = future.exception()
                yield (key, None, error) if error else (key, future.result(), None)

    @property
    def pending(self) -> int:
        """How many jobs `results` has not returned yet."""
        return len(self._pending)

    @property
    def room(self) -> int:
        """How many unfinished jobs keep all processes busy: one for each and one that waits."""
        return self._workers + 1 if self._executor else 0

    def _replace_processes(self) -> None:
        """Warns once that the processes died; this process then runs all jobs."""
        if self._executor is not None:
            warnings.warn(
                "the scoring processes ended abruptly (out of memory, or a script that calls"
                " evaluate() without `if __name__ == '__main__':`); scoring continues in the main"
                " process, more slowly",
                RuntimeWarning,
                stacklevel=3,
            )
            self._executor.shutdown(wait=True)
            self._executor = None

    def _run_here(self, job: Any) -> Future:
        """Runs a job in this process; returns a finished future."""
        future: Future = Future()
        try:
            future.set_result(self._function(job))
        except Exception as error:  # returned to the caller, as from a process
            future.set_exception(error)
        return future


def prepare_worker() -> None:
    """Sets up a new process: one thread, no traceback on Ctrl-C, an end with its parent."""
    for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ[variable] = "1"
    # stays ignored in a background job of a shell
    if signal.getsignal(signal.SIGINT) is not signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    """Ends this process when its parent is killed."""
    parent = parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
