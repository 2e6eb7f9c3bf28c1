"""The plan of a search: what is searched, how and where, and the folder of the search.

The folder holds `search.yaml` (the plan), `oracle/` (keras-tuner's state), `trials/NNN/` (a run
each) and `results/NNN.json` (a record each, written when the trial ends).
"""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import yaml

from tfsepgan import systems
from tfsepgan.config import Experiment, differences, flatten, listed, to_dict
from tfsepgan.errors import CheckpointError
from tfsepgan.settings.search import Choice
from tfsepgan.training.checkpoint import write_atomically
from tfsepgan.training.records import History
from tfsepgan.tuning.records import START
from tfsepgan.tuning.space import Searched, Space
from tfsepgan.tuning.values import with_values

Algorithm = Literal["random", "bayesian", "hyperband"]
SEARCH = "search.yaml"
IMPROVEMENT = "val/si_sdr_improvement_db"
WORST_SOUNDS_DB = -60.0  # the score of silence


@dataclass(frozen=True, kw_only=True)
class SearchPlan:
    """What is searched, how and where."""

    start: Experiment
    """The preset that the search starts from, with the budget of one trial."""
    space: Space
    directory: Path
    algorithm: Algorithm = "bayesian"
    trials: int | None = None
    """Largest number of trials, with that of the preset; None for the algorithm's own number."""
    factor: int = 3
    """One trial in `factor` continues in the next round, with `factor` times the steps
    (hyperband)."""
    poor_db: float = 10.0
    """A trial that stays this far below the mixture ends early; no trial counts as worse, dB."""
    poor_epochs: int = 2
    """Number of validations after which a trial may end early."""

    @property
    def epochs(self) -> int:
        """Validations in a whole trial."""
        return math.ceil(self.start.training.steps / self.start.training.steps_per_epoch)

    @property
    def separates(self) -> bool:
        """Whether the score is the SI-SDR improvement; otherwise it scores generated sounds."""
        return systems.system_kind(self.start.system) != "synthesis"

    @property
    def floor_db(self) -> float:
        """The lowest score that the sampler gets: an outlier would hide the other differences."""
        return -self.poor_db if self.separates else WORST_SOUNDS_DB

    def values(self, drawn: Mapping[str, Any]) -> dict[str, Any]:
        """Settings from the values that keras-tuner drew, rounded to four digits."""
        return {
            item.name: decoded(item, drawn[item.name])
            for item in self.space.settings
            if item.name in drawn
        }

    def experiment(self, number: int, values: Mapping[str, Any]) -> Experiment:
        """The settings of a trial."""
        return self.start if number == START else with_values(self.start, values)

    def is_poor(self, history: History) -> bool:
        """Whether a separator is still far below the mixture after its first validations."""
        scores = [row[IMPROVEMENT] for row in history if IMPROVEMENT in row]
        # NaN is poor too
        return len(scores) >= self.poor_epochs and not max(scores) >= -self.poor_db

    def identity(self) -> dict[str, Any]:
        """Everything that must stay the same when a search is resumed."""
        return {
            "algorithm": self.algorithm,
            "factor": self.factor,
            "poor_db": self.poor_db,
            "poor_epochs": self.poor_epochs,
            "space": self.space.plain(),
            "settings": to_dict(self.start),
        }


def encoded(item: Searched, value: Any) -> Any:
    """A setting's value for keras-tuner: JSON text for a choice."""
    if isinstance(item.span, Choice):
        return json.dumps(next(choice for choice in item.span.values if choice == listed(value)))
    return value


def decoded(item: Searched, drawn: Any) -> Any:
    """A setting's value from the value that keras-tuner drew."""
    if isinstance(item.span, Choice):
        return json.loads(drawn)
    rounded = round(drawn) if item.whole else float(f"{drawn:.4g}")
    return min(max(rounded, item.span.low), item.span.high)


def start_values(plan: SearchPlan) -> dict[str, Any]:
    """The preset's values of the searched settings."""
    flat = flatten(to_dict(plan.start))
    return {item.name: flat[item.name] for item in plan.space.settings}


def prepare_search(plan: SearchPlan) -> None:
    """Create the folder of a search, or check that the search in it has the same plan.

    Raises: CheckpointError when the folder holds other files or another search, or cannot be
      written.
    """
    path, identity = plan.directory / SEARCH, plan.identity()
    if path.exists():
        if different := _search_differences(plan, path, identity):
            raise CheckpointError(
                f"{plan.directory} holds another search:\n  "
                + "\n  ".join(different)
                + "\nRepeat its settings to resume it, or choose another --output folder; nothing"
                " was changed."
            )
        return
    inside = plan.directory.iterdir() if plan.directory.is_dir() else ()
    if any(not item.name.startswith(".") for item in inside):
        raise CheckpointError(
            f"{plan.directory} is not empty and not a search (no {SEARCH}). Choose another --output"
            " folder; nothing was changed."
        )
    write_atomically(
        path, lambda file: file.write(yaml.safe_dump(identity, sort_keys=False).encode())
    )


def _search_differences(plan: SearchPlan, path: Path, identity: dict[str, Any]) -> list[str]:
    try:
        saved = yaml.safe_load(path.read_text())
        different = differences(plan.start, saved["settings"])
        return different + [
            f"{name}: the search has {saved.get(name)}, you asked for {identity[name]}"
            for name in identity
            if name != "settings" and saved.get(name) != identity[name]
        ]
    except (OSError, ValueError, yaml.YAMLError, LookupError, TypeError, AttributeError) as error:
        raise CheckpointError(
            f"{path} cannot be read: {error}. Choose another --output folder."
        ) from error
