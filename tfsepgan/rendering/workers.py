"""Parallel jobs that share a studio and write to its folder."""

import os
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TypeVar

from tfsepgan.errors import DataError
from tfsepgan.files import remove_half_written
from tfsepgan.processes import run_jobs

JobType = TypeVar("JobType")
StudioType = TypeVar("StudioType")
OutcomeType = TypeVar("OutcomeType")
_ABANDONED_SECONDS = 3600  # more recent partial files and folders may belong to another process


def check_output(output: Path) -> None:
    """Raise DataError when the folder to write to is a file."""
    if output.exists() and not output.is_dir():
        raise DataError(f"{output} is a file; a folder was expected. Use another name.")


def work(
    do: Callable[[JobType, StudioType], OutcomeType],
    jobs: Sequence[JobType],
    studio: StudioType,
    done: Callable[[OutcomeType], None],
) -> list[OutcomeType]:
    """Run all jobs. First remove half-written files of killed processes from the studio's folder.

    Args:
      do: a top-level function of a module, so that other processes can import it; its second
        argument is `studio`.
      jobs: one argument of `do` each.
      studio: shared by all jobs; `workers` of its settings is the number of processes: None for the
        number of cores, 1 runs in this process.
      done: called with every outcome when its job ends.
    Returns: the outcomes, in the order in which the jobs end.
    Raises: DataError when a worker dies, for example from lack of memory.
    """
    for folder, _, _ in os.walk(studio.output):
        remove_half_written(Path(folder), older_than_seconds=_ABANDONED_SECONDS)
    for font in studio.fonts.values():
        _ = font.digest  # computed once here, and not in every worker
    workers, outcomes = min(studio.settings.workers or os.cpu_count() or 1, len(jobs)), []
    function, keyed = partial(do, studio=studio), ((None, job) for job in jobs)
    options = {"workers": workers if workers > 1 else 0, "finish_on_interrupt": True}
    for _, outcome, error in run_jobs(function, keyed, **options):
        if error:
            raise error
        outcomes.append(outcome)
        done(outcome)
    return outcomes
