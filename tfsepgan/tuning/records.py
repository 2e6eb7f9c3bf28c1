"""The record of a trial: how it ended, its score and its settings; one JSON file each."""

import json
from pathlib import Path
from typing import Any, NamedTuple

from tfsepgan.errors import CheckpointError

START = 0  # number of the trial with the unchanged preset, the baseline of the search
# outcomes of a trial that ran to its end; the others are 'poor', 'diverged' and 'failed'
WHOLE = ("finished", "time")


class Record(NamedTuple):
    """How a trial ended."""

    trial: int
    outcome: str  # one of WHOLE, or 'poor', 'diverged', 'failed'
    score: float | None  # of the model that is kept, dB, higher is better; None without a score
    values: dict[str, Any]
    folder: str  # of its run, in the folder of the search
    step: int
    rung: int | None = None  # the step to stop at, when it is not the last one (hyperband)
    minutes: float = 0.0  # of training by the clock, with the trials that it continues
    processor_minutes: float = 0.0  # of all cores together
    parameters: int | None = None  # of the networks that are exported
    goes_on_from: int | None = None  # the trial that it continues (hyperband)
    why: str | None = None  # the error, or the reason for no score

    @property
    def whole(self) -> bool:
        """Whether the trial had the whole budget, so that its score can be compared."""
        return (
            self.outcome in WHOLE
            and self.score is not None
            and (self.rung is None or self.outcome == "time")
        )


def read_records(directory: Path) -> list[Record]:
    """The records of a search, sorted by number.

    Raises: CheckpointError for a file that is no record.
    """
    paths = Path(directory).glob("results/*.json")
    return sorted(map(read_record, paths), key=lambda record: record.trial)


def read_record(path: Path) -> Record:
    """The record in a file.

    Raises: CheckpointError when it is no record.
    """
    try:
        return Record(**json.loads(path.read_text()))
    except (OSError, ValueError, TypeError) as error:
        raise CheckpointError(
            f"{path} is damaged: {error}. Remove it; the search then continues without it."
        ) from error


def record_path(directory: Path, number: int) -> Path:
    """The file of a trial's record."""
    return Path(directory) / "results" / f"{number:03d}.json"
