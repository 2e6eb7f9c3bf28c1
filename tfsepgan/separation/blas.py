"""The number of threads of NumPy's matrix products, while several of our threads compute.

A matrix product that takes all cores makes the other threads wait. The setting belongs to the whole
process, so it is restored as soon as no thread needs it.
"""

import contextlib
import os
import threading
from collections.abc import Iterator
from functools import cache

from threadpoolctl import ThreadpoolController

_lock = threading.Lock()
_limits = contextlib.ExitStack()
_users = 0


@contextlib.contextmanager
def shared_by(threads: int) -> Iterator[None]:
    """Inside, a matrix product takes the cores divided by `threads`, and at least one.

    Where several calls overlap, the first one decides.
    """
    global _users
    with _lock:
        if not _users:
            limit = max(1, (os.cpu_count() or 1) // threads)
            _limits.enter_context(_controller().limit(limits=limit, user_api="blas"))
        _users += 1
    try:
        yield
    finally:
        with _lock:
            _users -= 1
            if not _users:
                _limits.close()


@cache
def _controller() -> ThreadpoolController:
    return ThreadpoolController()
