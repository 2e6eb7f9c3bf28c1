"""The progress bar of commands that make or pack recordings."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn


@contextmanager
def progress(
    console: Console, what: str, total: float, unit: str = ""
) -> Iterator[Callable[[float], None]]:
    """Show a bar with the time left; hidden where there is no terminal.

    Yields: a function that adds an amount to what is done.
    """
    amount = TextColumn(f"{{task.completed:.0f}}/{{task.total:.0f}}{unit}")
    columns = TextColumn(what), BarColumn(), amount, TimeRemainingColumn()
    with Progress(*columns, console=console, disable=not console.is_terminal) as bar:
        yield partial(bar.advance, bar.add_task(what, total=total))
