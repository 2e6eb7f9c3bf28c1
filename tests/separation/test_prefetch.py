"""Items made ahead keep their order and errors, and the thread stops with its reader."""

import threading
import time

import pytest

from tfsepgan.separation.prefetch import ahead


def test_items_come_in_order():
    assert list(ahead(iter(range(1000)), depth=3)) == list(range(1000))


def test_an_error_comes_after_the_items_before_it():
    def failing():
        yield 1
        raise ValueError("broken")

    items = ahead(failing(), depth=2)
    assert next(items) == 1
    with pytest.raises(ValueError, match="broken"):
        next(items)


def test_stopping_early_closes_the_generator_and_the_thread():
    closed = threading.Event()

    def endless():
        try:
            while True:
                yield 0
        finally:
            closed.set()

    before = threading.active_count()
    items = ahead(endless(), depth=1)
    next(items)
    items.close()
    assert closed.is_set()
    assert threading.active_count() == before


def test_no_more_than_depth_is_made_ahead():
    made = []

    def counted():
        for number in range(100):
            made.append(number)
            yield number

    items = ahead(counted(), depth=2)
    next(items)
    time.sleep(0.3)
    assert len(made) <= 4  # one taken, two waiting, one in hand
    items.close()
