"""Results of the rows, gathered from their folders, grouped into tables, with their provenance.

Scores are kept as means over the mixtures of each recording, for each seed, set and metric, so that
rows of another machine can be compared: `result["means"][SET][METRIC][RECORDING][SEED]`.
"""

from collections import Counter
from collections.abc import Iterable
from pathlib import Path

import comparison_table as tables
from comparison_rows import ROWS, Trial
from comparison_sets import ScoringSet
from comparison_statistics import left_out, means_of
from comparison_work import RowError

from tfsepgan.data.recordings.catalogue import Catalogue
from tfsepgan.evaluation.records import Report, read_json

# of the planned steps; with fewer, a note says that the learning rate did not reach its end
MOST = 0.98
LEAST = 0.85  # of the budget; below, a note says so
BOUNDS = {
    "mixture": ("mixture", "nothing done"),
    "oracle": ("ideal mask", "ideal ratio mask, from the true sources"),
}
SAME_DB = 0.01  # levels of the mixture itself may differ by this much between machines


class Results:
    """The results of the scored rows.

    Args:
      folder: the comparison's.
      trials: those with scores.
      sets: names of the sets of their scores.
      source: whose scores count.
      written: earlier tables; their rows that are not here are kept.
    Raises: RowError when rows were scored on different mixtures.
    """

    def __init__(
        self,
        folder: Path,
        trials: Iterable[Trial],
        sets: list[str],
        source: str,
        written: dict[str, list] | None = None,
    ):
        self.folder, self.sets, self.source = folder, sets, source
        self.trials: dict[str, list[Trial]] = {}
        for trial in trials:
            self.trials.setdefault(trial.row.name, []).append(trial)
        self.reports = {
            trial: {name: Report.load(folder / trial.name / "scores" / name) for name in sets}
            for trials in self.trials.values()
            for trial in trials
        }
        self._check_same_mixtures()
        kept = {result["row"]: result for results in (written or {}).values() for result in results}
        self.written_bounds = [kept[name] for name, _ in BOUNDS.values() if name in kept]
        self._check_written()
        self.rows = {row.name: row for row in ROWS if row.name in self.trials.keys() | kept.keys()}
        self.by_name = {
            name: self._result(name) if name in self.trials else dict(kept[name])
            for name in self.rows
        }

    def _check_same_mixtures(self) -> None:
        """Check that all rows were scored on the same mixtures.

        Raises: RowError when two were not.
        """
        for name in self.sets:
            seen = {
                trial.name: {
                    track.name: track.scores[self.source]["mixture"]["si_sdr"]
                    for track in reports[name].tracks
                }
                for trial, reports in self.reports.items()
            }
            first = next(iter(seen), None)
            different = [trial for trial, scores in seen.items() if scores != seen[first]]
            if different:
                raise RowError(
                    f"{', '.join(different)} and {first} were scored on other mixtures of {name}"
                )

    def _check_written(self) -> None:
        """Check, by the mixtures' own scores, that earlier rows have the same mixtures."""
        if not (self.reports and self.written_bounds):
            return
        before, now = self.written_bounds[0]["means"], self._bounds_here()[0]["means"]
        for name in self.sets:
            levels = [means.get(name, {}).get("si_sdr", {}) for means in (before, now)]
            apart = [
                abs(levels[0][file]["0"] - level["0"])
                for file, level in levels[1].items()
                if file in levels[0]
            ]
            if levels[0].keys() != levels[1].keys() or max(apart) > SAME_DB:
                raise RowError(f"the earlier tables have other mixtures of {name}: {levels}")

    def _result(self, name: str) -> dict:
        """All results of a row."""
        row, trials = self.rows[name], self.trials[name]
        result = {
            "row": name,
            "says": row.says,
            "system": row.system,
            "preset": row.preset,
            "flags": list(row.flags),
        }
        result["training"] = {
            str(trial.seed): read_json(self.folder / trial.name / "trained.json")
            for trial in trials
        }
        by_set = {
            name: {trial.seed: self.reports[trial][name] for trial in trials} for name in self.sets
        }
        result["means"] = {
            name: means_of(reports, self.source, "model") for name, reports in by_set.items()
        }
        counts: Counter[str] = Counter()
        for reports in by_set.values():
            counts.update(left_out(reports, self.source))
        result["left_out"] = dict(counts)
        for measured in (self.folder / trial.name / "measured.json" for trial in trials):
            if measured.exists():
                numbers = read_json(measured)
                result |= {
                    part: numbers[part] for part in ("parameters", "speed") if part in numbers
                }
                break
        return result

    def _bounds_here(self) -> list[dict]:
        """The mixture and the ideal mask, from any trial; their scores are the same in all."""
        reports, found = next(iter(self.reports.values())), []
        for kind, (name, says) in BOUNDS.items():
            means = {
                set_name: means_of({0: report}, self.source, kind)
                for set_name, report in reports.items()
            }
            if kind == "mixture":
                for metrics in means.values():
                    # a mixture has no artifacts, so its SAR is rounding error
                    metrics.pop("sar", None)
                    metrics["si_sdr_improvement"] = {file: {"0": 0.0} for file in metrics["si_sdr"]}
            found.append({"row": name, "says": says, "bound": True, "means": means})
        return found

    def groups(self) -> dict[str, list[dict]]:
        """Results by title of their table: the bounds around the systems, the base first."""
        return tables.grouped(
            self.by_name, self.rows, self._bounds_here() if self.reports else self.written_bounds
        )

    def facts(self, options, catalogue: Catalogue, sets: list[ScoringSet]) -> dict:
        """The provenance of the numbers."""
        commits: dict[str, list[str]] = {}
        hardware: dict[str, list[str]] = {}
        for name, result in self.by_name.items():
            for seed, training in result["training"].items():
                trial = name if len(result["training"]) == 1 and seed == "0" else f"{name}@{seed}"
                commits.setdefault(" and ".join(training["commits"]), []).append(trial)
                hardware.setdefault(training["hardware"], []).append(trial)
        folders = _without_paths([options.data, *(one.data for one in sets)])
        scored = (
            "".join(f" {one.name}={folders[one.data]}/{one.split}" for one in sets)
            if options.score
            else ""
        )
        seeds = sorted(
            {int(seed) for result in self.by_name.values() for seed in result["training"]}
        )
        return {
            "command": "python tools/experiments/systems/compare_systems.py "
            f"--data {folders[options.data]} --folder RUNS "
            f"--processor-minutes {options.processor_minutes:g}"
            f"{' --score' if scored else ''}{scored} --mixtures {options.mixtures} "
            f"--seconds {options.seconds:g}{'' if options.bss else ' --no-bss'} "
            f"--seeds {' '.join(map(str, seeds))} --write docs",
            "date": tables.today(),
            "hardware": hardware,
            "commits": commits,
            "data": [
                [item.source, item.files, round(item.minutes, 1)]
                for item in catalogue.summary()
                if item.split == "train"
            ],
            "sets": {
                one.name: {
                    "from": f"{folders[one.data]}/{one.split}",
                    "recordings": one.targets(self.source),
                }
                for one in sets
            },
            "mixtures": options.mixtures,
            "seconds": options.seconds,
            "notes": self._notes(options.processor_minutes),
        }

    def _notes(self, processor_minutes: float) -> list[str]:
        """Notes on single rows."""
        notes, usual = [], next(iter(next(iter(self.by_name.values()))["training"].values()))
        for name, result in self.by_name.items():
            for seed, training in result["training"].items():
                trial = f"`{name}`, seed {seed}"
                if (training["window"], training["batch"]) != (usual["window"], usual["batch"]):
                    notes.append(
                        f"{trial}: {training['batch']} windows of {training['window']} samples "
                        "per step."
                    )
                if training["steps"] < MOST * training["planned_steps"]:
                    notes.append(
                        f"{trial}: the budget ended at step {training['steps']} of "
                        f"{training['planned_steps']}."
                    )
                if (
                    training["processor_minutes"]
                    < LEAST * processor_minutes * self.rows[name].share
                ):
                    notes.append(
                        f"{trial}: took {training['processor_minutes']} processor minutes."
                    )
            notes += tables.left_out_notes(name, result)
        missing = [row.name for row in ROWS if row.separates and row.name not in self.by_name]
        return notes + ([f"Not there: {', '.join(missing)}."] if missing else [])


def _without_paths(folders: list[str]) -> dict[str, str]:
    """Names of folders for a published command: `demo` as it is, otherwise DIR, DIR2 and so on."""
    shown: dict[str, str] = {}
    for folder in folders:
        count = sum(name != "demo" for name in shown)
        shown.setdefault(
            folder, "demo" if folder == "demo" else f"DIR{count + 1}" if count else "DIR"
        )
    return shown
