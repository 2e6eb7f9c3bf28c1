"""What the rows gave, gathered from their folders: one dictionary a row, grouped into tables, and where the numbers come from."""

from collections.abc import Iterable
from pathlib import Path

import comparison_table as tables
from comparison_rows import BASE, PLAIN, ROWS, TITLES
from comparison_work import RowError

from tfsepgan.data.catalogue import Catalogue
from tfsepgan.evaluation.records import Report, read_json

MOST = 0.98  # of the planned steps: below, the learning rate had not reached its end, which is told
LEAST = 0.85  # of the budget: below, it is told
BOUNDS = {
    "mixture": ("mixture", "nothing done"),
    "oracle": ("oracle mask", "ideal ratio mask, from the true sources"),
}


class Results:
    """The results of the rows that are scored.

    Args:
      folder: the comparison's.
      names: of the rows that are scored.
      splits: that they are scored on.
      source: whose scores count.
      written: tables that were written before, of which the rows that are not here are kept.
    Raises: RowError when rows were scored on different mixtures.
    """

    def __init__(
        self, folder: Path, names: Iterable[str], splits: list[str], source: str, written: dict[str, list] | None = None
    ):
        self.folder, self.splits, self.source = folder, splits, source
        names = set(names)
        here = {row.name for row in ROWS if row.name in names}
        self.reports = {name: {split: self._report(name, split) for split in splits} for name in sorted(here)}
        self._check_same_mixtures()
        kept = {result["row"]: result for results in (written or {}).values() for result in results}
        self.written_bounds = [kept[name] for name, _ in BOUNDS.values() if name in kept]
        self._check_written()
        self.rows = {row.name: row for row in ROWS if row.name in here | kept.keys()}
        self.by_name = {name: self._result(name) if name in here else dict(kept[name]) for name in self.rows}
        plain = self.by_name.get(PLAIN)
        for name, result in self.by_name.items():
            if plain and name != PLAIN:
                result["against"] = tables.against(result["gains"]["test"], plain["gains"]["test"])

    def _report(self, name: str, split: str) -> Report:
        return Report.load(self.folder / name / "scores" / split)

    def _check_same_mixtures(self) -> None:
        """See that all rows were scored on the same mixtures.

        Raises: RowError when two were not.
        """
        for split in self.splits:
            seen = {
                name: {track.name: track.scores[self.source]["mixture"]["si_sdr"] for track in reports[split].tracks}
                for name, reports in self.reports.items()
            }
            first = next(iter(seen), None)
            different = [name for name, scores in seen.items() if scores != seen[first]]
            if different:
                raise RowError(f"{', '.join(different)} and {first} were scored on other {split} mixtures")

    def _check_written(self) -> None:
        """See that the rows that were written before heard the mixtures of those that are here: by their levels, to 0.01 dB."""
        if not (self.reports and self.written_bounds):
            return
        for before, now in zip(self.written_bounds, self._bounds_here(), strict=True):
            for split in self.splits:
                levels = [bound["scores"].get(split, {}).get("si_sdr") for bound in (before, now)]
                if levels[0] != levels[1]:
                    raise RowError(f"the tables that were written before are of other {split} mixtures: {levels}")

    def _result(self, name: str) -> dict:
        """All that is known of a row."""
        row, folder, reports = self.rows[name], self.folder / name, self.reports[name]
        result = {"row": name, "says": row.says, "system": row.system, "preset": row.preset, "flags": list(row.flags)}
        result["training"] = read_json(folder / "trained.json")
        result["scores"] = {split: self._scores(report, "model") for split, report in reports.items()}
        result["gains"] = {
            split: {track.name: track.scores[self.source]["model"]["si_sdr_improvement"] for track in report.tracks}
            for split, report in reports.items()
        }
        if (folder / "measured.json").exists():
            measured = read_json(folder / "measured.json")
            result |= {part: measured[part] for part in ("parameters", "speed") if part in measured}
        return result

    def _scores(self, report: Report, kind: str) -> dict:
        return tables.slim(report.summary()[self.source][kind])

    def _bounds_here(self) -> list[dict]:
        """The mixture itself and the oracle mask, from any row's scores: they are the same in all."""
        reports, found = next(iter(self.reports.values())), []
        for kind, (name, says) in BOUNDS.items():
            scores = {split: self._scores(report, kind) for split, report in reports.items()}
            if kind == "mixture":
                for numbers in scores.values():
                    numbers.pop("sar", None)  # a mixture has no artifacts, so its SAR is rounding error
                    numbers["si_sdr_improvement"] = {"median": 0.0}
            found.append({"row": name, "says": says, "bound": True, "scores": scores})
        return found

    def groups(self) -> dict[str, list[dict]]:
        """The tables, results by title: the bounds around the systems, the base above its variants."""
        if not self.by_name:
            return {}
        (low, high), grouped = self._bounds_here() if self.reports else self.written_bounds, {}
        base = [self.by_name[BASE]] if BASE in self.by_name else []
        for table, title in TITLES.items():
            here = [result for name, result in self.by_name.items() if self.rows[name].table == table]
            grouped[title] = [low, *here, high] if table == "systems" else [*base, *here] if here else []
        return grouped

    def facts(self, options, catalogue: Catalogue) -> dict:
        """Where the numbers come from."""
        data: dict[str, list] = {}
        for item in catalogue.summary():
            data.setdefault(item.split, []).append([item.source, item.files, round(item.minutes, 1)])
        commits: dict[str, list[str]] = {}
        hardware: dict[str, list[str]] = {}
        for name, result in self.by_name.items():
            commits.setdefault(" and ".join(result["training"]["commits"]), []).append(name)
            hardware.setdefault(result["training"]["hardware"], []).append(name)
        shown = "demo" if options.data == "demo" else "DIR"
        seed = f" --seed {options.seed}" if options.seed else ""
        return {
            "command": f"python tools/compare_systems.py --data {shown} --folder RUNS "
            f"--processor-minutes {options.processor_minutes:g}{seed} --write docs",
            "seed": options.seed,
            "date": tables.today(),
            "hardware": hardware,
            "commits": commits,
            "data": data,
            "mixtures": options.mixtures,
            "seconds": options.seconds,
            "notes": self._notes(options.processor_minutes),
        }

    def _notes(self, processor_minutes: float) -> list[str]:
        """What sets single rows apart from the others."""
        said, usual = [], next(iter(self.by_name.values()))["training"]
        for name, result in self.by_name.items():
            training = result["training"]
            if (training["window"], training["batch"]) != (usual["window"], usual["batch"]):
                said.append(f"`{name}`: {training['batch']} windows of {training['window']} samples a step.")
            if training["steps"] < MOST * training["planned_steps"]:
                said.append(f"`{name}`: the budget ended at step {training['steps']} of {training['planned_steps']}.")
            if training["processor_minutes"] < LEAST * processor_minutes * self.rows[name].share:
                said.append(f"`{name}`: took {training['processor_minutes']} processor minutes.")
        missing = [row.name for row in ROWS if row.separates and row.name not in self.by_name]
        return said + ([f"Not there: {', '.join(missing)}."] if missing else [])
