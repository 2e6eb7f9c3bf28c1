"""What a run writes down after an epoch: the history, its curves, and the model's manifest."""

import json
from pathlib import Path
from typing import Any

from tfsepgan import config as settings
from tfsepgan.config import Experiment
from tfsepgan.data.recordings.catalogue import Catalogue
from tfsepgan.training.board import plot_curves
from tfsepgan.training.checkpoint import write_atomically

History = list[dict[str, float]]
"""One row an epoch: `step`, `minutes`, `train/...` and `val/...`."""


def training_facts(
    experiment: Experiment, catalogue: Catalogue, row: dict[str, float]
) -> dict[str, Any]:
    """The facts about the training of a model, for its manifest.

    Args:
      row: the history's row of the epoch whose weights are saved.
    """
    return {
        "preset": experiment.preset,
        "steps": f"{row['step']} of {experiment.training.steps}",
        "minutes": round(row["minutes"], 1),
        "recordings": {
            item.source: f"{item.files} files, {item.minutes:.1f} minutes"
            for item in catalogue.summary()
            if item.split == "train"
        },
        "scores": {name: round(value, 2) for name, value in row.items() if name.startswith("val/")},
        "settings": _settings_of_any_machine(experiment),
    }


def _settings_of_any_machine(experiment: Experiment) -> dict[str, Any]:
    """The settings without paths of this machine, and without the generator's.

    The generator's settings have their own place in the manifest.
    """
    saved = settings.to_dict(experiment)
    saved["augment"].pop("rooms")
    return {
        name: value
        for name, value in saved.items()
        if name not in settings.FREE_ON_RESUME | {"generator"}
    }


def write_history(directory: Path, history: History) -> None:
    """Write `history.json`, the same as `metrics.jsonl` (a line for each epoch), and `curves.png`.

    Raises: CheckpointError when the disk refuses.
    """
    rows = json.dumps(history, indent=1).encode()
    write_atomically(directory / "history.json", lambda file: file.write(rows))
    lines = "".join(json.dumps(row) + "\n" for row in history).encode()
    write_atomically(directory / "metrics.jsonl", lambda file: file.write(lines))
    plot_curves(history, directory / "curves.png")


def shown_numbers(row: dict[str, float]) -> dict[str, float]:
    """The losses and scores of a row that people see: all but the medians."""
    return {name: value for name, value in row.items() if "/" in name and "median" not in name}


def line_of(row: dict[str, float]) -> str:
    """A row of the history as one line of the console; zeros are left out."""
    text = "  ".join(
        f"{name.split('/')[1]} {value:.4g}" for name, value in shown_numbers(row).items() if value
    )
    return f"step {row['step']:>6}  {row['minutes']:6.2f} min  {text}"
