"""The progress bar of commands that make or pack recordings."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn


@contextmanager
def progress(
    console: Console | None, what: str, total: float, unit: str = ""
) -> Iterator[Callable[[float], None]]:
    """Show a bar with the time left; hidden where there is no terminal or no console.

    Results on the same terminal are printed above it; those that go to a file are left alone.

    Yields: a function that adds an amount to what is done.
    """
    amount = TextColumn(f"{{task.completed:.0f}}/{{task.total:.0f}}{unit}")
    columns = TextColumn(what), BarColumn(), amount, TimeRemainingColumn()
    shown = console is not None and console.is_terminal
    redirect = sys.stdout is not None and sys.stdout.isatty()
    with Progress(*columns, console=console, disable=not shown, redirect_stdout=redirect) as bar:
        yield partial(bar.advance, bar.add_task(what, total=total))
