"""Jobs in several threads, with a limit on their costs; results come in the order of the jobs."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from threading import Event
from typing import TypeVar

Job, Result = TypeVar("Job"), TypeVar("Result")
POLL_SECONDS = 0.2  # how soon the caller notices a signal
RESULTS_PER_THREAD = 4  # that wait for an earlier job at most


class Cancelled(Exception):
    """Raised in a job that must stop, as the caller has stopped."""


def side_by_side(
    work: Callable[[Job, Callable[[], None]], Result],
    jobs: Iterable[tuple[Job, float]],
    *,
    threads: int,
    room: float,
    poll: Callable[[], None],
) -> Iterator[Result]:
    """Run jobs in threads.

    Args:
      work: called with a job and with a function to call often, which raises Cancelled.
      jobs: each with its cost.
      threads: how many jobs run at a time.
      room: for the costs of all jobs that run; one whose cost is larger runs alone.
      poll: called often in the caller's thread; an exception in it stops all jobs.
    Yields: results in the order of the jobs. After an error, those that are finished.
    Raises: what a job or `poll` raises.
    """
    started: deque[tuple[Future, float]] = deque()
    stop = Event()

    def check() -> None:
        if stop.is_set():
            raise Cancelled

    def is_full(cost: float) -> bool:
        costs = [own for future, own in started if not future.done()]
        # a job more than threads, so that none waits for the caller
        crowded = len(costs) > threads or len(started) >= RESULTS_PER_THREAD * threads
        return crowded or bool(costs) and sum(costs) + cost > room

    def ready() -> Iterator[Result]:
        poll()
        running = [future for future, _ in started if not future.done()]
        wait(running, POLL_SECONDS, FIRST_COMPLETED)
        while started and started[0][0].done():
            yield started.popleft()[0].result()

    with ThreadPoolExecutor(threads, thread_name_prefix="tfsepgan-recording") as pool:
        try:
            for job, cost in jobs:
                while is_full(cost):
                    yield from ready()
                started.append((pool.submit(work, job, check), cost))
            while started:
                yield from ready()
        except GeneratorExit:
            raise
        except BaseException:
            stop.set()
            for future, _ in started:
                if not future.cancel() and future.exception() is None:
                    yield future.result()
            raise
        finally:
            stop.set()
            for future, _ in started:
                future.cancel()
