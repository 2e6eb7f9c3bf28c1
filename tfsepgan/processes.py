"""Runs jobs in other processes, which end with this one.

The processes are spawned, not forked: TensorFlow runs in the main process and does not survive a
fork. A new process loads this file first. It must not import numpy, because the limit to one thread
has to be set before numpy is loaded.
"""

import contextlib
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
POLL_SECONDS = 0.2  # how soon a signal to this process is noticed while others work
GRACE_SECONDS = 60.0  # for jobs that must stop; a block of a searching system takes a while
MOST_DEATHS = 5  # of processes one after the other, without a finished job between


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


class WorkerDied(Exception):
    """The process of a job died: it was killed, or crashed in a native library."""


class JobStopped(Exception):
    """Raised in a job by `stop_if_asked`."""


def run_in_workers(
    start: Callable[[], Any],
    function: Callable[[Any, Any], Any],
    jobs: Iterable[Any],
    *,
    workers: int,
    poll: Callable[[], None] = lambda: None,
) -> Results:
    """Run jobs in processes that are prepared once; one that dies costs its job and is replaced.

    When the caller stops early, running jobs are asked to stop (`stop_if_asked`), then ended.

    Args:
      start: called once in each process, for example to load a model; like `function`, it is
        pickled.
      function: called with the result of `start` and a job.
      jobs: the next one is taken when a process is free.
      workers: number of processes, 1 or more.
      poll: called often in this process; an exception in it ends the run.
    Yields: (job, result, None) or (job, None, error) in the order in which jobs end; the error is
      `WorkerDied` where the process died.
    Raises: what `start` raises; DataError where processes die one after the other.
    """
    stop, waiting, deaths = get_context("spawn").RawValue("b", 0), iter(jobs), 0
    crew: dict[Future, _Worker] = {}

    def put_to_work(worker: _Worker | None) -> None:
        """Give a worker, or a new one, the next job; without one, end it."""
        for job in waiting:
            worker = worker or _Worker(start, function, stop)
            crew[worker.take(job)] = worker
            return
        if worker is not None:
            worker.dismiss()

    try:
        for _ in range(workers):
            put_to_work(None)
        while crew:
            poll()
            for future in wait(crew, POLL_SECONDS, FIRST_COMPLETED).done:
                worker, error = crew.pop(future), future.exception()
                job, died = worker.job, isinstance(error, BrokenProcessPool)
                deaths = deaths + died if died or worker.is_starting else 0
                if not worker.is_starting:
                    put_to_work(None if died else worker)
                    error = WorkerDied() if died else error
                    yield (job, None, error) if error else (job, future.result(), None)
                elif error and not died:
                    raise error
                else:
                    worker = _Worker(start, function, stop) if died else worker.started()
                    crew[worker.take(job)] = worker
                if deaths >= MOST_DEATHS:
                    refuse_deaths(deaths)
    finally:
        _end_crew(crew, stop)


def refuse_deaths(deaths: int) -> None:
    """Raise the error for processes that die one after the other."""
    raise DataError(
        f"{deaths} worker processes died one after the other, possibly from lack of memory. Free"
        " some memory, or run again with fewer --jobs."
    )


def stop_if_asked() -> None:
    """Raise JobStopped in a job of `run_in_workers` that must stop; elsewhere do nothing."""
    if _asked_to_stop is not None and _asked_to_stop.value:
        raise JobStopped


class _Worker:
    """A process that runs one job at a time."""

    def __init__(self, start: Callable, function: Callable, stop: Any) -> None:
        self._pool = ProcessPoolExecutor(
            1, mp_context=get_context("spawn"), initializer=_prepare_worker, initargs=(stop,)
        )
        self._function, self._number = function, self._pool.submit(os.getpid)
        self._start = self._pool.submit(_start, start)
        self.is_starting, self.job = True, None

    def take(self, job: Any) -> Future:
        """Take a job; returns its future, or at first that of the start of the process."""
        self.job = job
        return (
            self._start if self.is_starting else _submit(self._pool, _work, (self._function, job))
        )

    def started(self) -> "_Worker":
        """Note that the process is ready; returns it."""
        self.is_starting = False
        return self

    def dismiss(self) -> None:
        """End the process once it is idle."""
        self._pool.shutdown(wait=False)

    def end(self) -> None:
        """End the process at once."""
        self._pool.shutdown(wait=False, cancel_futures=True)
        if self._number.done() and not self._number.cancelled() and not self._number.exception():
            with contextlib.suppress(OSError):  # it is gone
                os.kill(self._number.result(), getattr(signal, "SIGKILL", signal.SIGTERM))


def _end_crew(crew: dict[Future, _Worker], stop: Any) -> None:
    """Ask jobs to stop, wait for them, and end their processes."""
    stop.value = 1
    try:
        running = [future for future, worker in crew.items() if not worker.is_starting]
        wait(running, GRACE_SECONDS)
    finally:
        for worker in crew.values():
            worker.end()


_prepared: Any = None  # in a worker: what `start` returned
_asked_to_stop: Any = None  # in a worker: a flag in memory that it shares with its parent


def _prepare_worker(stop: Any) -> None:
    """Set up a worker: only its parent stops it; Ctrl-C and `kill` may reach both."""
    global _asked_to_stop
    _asked_to_stop = stop
    _prepare(finish_on_interrupt=True)
    for name in ("SIGTERM", "SIGHUP"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), signal.SIG_IGN)


def _start(start: Callable[[], Any]) -> None:
    global _prepared
    _prepared = start()


def _work(task: tuple[Callable[[Any, Any], Any], Any]) -> Any:
    function, job = task
    return function(_prepared, job)


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
