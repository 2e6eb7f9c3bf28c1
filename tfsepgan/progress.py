"""The progress bar of all work that takes long: what is done, how much, and the time left."""

import sys
from collections.abc import Iterable, Iterator
from typing import Any, TypeVar

from rich.console import Console
from rich.markup import escape
from rich.progress import (
    BarColumn,
    DownloadColumn,
    Progress,
    TaskProgressColumn,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

Item = TypeVar("Item")
BAR_WIDTH = 24  # leaves room for names and losses in 80 columns


class ProgressBar:
    """A bar on a terminal, by `with` or `start` and `stop`; elsewhere it shows nothing.

    Results on the same terminal are printed above it; those that go to a file are left alone. It
    can be used from several threads.
    """

    def __init__(
        self,
        console: Console | None,
        work: str,
        total: float,
        *,
        unit: str | None = None,
        done: float = 0.0,
        stays: bool = True,
    ):
        """
        Args:
          console: gets the bar; None shows nothing.
          work: what is done.
          total: the amount of work.
          unit: shown after the amount, such as "min"; "bytes" chooses a readable one. Without it,
            the bar shows percent.
          done: amount at the start.
          stays: whether the bar is still shown at the end.
        """
        if unit is None:
            amount: Any = TaskProgressColumn()
        elif unit == "bytes":
            amount = DownloadColumn()
        else:
            amount = TextColumn(f"{{task.completed:.0f}}/{{task.total:.0f}} {unit}".rstrip())
        times = TimeElapsedColumn(), TextColumn("left"), TimeRemainingColumn()
        self._progress = Progress(
            *(TextColumn("{task.description}"), BarColumn(BAR_WIDTH), amount, *times),
            console=console,
            disable=console is None or not console.is_terminal,
            redirect_stdout=sys.stdout is not None and sys.stdout.isatty(),
            transient=not stays,
        )
        self._task = self._progress.add_task(escape(work), total=total, completed=done)

    def start(self) -> None:
        """Show the bar."""
        self._progress.start()

    def stop(self) -> None:
        """Leave the bar as it is, or remove it."""
        self._progress.stop()

    def advance(self, amount: float = 1.0) -> None:
        """Add to what is done."""
        self._progress.advance(self._task, amount)

    def complete(self, amount: float) -> None:
        """Set what is done."""
        self._progress.update(self._task, completed=amount)

    def describe(self, work: str) -> None:
        """Change what is shown before the bar."""
        self._progress.update(self._task, description=escape(work))

    def over(self, items: Iterable[Item]) -> Iterator[Item]:
        """The items; the bar advances by one after each."""
        for item in items:
            yield item
            self.advance()

    def __enter__(self) -> "ProgressBar":
        self.start()
        return self

    def __exit__(self, *exception) -> None:
        self.stop()


def bar_on_stderr(work: str, total: float, *, unit: str | None = None) -> ProgressBar:
    """A bar of work before the command's own, which is removed at its end."""
    return ProgressBar(Console(stderr=True), work, total, unit=unit, stays=False)
