"""The rows of a comparison with their seeds: folders, settings, and the next task of each."""

import argparse
import json
from pathlib import Path

import comparison_work as work
from comparison_rows import Row, Trial, chosen
from comparison_sets import ScoringSet, scoring_sets
from rich.console import Console

from tfsepgan.config import FREE_ON_RESUME, flatten, to_dict
from tfsepgan.data.recordings.opening import open_catalogue
from tfsepgan.evaluation.records import METRICS, SPECTRAL_METRICS, read_json

SCORED = ("measure", "done")  # states of a row whose scores are there
WITHOUT_BSS = ("snr", "si_sdr", *SPECTRAL_METRICS)
_FREE = FREE_ON_RESUME | {"steps", "steps_per_epoch"}


class Trials:
    """The rows, their folder, and the next task of each.

    Args:
      options: from the command line.
      console: for messages.
    """

    def __init__(self, options: argparse.Namespace, console: Console):
        self.options, self.console = options, console
        self.folder = Path(options.folder)
        rows = [row for row in chosen(options.rows) if not row.missing()]
        self.trials = [Trial(row, seed) for row in rows for seed in dict.fromkeys(options.seeds)]
        self.catalogue = open_catalogue(options.data, (options.source,))
        self.sets = scoring_sets(options.score, options.data, options.source)

    def of(self, trial: Trial, *parts: str) -> Path:
        """A path in a trial's folder."""
        return self.folder.joinpath(trial.name, *parts)

    def arguments(self, trial: Trial) -> list[str]:
        """The flags of a training without its length and folder."""
        row, options = trial.row, self.options
        needed = {need: Trial(chosen([need])[-1], trial.seed).name for need in row.needs}
        runs = {need: str(self.folder / name / "run") for need, name in needed.items()}
        flags = row.arguments(options.data, seed=trial.seed, cache=options.cache, runs=runs)
        return [*flags, "--sources", options.source]

    def settings(self, trial: Trial) -> dict:
        """A trial's settings, without those that may change or follow from the budget."""
        flat = flatten(to_dict(trial.row.experiment(self.options.data, seed=trial.seed)))
        kept = {name: value for name, value in flat.items() if name not in _FREE}
        return json.loads(json.dumps(kept)) | {
            "budget_minutes": trial.row.share * self.options.processor_minutes
        }

    def computed_from(self, trial: Trial, one: ScoringSet) -> dict:
        """What a trial's scores of a set depend on."""
        return {
            "model": work.fingerprint(self.of(trial, "run", "model")),
            "recordings": one.recordings(),
            "mixtures": self.options.mixtures,
            "seconds": self.options.seconds,
            "metrics": list(WITHOUT_BSS if not self.options.bss else (*METRICS, *SPECTRAL_METRICS)),
        }

    def state(self, trial: Trial) -> str:
        """The next task: 'plan', 'train', 'score SET' or 'measure'; 'done' if there is none."""
        if not self.of(trial, "plan.json").exists():
            return "plan"
        if not self.of(trial, "trained.json").exists():
            return "train"
        if not trial.row.separates:
            return "done"
        for one in self.sets:
            stamp = self.of(trial, "scores", one.name, "computed_from.json")
            if not stamp.exists() or not self._matches(
                read_json(stamp), self.computed_from(trial, one)
            ):
                return f"score {one.name}"
        measured = any(
            self.of(other, "measured.json").exists() for other in self.on_disk(trial.row)
        )
        return "done" if measured else "measure"

    @staticmethod
    def _matches(found: dict, wanted: dict) -> bool:
        """Whether scores are those that are wanted; further metrics are allowed."""
        wanted = json.loads(json.dumps(wanted))
        return set(wanted.pop("metrics")) <= set(found.pop("metrics", ())) and found == wanted

    def on_disk(self, row: Row) -> list[Trial]:
        """The trials of a row that the folder holds, by seed."""
        named = {
            path.name: path.name.removeprefix(f"{row.name}@")
            for path in self.folder.glob(f"{row.name}@*")
        }
        seeds = sorted(int(seed) for seed in named.values() if seed.isdecimal())
        return [
            trial for trial in (Trial(row, seed) for seed in (0, *seeds)) if self.of(trial).is_dir()
        ]

    def changed(self, trial: Trial) -> list[str]:
        """Settings of a trial on disk that differ from the current ones."""
        if not self.of(trial, "plan.json").exists():
            return []
        saved, current = read_json(self.of(trial, "plan.json"))["settings"], self.settings(trial)
        names = sorted(current.keys() & saved.keys())
        return [
            f"{name}: {saved[name]!r}, now {current[name]!r}"
            for name in names
            if saved[name] != current[name]
        ]
