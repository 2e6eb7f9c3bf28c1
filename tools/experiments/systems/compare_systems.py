"""Trains all separating systems for one processor time on one set of recordings; writes one table.

    python tools/experiments/systems/compare_systems.py --data DIR --folder runs/comparison \\
        [--processor-minutes 30] [--rows NAME ...] [--seeds 0 1 2] [--score NAME=DIR/SPLIT ...] \\
        [--list] [--speed] [--write docs]

For each row and each seed, it times a step, plans as many steps as the budget allows (the learning
rate ends with them), trains, scores 24 mixtures of 10 s of each set as `tfsepgan-evaluate` does,
and measures the speed of separation. Rows can have different seeds; results of earlier calls with
other seeds count too. Scores of all sets are pooled by the recording of the target. Without
--score, the sets are the test and valid splits of --data.

Everything is in `--folder`, in a folder for each row and seed (`ROW`; `ROW@1`, `ROW@2` for seeds
other than 0). Ctrl-C or a kill costs at most a twelfth of a row, and the same command resumes;
finished work is not repeated. A row that fails is reported, and the others continue. --speed
measures the speed of all finished rows again, in rotation. --write puts the tables into
`comparison.md` and `comparison.json` of a folder; their rows that are not in `--folder`, for
example of another machine, are kept.

Processor time is that of the training process, summed over threads. On one core (`taskset -c 1`)
it equals the time on an idle machine.
"""

import argparse
import shutil
import signal
import sys
from pathlib import Path

import comparison_table as tables
import comparison_work as work
from comparison_options import parser
from comparison_results import Results
from comparison_rows import CHECKPOINTS, ROWS, Trial, chosen
from comparison_trials import SCORED, Trials
from rich.console import Console

from tfsepgan.config import check
from tfsepgan.errors import TfsepganError
from tfsepgan.evaluation.records import read_json, write_json


class Comparison(Trials):
    """The work on the rows, and their results."""

    def work_on(self, trial: Trial) -> None:
        """Do all remaining tasks of a trial."""
        with self.console.status(trial.name) as status:

            def report(words: str) -> None:
                status.update(
                    f"{trial.name}, {self.state(trial)}: {words}"[: self.console.width - 4].replace(
                        "[", "("
                    )
                )

            work.wait_for_earlier_command(self.of(trial), report)
            self.refuse_changes(trial)
            while (state := self.state(trial)) != "done":
                self.console.print(f"{trial.name}: {state}", highlight=False)
                name, _, split = state.partition(" ")
                {
                    "plan": self.plan,
                    "train": self.train,
                    "score": self.score,
                    "measure": self.measure,
                }[name](trial, report, *([split] if split else []))

    def refuse_changes(self, trial: Trial) -> None:
        """Check that a trial on disk has the current settings; a trained one is only reported.

        Raises: RowError for a trial with other settings whose training has not ended.
        """
        changed = self.changed(trial)
        if not changed:
            return
        words = (
            f"other settings than now: {'; '.join(changed)}. "
            f"Remove {self.of(trial)} to train it again"
        )
        if self.state(trial) == "train":
            raise work.RowError(words)
        self.console.print(f"{trial.name} has {words}", markup=False, highlight=False)

    def plan(self, trial: Trial, report: work.Reporter) -> None:
        """Find how many steps the budget allows."""
        experiment = trial.row.experiment(self.options.data, seed=trial.seed)
        check(experiment)
        budget_seconds = 60 * trial.row.share * self.options.processor_minutes
        plan = {"settings": self.settings(trial), "budget_seconds": budget_seconds}
        if trial.row.to_its_end:
            plan |= {
                "steps": experiment.training.steps,
                "steps_per_epoch": experiment.training.steps_per_epoch,
            }
        else:
            timing = (budget_seconds, self.options.timing_seconds, report)
            plan |= work.time_steps(self.arguments(trial), self.of(trial), *timing)
            plan |= {"steps_per_epoch": -(-plan["steps"] // CHECKPOINTS)}
        write_json(self.of(trial, "plan.json"), plan)

    def train(self, trial: Trial, report: work.Reporter) -> None:
        """Train, or resume; then write steps and times to `trained.json`."""
        plan = read_json(self.of(trial, "plan.json"))
        plan["commits"] = sorted({*plan.get("commits", ()), work.commit()})
        write_json(self.of(trial, "plan.json"), plan)
        length = {
            "steps": plan["steps"],
            "steps-per-epoch": plan["steps_per_epoch"],
            "processor-minutes": plan["budget_seconds"] / 60,
            "run": self.of(trial, "run"),
        }
        flags = [part for name, value in length.items() for part in (f"--{name}", str(value))]
        work.run("tfsepgan.cli.train", [*self.arguments(trial), *flags], self.of(trial), report)
        progress = work.progress_of(self.of(trial, "run"))
        data = trial.row.experiment(self.options.data, seed=trial.seed).data
        windows = progress["step"] * data.batch
        trained = {
            "steps": progress["step"],
            "planned_steps": plan["steps"],
            "processor_minutes": round(progress["processor_seconds"] / 60, 2),
            "minutes": round(progress["seconds"] / 60, 2),
            "window": data.window,
            "batch": data.batch,
            "windows_a_processor_second": round(
                windows / max(1e-3, progress["processor_seconds"]), 3
            ),
            "windows_a_second": round(windows / max(1e-3, progress["seconds"]), 3),
            "commits": plan["commits"],
            "hardware": work.hardware(),
            "date": tables.today(),
        }
        write_json(self.of(trial, "trained.json"), trained)

    def score(self, trial: Trial, report: work.Reporter, name: str) -> None:
        """Score a set with `tfsepgan-evaluate`."""
        [one] = (one for one in self.sets if one.name == name)
        output = self.of(trial, "scores", name)
        flags = {
            "model": self.of(trial, "run"),
            "data": one.data,
            "split": one.split,
            "output": output,
        }
        flags |= {
            "mixtures": self.options.mixtures,
            "seconds": self.options.seconds,
            "workers": work.cores(),
        }
        arguments = [part for flag, value in flags.items() for part in (f"--{flag}", str(value))]
        arguments += [] if self.options.bss else ["--no-bss"]
        shutil.rmtree(output, ignore_errors=True)
        work.run("tfsepgan.cli.evaluate", arguments, self.of(trial), report)
        write_json(output / "computed_from.json", self.computed_from(trial, one))

    def measure(self, *trials_and_say) -> None:
        """Parameters and speed of trials in rotation: `measure(trial, ..., report)`."""
        *trials, report = trials_and_say
        wanted = {
            trial.name: {"run": str(self.of(trial, "run")), "arguments": self.arguments(trial)}
            for trial in trials
        }
        first = self.sets[0]
        values = {
            "rows": wanted,
            "data": first.data,
            "split": first.split,
            "source": self.options.source,
        }
        folder = self.of(trials[0]) if len(trials) == 1 else self.folder
        for name, found in work.measure(values, folder, report).items():
            write_json(
                self.folder / name / "measured.json",
                {**found, "together": len(trials), "date": tables.today()},
            )

    def finished(self) -> list[Trial]:
        """All trials with scores of the current sets, also those outside --rows and --seeds."""
        rows = [row for row in ROWS if row.separates and not row.missing()]
        return [trial for row in rows for trial in self.on_disk(row) if self.state(trial) in SCORED]

    def results(self, written: dict | None = None) -> Results:
        """The results of all scored trials, with the rows of `written` tables that are not here."""
        names = [one.name for one in self.sets]
        return Results(self.folder, self.finished(), names, self.options.source, written)

    def show(self) -> None:
        """Print the tables."""
        groups = self.results().groups()
        for title, results in groups.items():
            if results:
                self.console.print(tables.terminal_table(title, results, tables.plain_of(groups)))

    def write(self, folder: Path) -> None:
        """Write the page and the JSON; rows of the JSON that are not here are kept.

        Raises: RowError when no row is scored, or the rows of the JSON have other mixtures.
        """
        before = folder / "comparison.json"
        results = self.results(read_json(before)["tables"] if before.exists() else None)
        if not results.by_name:
            raise work.RowError("no row is scored yet, so there is no table to write")
        tables.write(
            folder, results.groups(), results.facts(self.options, self.catalogue, self.sets)
        )
        self.console.print(
            f"Written: {folder / 'comparison.md'} and comparison.json", highlight=False
        )


def list_trials(comparison: Comparison) -> None:
    """Print the state of every row with every seed."""

    def report(name: str, words: str) -> None:
        comparison.console.print(f"{name:36} {words}", highlight=False, markup=False)

    for row in chosen(comparison.options.rows):
        if row.missing():
            report(row.name, f"left out: {row.missing()}")
    for trial in comparison.trials:
        progress, plan = (
            work.progress_of(comparison.of(trial, "run")),
            comparison.of(trial, "plan.json"),
        )
        steps = (
            f", step {progress['step']} of {read_json(plan)['steps']}"
            if progress and plan.exists()
            else ""
        )
        state = comparison.state(trial)
        report(trial.name, f"{'done' if state == 'done' else 'next: ' + state}{steps}")
        for words in comparison.changed(trial):
            report("", f"other settings than now: {words}")


def main() -> int:
    """Work on the rows, show the tables, write them with --write."""
    options = parser(__doc__).parse_args()
    console = Console() if Console().is_terminal else Console(width=tables.WIDTH)
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.default_int_handler)
    try:
        return compare(Comparison(options, console), options, console)
    except (TfsepganError, ValueError, work.RowError) as error:
        console.print(f"{type(error).__name__}: {error}", markup=False, highlight=False)
        return 2
    except KeyboardInterrupt:
        console.print("Interrupted; the same command resumes.")
        return 130


def compare(comparison: Comparison, options: argparse.Namespace, console: Console) -> int:
    """Run the command line; returns the exit code."""
    if options.list:
        list_trials(comparison)
        return 0
    if options.speed:
        first = {trial.row: trial for trial in reversed(comparison.finished())}
        with console.status("measuring speed"):
            comparison.measure(*first.values(), lambda words: None)
        comparison.show()
    failed = False
    for trial in () if options.speed else comparison.trials:
        try:
            comparison.work_on(trial)
        except (work.RowError, TfsepganError) as error:
            failed = True
            console.print(f"{trial.name} FAILED: {error}", markup=False, highlight=False)
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
