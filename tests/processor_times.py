"""An option of pytest: `--processor-times FILE` adds what each test costs to a file.

A line: processor seconds (with those of child processes that ended), wall seconds, phase, test. On
a busy machine processor seconds vary less than the time on the clock.
"""

import os
import time

import pytest


def pytest_addoption(parser):
    parser.addoption(
        "--processor-times", metavar="FILE", help="append the processor seconds of each test"
    )


@pytest.hookimpl(wrapper=True)
def pytest_runtest_setup(item):
    return (yield from timed(item, "setup"))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item):
    return (yield from timed(item, "call"))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown(item):
    return (yield from timed(item, "teardown"))


def timed(item, phase):
    file, processor, wall = (
        item.config.getoption("processor_times"),
        sum(os.times()[:4]),
        time.time(),
    )
    try:
        return (yield)
    finally:
        if file:
            processor, wall = sum(os.times()[:4]) - processor, time.time() - wall
            with open(file, "a") as times:  # one write a line, so that workers may share the file
                times.write(f"{processor:8.2f} {wall:8.2f} {phase:8} {item.nodeid}\n")
