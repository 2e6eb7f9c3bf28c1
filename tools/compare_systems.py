"""Trains every separating system for the same processor time on the same recordings, scores them, and writes one table.

    python tools/compare_systems.py --data DIR --folder runs/comparison [--processor-minutes 30] [--rows NAME ...] [--list]
        [--speed] [--write docs]

One row after the other: times its step, plans the steps that the budget pays for (the learning rate ends with them), trains,
scores 24 test and 24 valid mixtures of 10 s as `tfsepgan-evaluate` does, and measures how fast it separates. All of it lies in
`--folder`; Ctrl-C or a kill costs at most a twelfth of a row, and the same command goes on. What is done is not done
again. A row that fails is named, and the others go on. --speed measures the speed of all finished rows anew, in rotation;
--write puts the tables into `comparison.md` and `comparison.json` of a folder; rows that are there and not in `--folder`, of another
machine, are kept.
"""

import argparse
import json
import signal
import sys
from pathlib import Path

import comparison_table as tables
import comparison_work as work
from comparison_results import Results
from comparison_rows import CHECKPOINTS, ROWS, Row, chosen
from rich.console import Console

from tfsepgan.cli.catalogue import open_catalogue
from tfsepgan.config import FREE_ON_RESUME, check, flatten, to_dict
from tfsepgan.errors import TfsepganError
from tfsepgan.evaluation.records import read_json, write_json

SPLITS = ("test", "valid")
SCORED = ("measure", "done")  # states of a row whose scores are there
_FREE = FREE_ON_RESUME | {"steps", "steps_per_epoch"}


class Comparison:
    """The rows, the folder they lie in, and what is to be done about each.

    Args:
      options: of the command line.
      console: where people look.
    """

    def __init__(self, options: argparse.Namespace, console: Console):
        self.options, self.console = options, console
        self.folder = Path(options.folder)
        self.rows = [row for row in chosen(options.rows) if not row.missing()]
        self.catalogue = open_catalogue(options.data, (options.source,))
        self.splits = [split for split in SPLITS if split in self.catalogue.splits]

    def of(self, row: Row, *parts: str) -> Path:
        """A path in a row's folder."""
        return self.folder.joinpath(row.name, *parts)

    def arguments(self, row: Row) -> list[str]:
        """The flags of a row's training but for its length and folder."""
        runs = {need: str(self.folder / need / "run") for need in row.needs}
        options = self.options
        flags = row.arguments(options.data, seed=options.seed, cache=options.cache, runs=runs)
        return [*flags, "--sources", options.source]

    def settings(self, row: Row) -> dict:
        """A row's settings, those left out that may change or follow from the budget."""
        flat = flatten(to_dict(row.experiment(self.options.data, seed=self.options.seed)))
        kept = {name: value for name, value in flat.items() if name not in _FREE}
        return json.loads(json.dumps(kept)) | {"budget_minutes": row.share * self.options.processor_minutes}

    def computed_from(self, row: Row, split: str) -> dict:
        """What a row's scores depend on."""
        files = [file for files in self.catalogue.splits[split].values() for file in files]
        return {
            "model": work.fingerprint(self.of(row, "run", "model")),
            "recordings": [[file.name, file.frames, file.sample_rate_hz] for file in files],
            "mixtures": self.options.mixtures,
            "seconds": self.options.seconds,
        }

    def state(self, row: Row) -> str:
        """What is to be done next: 'plan', 'train', 'score SPLIT', 'measure' or nothing, 'done'."""
        if not self.of(row, "plan.json").exists():
            return "plan"
        if not self.of(row, "trained.json").exists():
            return "train"
        for split in self.splits if row.separates else ():
            stamp = self.of(row, "scores", split, "computed_from.json")
            if not stamp.exists() or read_json(stamp) != json.loads(json.dumps(self.computed_from(row, split))):
                return f"score {split}"
        return "done" if self.of(row, "measured.json").exists() or not row.separates else "measure"

    def changed(self, row: Row) -> list[str]:
        """Settings in which a row on disk differs from what it is now."""
        if not self.of(row, "plan.json").exists():
            return []
        theirs, ours = read_json(self.of(row, "plan.json"))["settings"], self.settings(row)
        names = sorted(ours.keys() & theirs.keys())
        return [f"{name}: {theirs[name]!r}, now {ours[name]!r}" for name in names if theirs[name] != ours[name]]

    def work_on(self, row: Row) -> None:
        """Do what is left to do for a row."""
        with self.console.status(row.name) as status:

            def say(words: str) -> None:
                status.update(f"{row.name}, {self.state(row)}: {words}"[: self.console.width - 4].replace("[", "("))

            work.wait_until_left_alone(self.of(row), say)
            self.refuse_changes(row)
            while (state := self.state(row)) != "done":
                self.console.print(f"{row.name}: {state}", highlight=False)
                name, _, split = state.partition(" ")
                {"plan": self.plan, "train": self.train, "score": self.score, "measure": self.measure}[name](
                    row, say, *([split] if split else [])
                )

    def refuse_changes(self, row: Row) -> None:
        """See that a row on disk has the settings of now; one that is trained stays, and is told.

        Raises: RowError for one that is not trained to its end.
        """
        changed = self.changed(row)
        if not changed:
            return
        words = f"other settings than now: {'; '.join(changed)}. Remove {self.of(row)} to train it again"
        if self.state(row) == "train":
            raise work.RowError(words)
        self.console.print(f"{row.name} has {words}", markup=False, highlight=False)

    def plan(self, row: Row, say: work.Say) -> None:
        """Find how many steps the budget pays for."""
        experiment = row.experiment(self.options.data, seed=self.options.seed)
        check(experiment)
        budget_seconds = 60 * row.share * self.options.processor_minutes
        plan = {"settings": self.settings(row), "budget_seconds": budget_seconds}
        if row.to_its_end:
            plan |= {"steps": experiment.training.steps, "steps_per_epoch": experiment.training.steps_per_epoch}
        else:
            timing = (budget_seconds, self.options.timing_seconds, say)
            plan |= work.time_steps(self.arguments(row), self.of(row), *timing)
            plan |= {"steps_per_epoch": -(-plan["steps"] // CHECKPOINTS)}
        write_json(self.of(row, "plan.json"), plan)

    def train(self, row: Row, say: work.Say) -> None:
        """Train, or go on; afterwards `trained.json` says what it took."""
        plan = read_json(self.of(row, "plan.json"))
        plan["commits"] = sorted({*plan.get("commits", ()), work.commit()})
        write_json(self.of(row, "plan.json"), plan)
        length = {
            "steps": plan["steps"],
            "steps-per-epoch": plan["steps_per_epoch"],
            "processor-minutes": plan["budget_seconds"] / 60,
            "run": self.of(row, "run"),
        }
        flags = [part for name, value in length.items() for part in (f"--{name}", str(value))]
        work.run("tfsepgan.cli.train", [*self.arguments(row), *flags], self.of(row), say)
        progress = work.progress_of(self.of(row, "run"))
        data = row.experiment(self.options.data, seed=self.options.seed).data
        windows = progress["step"] * data.batch
        trained = {
            "steps": progress["step"],
            "planned_steps": plan["steps"],
            "processor_minutes": round(progress["processor_seconds"] / 60, 2),
            "minutes": round(progress["seconds"] / 60, 2),
            "window": data.window,
            "batch": data.batch,
            "windows_a_processor_second": round(windows / max(1e-3, progress["processor_seconds"]), 3),
            "windows_a_second": round(windows / max(1e-3, progress["seconds"]), 3),
            "commits": plan["commits"],
            "hardware": work.hardware(),
            "date": tables.today(),
        }
        write_json(self.of(row, "trained.json"), trained)

    def score(self, row: Row, say: work.Say, split: str) -> None:
        """Score a split with `tfsepgan-evaluate`."""
        output = self.of(row, "scores", split)
        flags = {"model": self.of(row, "run"), "data": self.options.data, "split": split, "output": output}
        flags |= {"mixtures": self.options.mixtures, "seconds": self.options.seconds, "workers": 2}
        arguments = [part for name, value in flags.items() for part in (f"--{name}", str(value))]
        work.run("tfsepgan.cli.evaluate", arguments, self.of(row), say)
        write_json(output / "computed_from.json", self.computed_from(row, split))

    def measure(self, *rows_and_say) -> None:
        """Measure parameters and speed of a row, or of several in rotation: `measure(row, ..., say)`."""
        *rows, say = rows_and_say
        asked = {row.name: {"run": str(self.of(row, "run")), "arguments": self.arguments(row)} for row in rows}
        values = {"rows": asked, "data": self.options.data, "source": self.options.source}
        folder = self.of(rows[0]) if len(rows) == 1 else self.folder
        for name, found in work.step("measure", values, folder, say).items():
            write_json(self.folder / name / "measured.json", {**found, "together": len(rows), "date": tables.today()})

    def results(self, written: dict | None = None) -> Results:
        """What all rows gave that are scored, those that `--rows` leaves out too, and of `written` tables those that are not here."""
        scored = [row.name for row in ROWS if row.separates and not row.missing() and self.state(row) in SCORED]
        return Results(self.folder, scored, self.splits, self.options.source, written)

    def show(self) -> None:
        """Print the tables."""
        for title, results in self.results().groups().items():
            if results:
                self.console.print(tables.terminal_table(title, results))

    def write(self, folder: Path) -> None:
        """Write the page and the JSON; rows in the JSON that are not here, of another machine, stay.

        Raises: RowError when there is nothing to write yet, or the rows in the JSON were scored on other mixtures.
        """
        before = folder / "comparison.json"
        results = self.results(read_json(before)["tables"] if before.exists() else None)
        if not results.by_name:
            raise work.RowError("no row is scored yet, so there is no table to write")
        tables.write(folder, results.groups(), results.facts(self.options, self.catalogue))
        self.console.print(f"Written: {folder / 'comparison.md'} and comparison.json", highlight=False)


def list_rows(comparison: Comparison) -> None:
    """Say how far every row is."""
    for row in chosen(comparison.options.rows):
        if row.missing():
            comparison.console.print(f"{row.name:34} left out: {row.missing()}", highlight=False)
            continue
        progress = work.progress_of(comparison.of(row, "run"))
        plan = comparison.of(row, "plan.json")
        steps = f", step {progress['step']} of {read_json(plan)['steps']}" if progress and plan.exists() else ""
        state = comparison.state(row)
        comparison.console.print(
            f"{row.name:34} {'done' if state == 'done' else 'next: ' + state}{steps}", highlight=False
        )
        for words in comparison.changed(row):
            comparison.console.print(f"{'':34} other settings than now: {words}", highlight=False, markup=False)


def parser() -> argparse.ArgumentParser:
    """The command line."""
    made = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    made.add_argument("--data", required=True, help="folder of recordings with train, valid and test; or 'demo'")
    made.add_argument("--folder", default="runs/comparison", help="where the rows lie")
    made.add_argument("--rows", nargs="+", metavar="NAME", help="rows to work on; all by default")
    made.add_argument(
        "--processor-minutes", type=float, default=30.0, help="for each row: 30 are 15 minutes of 2 cores"
    )
    made.add_argument(
        "--timing-seconds", type=float, default=60.0, help="processor time that finds out what a step costs"
    )
    made.add_argument("--mixtures", type=int, default=24, help="of each split that are scored")
    made.add_argument("--seconds", type=float, default=10.0, help="length of each of them")
    made.add_argument("--source", default="piano", help="the source that is taken out")
    made.add_argument("--seed", type=int, default=0)
    made.add_argument("--cache", help="folder for unpacked recordings")
    made.add_argument("--list", action="store_true", help="only say how far every row is")
    made.add_argument("--speed", action="store_true", help="only measure the speed of all finished rows, in rotation")
    made.add_argument("--write", metavar="DOCS", type=Path, help="folder of comparison.md, whose table is replaced")
    return made


def main() -> int:
    """Work on the rows, show the tables, write them if asked."""
    options = parser().parse_args()
    console = Console() if Console().is_terminal else Console(width=tables.WIDTH)
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.default_int_handler)
    try:
        return compare(Comparison(options, console), options, console)
    except (TfsepganError, ValueError, work.RowError) as error:
        console.print(f"{type(error).__name__}: {error}", markup=False, highlight=False)
        return 2
    except KeyboardInterrupt:
        console.print("Interrupted; the same command goes on from here.")
        return 130


def compare(comparison: Comparison, options: argparse.Namespace, console: Console) -> int:
    """Do what the command line asks; returns the exit code."""
    if options.list:
        list_rows(comparison)
        return 0
    if options.speed:
        finished = [row for row in comparison.rows if row.separates and comparison.state(row) in SCORED]
        with console.status("measuring speed"):
            comparison.measure(*finished, lambda words: None)
        comparison.show()
    failed = False
    for row in () if options.speed else comparison.rows:
        try:
            comparison.work_on(row)
        except (work.RowError, TfsepganError) as error:
            failed = True
            console.print(f"{row.name} FAILED: {error}", markup=False, highlight=False)
        else:
            comparison.show()
    for row in chosen(options.rows):
        if row.missing():
            console.print(f"{row.name} left out: {row.missing()}", markup=False, highlight=False)
    if options.write:
        comparison.write(options.write)
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
