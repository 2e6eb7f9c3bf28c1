"""Parallel jobs in processes that end with their parent."""

import os
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context, parent_process
from typing import TypeVar

from tfsepgan.errors import DataError

JobType = TypeVar("JobType")
StudioType = TypeVar("StudioType")
OutcomeType = TypeVar("OutcomeType")


def work(
    do: Callable[[JobType, StudioType], OutcomeType],
    jobs: Sequence[JobType],
    studio: StudioType,
    workers: int | None,
) -> Iterator[OutcomeType]:
    """Run all jobs; outcomes come in the order in which the jobs end.

    Args:
      do: a top-level function of a module, so that other processes can import it.
      jobs: one argument of `do` each.
      studio: shared by all jobs; sent to each process once.
      workers: number of processes; None for the number of cores; 1 runs in this process.
    Raises: DataError when a worker dies, for example from lack of memory.
    """
    workers = min(workers or os.cpu_count() or 1, len(jobs))
    if workers <= 1:
        yield from (do(job, studio) for job in jobs)
        return
    pool = ProcessPoolExecutor(
        workers, mp_context=get_context("spawn"), initializer=_begin, initargs=(do, studio)
    )
    try:
        for future in as_completed([pool.submit(_do, job) for job in jobs]):
            yield future.result()
    except BrokenProcessPool as error:
        raise DataError(
            "A worker died, possibly from lack of memory. Run again with fewer --workers."
        ) from error
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


_shared: tuple | None = None  # in a worker process: the function and the studio


def _begin(do: Callable, studio: object) -> None:
    global _shared
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent handles it
    _shared = (do, studio)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    """End this worker when its parent was killed."""
    parent_process().join()
    os._exit(1)


def _do(job: object) -> object:
    do, studio = _shared
    return do(job, studio)
