"""Jobs in parallel processes that end with their parent."""

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
    """Do every job, in whatever order they end.

    Args:
      do: a function at the top of a module, so that other processes find it.
      studio: what all jobs share; sent to each process once.
      workers: processes; as many as there are cores when None; one works in this process.
    Raises: DataError when a worker dies, as it does when memory runs out.
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
            "A worker died, perhaps for want of memory. Run again with fewer --workers."
        ) from error
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


_shared: tuple | None = None  # of a worker process: what to do, and with what


def _begin(do: Callable, studio: object) -> None:
    global _shared
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent ends us
    _shared = (do, studio)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    """Let no worker outlive a parent that was killed."""
    parent_process().join()
    os._exit(1)


def _do(job: object) -> object:
    do, studio = _shared
    return do(job, studio)
