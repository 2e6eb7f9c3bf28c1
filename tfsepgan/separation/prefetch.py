"""Items made in another thread before they are needed: reading, separating and writing overlap."""

import queue
import threading
from collections.abc import Iterable, Iterator
from typing import TypeVar

Item = TypeVar("Item")
POLL_SECONDS = 0.1  # how long a thread goes on after its reader has stopped


def ahead(items: Iterable[Item], *, depth: int) -> Iterator[Item]:
    """The same items in the same order, made in a thread while the caller uses earlier ones.

    Args:
      items: consumed in the other thread; an error there is raised here, after the items before it.
        A generator is closed when the caller stops early.
      depth: how many finished items may wait, which bounds the memory.
    """
    waiting: queue.Queue = queue.Queue(maxsize=depth)
    stop = threading.Event()
    thread = threading.Thread(
        target=_fill, args=(items, waiting, stop), name="tfsepgan-ahead", daemon=True
    )
    try:
        thread.start()
        while True:
            kind, value = waiting.get()
            if kind == "end":
                return
            if kind == "error":
                raise value
            yield value
    finally:
        stop.set()
        if thread.ident is not None:  # None when the start was interrupted
            thread.join()


def _fill(items: Iterable[Item], waiting: queue.Queue, stop: threading.Event) -> None:
    try:
        for item in items:
            if not _put(waiting, ("item", item), stop):
                return
        _put(waiting, ("end", None), stop)
    except BaseException as error:  # raised again in the caller's thread
        _put(waiting, ("error", error), stop)
    finally:
        close = getattr(items, "close", None)
        if close is not None:
            close()


def _put(waiting: queue.Queue, message: tuple, stop: threading.Event) -> bool:
    """Queue a message, unless the reader has stopped; returns True if it was queued."""
    while not stop.is_set():
        try:
            waiting.put(message, timeout=POLL_SECONDS)
        except queue.Full:
            continue
        return True
    return False
