"""Work done ahead of its use: reading, separating and writing overlap, each in a thread of its own."""

import queue
import threading
from collections.abc import Iterable, Iterator
from typing import TypeVar

Item = TypeVar("Item")
POLL_SECONDS = 0.1  # how soon a thread whose reader has gone away notices


def ahead(items: Iterable[Item], *, depth: int) -> Iterator[Item]:
    """The same items in the same order, made in a thread while the caller is busy with earlier
    ones.

    Args:
      items: consumed in the other thread; an error it raises is raised here in its place. A
        generator is closed there when the caller stops early.
      depth: how many finished items may wait; memory is bounded by it.
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
        if thread.ident is not None:  # it may have been interrupted before it began
            thread.join()


def _fill(items: Iterable[Item], waiting: queue.Queue, stop: threading.Event) -> None:
    try:
        for item in items:
            if not _put(waiting, ("item", item), stop):
                return
        _put(waiting, ("end", None), stop)
    except BaseException as error:  # whatever it is, it belongs to the caller's thread
        _put(waiting, ("error", error), stop)
    finally:
        close = getattr(items, "close", None)
        if close is not None:
            close()


def _put(waiting: queue.Queue, message: tuple, stop: threading.Event) -> bool:
    """Queue a message unless the reader has gone away; says whether it did."""
    while not stop.is_set():
        try:
            waiting.put(message, timeout=POLL_SECONDS)
        except queue.Full:
            continue
        return True
    return False
