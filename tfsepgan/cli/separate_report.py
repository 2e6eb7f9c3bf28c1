"""What `tfsepgan-separate` prints: results on its console, notes and failures on another one."""

import json
import os
from dataclasses import dataclass
from typing import Any

from rich.console import Console
from rich.markup import escape


@dataclass(frozen=True)
class Report:
    """Prints the results of one command."""

    console: Console | None
    """Gets a line or JSON object for each recording; None prints none."""
    messages: Console
    """Gets notes and failures."""
    json: bool
    quiet: bool
    verbose: bool
    name: str | None = None
    """Shown in place of the path of the only recording."""

    def note(self, text: str) -> None:
        """Print a note, unless the command is quiet."""
        if not self.quiet:
            _print(self.messages, text)

    def failure(self, item) -> None:
        """Print why an input cannot be read; a quiet command prints it with its results."""
        if not self.quiet:
            self.failed(item.reason)

    def model(self, model, separator) -> None:
        """Print which model runs and how, if the command is verbose.

        Args:
          model: a LocalModel or ServedModel.
          separator: None where others load the model.
        """
        if not self.verbose:
            return
        if hasattr(model, "server"):
            self.note(f"{model.model}, on the server {model.server}")
        elif separator is None:
            self.note(f"{model.folder}, in {model.runtime}")
        else:
            rate_hz = separator.sample_rate_hz
            self.note(
                f"{model.folder}: {', '.join(separator.sources)} at {rate_hz} Hz, in"
                f" {model.runtime}, blocks of {separator.block / rate_hz:.1f} s"
            )

    def ended(self, item, *, is_shown: bool = False) -> None:
        """Print a `SeparatedFile` with its notes, or a failed or unread input.

        Args:
          item: the result.
          is_shown: whether the failure was printed before; a quiet command prints it only here.
        """
        if hasattr(item, "reason"):
            if self.console and self.json:
                facts = {"input": self._name(item), "status": "failed", "reason": item.reason}
                _print(self.console, json.dumps(facts))
            if self.quiet or not is_shown:
                self.failed(item.reason)
            return
        if self.console:
            facts = {"input": self._name(item), **_facts(item)}
            _print(self.console, json.dumps(facts) if self.json else _line(item))
        if self.verbose:
            took = f"{item.elapsed_seconds:.2f} s for {_seconds(item):.2f} s of sound"
            self.note(
                f"{self._name(item)}: {took}, {item.times_real_time:.0f} x real time; the stems"
                f" peak at {item.levels.peak:.3f}"
            )
        for note in item.notes:
            self.note(f"{self._name(item)}: note: {note}")

    def line(self, text: str) -> None:
        """Print a result."""
        _print(self.console, text)

    def failed(self, reason: str) -> None:
        """Print why something failed."""
        self.messages.print(f"[red]failed[/red] {escape(reason)}", highlight=False)

    def _name(self, item) -> str:
        return self.name or str(item.path)


def _seconds(item) -> float:
    return item.frames / item.sample_rate_hz


def _line(item) -> str:
    folder = os.path.commonpath([path.parent for path in item.stems.values()])
    stems = ", ".join(path.relative_to(folder).as_posix() for path in item.stems.values())
    return (
        f"{folder}: {stems}; {_seconds(item):.1f} s, {item.sample_rate_hz} Hz,"
        f" {item.channels} channels, {item.times_real_time:.0f} x real time"
    )


def _facts(item) -> dict[str, Any]:
    return {
        "status": "done",
        "stems": {name: str(path) for name, path in item.stems.items()},
        "seconds": _seconds(item),
        "sample_rate_hz": item.sample_rate_hz,
        "channels": item.channels,
        "gain": item.levels.gain,
        "clipped_samples": item.levels.clipped_samples,
        "elapsed_seconds": round(item.elapsed_seconds, 3),
        "notes": list(item.notes),
    }


def _print(console: Console, text: str) -> None:
    console.print(text, markup=False, highlight=False)
