"""Runs scoring jobs in other processes, in this one when asked to, and here too should those
processes die.

The processes are spawned, never forked: TensorFlow, which runs in the main process, does not
survive a fork. A fresh process loads this file first, so nothing heavy is imported here: numpy must
find its limit to one thread already set.
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
    """A context in which jobs are handed in and their results come back in the order they end.

    Args of the constructor:
      function: takes a job; must be importable by name from a module.
      workers: processes; 0 runs every job in this process at once.
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
        """Hands in one job; `results` gives the key back with its result."""
        future: Future
        if self._executor is None:
            future = self._run_here(job)
        else:
            try:
                future = self._executor.submit(self._function, job)
            except BrokenProcessPool:
                self._give_up_processes()
                future = self._run_here(job)
        self._pending[future] = (key, job)

    def results(self, *, leave: int) -> Iterator[tuple[Hashable, Any | None, Exception | None]]:
        """Waits until no more than `leave` jobs are unfinished.

        Yields: (key, result, None) or (key, None, what the job raised).
        """
        while len(self._pending) > leave or any(future.done() for future in self._pending):
            done, _ = wait(self._pending, return_when=FIRST_COMPLETED)
            for future in done:
                key, job = self._pending.pop(future)
                error = future.exception()
                if isinstance(error, BrokenProcessPool):
                    self._give_up_processes()
                    future = self._run_here(job)
                    error = future.exception()
                yield (key, None, error) if error else (key, future.result(), None)

    @property
    def pending(self) -> int:
        """How many jobs are not yet given back by `results`."""
        return len(self._pending)

    @property
    def room(self) -> int:
        """How many jobs are worth having in hand: one for each process and one waiting."""
        return self._workers + 1 if self._executor else 0

    def _give_up_processes(self) -> None:
        """Says once that the processes died; what they had in hand is scored in this one."""
        if self._executor is not None:
            warnings.warn(
                "the scoring processes ended abruptly (out of memory, or a script that calls"
                " evaluate() without `if __name__ == '__main__':`); scoring goes on in the main"
                " process, more slowly",
                RuntimeWarning,
                stacklevel=3,
            )
            self._executor.shutdown(wait=True)
            self._executor = None

    def _run_here(self, job: Any) -> Future:
        """A finished future of the job, run in this process."""
        future: Future = Future()
        try:
            future.set_result(self._function(job))
        except Exception as error:  # whatever it is, it is handed to the caller, as a process would
            future.set_exception(error)
        return future


def prepare_worker() -> None:
    """Makes a fresh process a good neighbour: one thread, silent on Ctrl-C, gone when its parent
    is."""
    for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ[variable] = "1"
    # a background job of a shell ignores Ctrl-C
    if signal.getsignal(signal.SIGINT) is not signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    threading.Thread(target=_leave_with_parent, daemon=True).start()


def _leave_with_parent() -> None:
    """Ends this process when the one that started it is killed, instead of waiting for ever."""
    parent = parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
