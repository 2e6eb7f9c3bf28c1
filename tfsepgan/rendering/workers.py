"""Parallel jobs that share a studio."""

import os
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import TypeVar

from tfsepgan.processes import run_jobs

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
      do: a top-level function of a module, so that other processes can import it; its second
        argument is `studio`.
      jobs: one argument of `do` each.
      studio: shared by all jobs.
      workers: number of processes; None for the number of cores; 1 runs in this process.
    Raises: DataError when a worker dies, for example from lack of memory.
    """
    workers = min(workers or os.cpu_count() or 1, len(jobs))
    for _, outcome, error in run_jobs(
        partial(do, studio=studio),
        ((None, job) for job in jobs),
        workers=workers if workers > 1 else 0,
        finish_on_interrupt=True,
    ):
        if error:
            raise error
        yield outcome
