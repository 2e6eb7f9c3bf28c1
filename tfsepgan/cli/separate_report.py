"""What `tfsepgan-separate` prints: results on its console, notes and failures on another one."""

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console


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
            _print(self.messages, f"failed {item.reason}")

    def model(self, folder: Path, runtime: str, separator) -> None:
        """Print which model runs and how, if the command is verbose."""
        if self.verbose:
            rate_hz = separator.sample_rate_hz
            self.note(
                f"{folder}: {', '.join(separator.sources)} at {rate_hz} Hz, in {runtime}, blocks of"
                f" {separator.block / rate_hz:.1f} s"
            )

    def results(self, done: Sequence, failed: Sequence) -> None:
        """Print the `SeparatedFile`s, their notes, and the `FailedFile`s that were not shown."""
        for item in done:
            if self.console:
                _print(
                    self.console,
                    json.dumps({"input": self._name(item), **_facts(item)})
                    if self.json
                    else _line(item),
                )
            if self.verbose:
                took = f"{item.elapsed_seconds:.2f} s for {_seconds(item):.2f} s of sound"
                self.note(
                    f"{self._name(item)}: {took}, {item.times_real_time:.0f} x real time; the stems"
                    f" peak at {item.levels.peak:.3f}"
                )
            for note in item.notes:
                self.note(f"{self._name(item)}: note: {note}")
        for item in failed:
            if self.console and self.json:
                facts = {"input": self._name(item), "status": "failed", "reason": item.reason}
                _print(self.console, json.dumps(facts))
            if self.quiet:
                _print(self.messages, f"failed {item.reason}")

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
