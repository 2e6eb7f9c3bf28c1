"""Runs jobs in other processes, which end with this one.

The processes are spawned, not forked: TensorFlow runs in the main process and does not survive a
fork. A new process loads this file first. It must not import numpy, because the limit to one thread
has to be set before numpy is loaded.
"""

import os
import signal
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context, parent_process
from typing import Any

from tfsepgan.errors import ConfigError, DataError

Results = Iterator[tuple[Any, Any | None, Exception | None]]


def refuse_death() -> None:
    """Raise the error for a process that died."""
    raise DataError("A worker died, possibly from lack of memory. Run again with fewer --workers.")


def run_jobs(
    function: Callable[[Any], Any],
    jobs: Iterable[tuple[Any, Any]],
    *,
    workers: int,
    after_death: Callable[[], None] = refuse_death,
    finish_on_interrupt: bool = False,
) -> Results:
    """Run jobs; results come in the order in which they end.

    Args:
      function: called with a job; must be importable by name from a module.
      jobs: pairs of a key and a job. The next one is taken when a process is free.
      workers: number of processes; with 0 every job runs in this process.
      after_death: called once when the processes died, for example from lack of memory; if it
        returns, this process runs the remaining jobs.
      finish_on_interrupt: True finishes the running jobs after Ctrl-C, instead of ending them.
    Yields: (key, result, None) or (key, None, exception of the job).
    Raises: ConfigError for a negative number of processes; what `after_death` raises.
    """
    if workers < 0:
        raise ConfigError(f"workers is {workers}, wanted 0 (in this process) or more")
    pool: ProcessPoolExecutor | None = None
    pending: dict[Future, tuple[Any, Any]] = {}

    def finished() -> Results:
        nonlocal pool
        for future in wait(pending, return_when=FIRST_COMPLETED).done:
            key, job = pending.pop(future)
            error = future.exception()
            if isinstance(error, BrokenProcessPool):
                if pool is not None:
                    pool.shutdown()
                    pool = None
                    after_death()
                future = _run_here(function, job)
                error = future.exception()
            yield (key, None, error) if error else (key, future.result(), None)

    try:
        if workers:
            pool = ProcessPoolExecutor(
                workers,
                mp_context=get_context("spawn"),
                initializer=_prepare,
                initargs=(finish_on_interrupt,),
            )
            # starts a process now: a script without a main guard fails here
            pool.submit(int)
        for key, job in jobs:
            pending[_submit(pool, function, job)] = key, job
            # one job for each process, and one that waits
            while len(pending) > (workers + 1 if pool else 0) or any(map(Future.done, pending)):
                yield from finished()
        while pending:
            yield from finished()
    finally:
        if pool is not None:
            pool.shutdown(wait=finish_on_interrupt or not pending, cancel_futures=True)


def _submit(pool: ProcessPoolExecutor | None, function: Callable, job: Any) -> Future:
    if pool is None:
        return _run_here(function, job)
    try:
        return pool.submit(function, job)
    except BrokenProcessPool as error:
        future: Future = Future()
        future.set_exception(error)
        return future


def _run_here(function: Callable, job: Any) -> Future:
    """Run a job in this process; returns a finished future."""
    future: Future = Future()
    try:
        future.set_result(function(job))
    except Exception as error:  # returned to the caller, as from a process
        future.set_exception(error)
    return future


def _prepare(finish_on_interrupt: bool) -> None:
    """Set up a new process: one thread, no traceback on Ctrl-C, an end with its parent."""
    for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ[variable] = "1"
    # stays ignored in a background job of a shell
    if signal.getsignal(signal.SIGINT) is not signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.SIG_IGN if finish_on_interrupt else signal.SIG_DFL)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    """End this process when its parent is killed."""
    parent = parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
