"""The number of threads of NumPy's matrix products, while several of our threads compute.

A matrix product that takes all cores makes the other threads wait. The setting belongs to the whole
process, so it is restored as soon as no thread needs it.
"""

import contextlib
import os
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import cache

from threadpoolctl import ThreadpoolController


def _reset() -> None:
    global _changed, _setter, _setting, _threads, _users
    _changed, _setting = threading.Condition(), contextlib.ExitStack()
    # From threadpoolctl 3.8 on, a limit counts only in the thread that set the last one, until that
    # thread ends it. Ours start and end in any order, so one thread sets them all.
    _setter = ThreadPoolExecutor(1, thread_name_prefix="tfsepgan-blas")
    _threads = _users = 0


_reset()
if hasattr(os, "register_at_fork"):  # a forked child has none of the threads that compute
    os.register_at_fork(after_in_child=_reset)


def shared_by(threads: int) -> contextlib.AbstractContextManager[None]:
    """Within this context, a matrix product uses 1 / `threads` of the cores, at least one.

    Its last bits depend on this number, so calls that want another one wait for each other.
    """
    return _limited_to(max(1, (os.cpu_count() or 1) // threads))


def one_thread_each() -> contextlib.AbstractContextManager[None]:
    """Within this context, a matrix product uses one core; see `shared_by`."""
    return _limited_to(1)


@contextlib.contextmanager
def _limited_to(threads: int) -> Iterator[None]:
    global _threads, _users
    with _changed:
        _changed.wait_for(lambda: not _users or _threads == threads)
        if not _users:
            _setter.submit(_set, threads).result()
            _threads = threads
        _users += 1
    try:
        yield
    finally:
        with _changed:
            _users -= 1
            if not _users:
                _changed.notify_all()  # they go on when this block has ended
                _setter.submit(_setting.close).result()


def _set(threads: int) -> None:
    _setting.enter_context(_controller().limit(limits=threads, user_api="blas"))


@cache
def _controller() -> ThreadpoolController:
    return ThreadpoolController()
