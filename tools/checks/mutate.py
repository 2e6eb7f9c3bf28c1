"""Mutation tests: puts wrong lines into a copy of the repository and reports which no test detects.

    python tools/checks/mutate.py [--only NAME ...] [--jobs N] [--results runs/mutants.json] \\
        [--anew] [--list]

The wrong lines are in `mutants/`, one file for each part of the package. First, all their tests run
on the unchanged code and must pass. Then each mutant is put in alone, its tests run until one
fails, and it is removed. The outcomes:

    killed      a test failed
    timed out   the tests took ten times the processor time, at least a minute; counts as killed
    survived    all its tests passed: a test is missing, or the line has no effect
    broken      its text is not in the file exactly once, or the result cannot be imported

Results are written after each mutant; a mutant whose code and tests are unchanged is not run again.
The exit code is 1 when a mutant survived or is broken, 2 when the tests fail on the unchanged code.
"""

import argparse
import collections
import fnmatch
import json
import os
import queue
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path

from mutants import MUTANTS
from mutation import BROKEN, KILLED, SURVIVED, TIMED_OUT, Mutant, Outcome, Workshop, digest_of
from rich.console import Console
from rich.table import Table

REPOSITORY = Path(__file__).resolve().parents[2]
COLOURS = {KILLED: "green", TIMED_OUT: "yellow", SURVIVED: "bold red", BROKEN: "bold magenta"}
# processor time after which a run counts as endless: the longer of the two
LEAST_SECONDS, TIMES_LONGER = (
    60.0,
    10.0,
)
BASELINE_SECONDS = 3600.0
WIDTH = 150  # of the table in a file


class Results:
    """The outcomes in a JSON file; those of other code or of another mutant are dropped.

    Args:
      path: of the file.
      digest: of the code and the tests.
    """

    def __init__(self, path: Path, digest: str, *, anew: bool = False):
        self.path, self.digest = path, digest
        self.known: dict[str, dict] = {}
        self.baseline: dict[str, float] = {}
        if path.exists() and not anew:
            there = json.loads(path.read_text())
            if there.get("digest") == digest:
                self.known, self.baseline = there["mutants"], there["baseline"]

    def of(self, mutant: Mutant) -> Outcome | None:
        """The outcome of its last run, if it is unchanged."""
        found = self.known.get(mutant.name)
        return Outcome(*found["outcome"]) if found and found["mutant"] == _as_json(mutant) else None

    def add(self, mutant: Mutant, outcome: Outcome) -> None:
        """Keep an outcome."""
        self.known[mutant.name] = {"mutant": _as_json(mutant), "outcome": list(outcome)}
        self.write()

    def write(self) -> None:
        """Write the file, whole or not at all."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        half = self.path.with_name(f".{self.path.name}")
        half.write_text(
            json.dumps(
                {"digest": self.digest, "baseline": self.baseline, "mutants": self.known}, indent=1
            )
        )
        half.replace(self.path)


def _as_json(mutant: Mutant) -> list:
    return json.loads(json.dumps(mutant))


def chosen(patterns: list[str] | None, mutants: tuple[Mutant, ...] = MUTANTS) -> list[Mutant]:
    """The mutants whose names match a pattern such as `ssepgan*`; all without patterns.

    Raises: SystemExit when a pattern matches none.
    """
    if not patterns:
        return list(mutants)
    for pattern in patterns:
        if not any(fnmatch.fnmatch(mutant.name, pattern) for mutant in mutants):
            raise SystemExit(f"No mutant is called {pattern!r}; --list shows them.")
    return [
        mutant
        for mutant in mutants
        if any(fnmatch.fnmatch(mutant.name, pattern) for pattern in patterns)
    ]


def check_baseline(
    workshop: Workshop, mutants: list[Mutant], results: Results, console: Console
) -> bool:
    """Run all tests on the unchanged code and keep their times; returns whether they pass."""
    tests = sorted(
        {
            test
            for mutant in mutants
            for test in mutant.tests
            if not seconds_of((test,), results.baseline)
        }
    )
    if not tests:
        return True
    console.print(f"Running the {len(tests)} tests of {len(mutants)} mutants without a mutant.")
    report, seconds, ended = workshop.test(tuple(tests), limit_seconds=BASELINE_SECONDS)
    if report is None or report["exit"] != 0:
        console.print(f"[bold red]They fail without a mutant[/]: {report or ended}")
        console.print(
            (workshop.folder / "output.txt").read_text(errors="replace")[-5000:],
            markup=False,
            highlight=False,
        )
        return False
    results.baseline |= report["seconds"]
    results.write()
    console.print(f"They pass, in {seconds:.0f} s.")
    return True


def seconds_of(tests: tuple[str, ...], baseline: dict[str, float]) -> float:
    """Seconds of tests without a mutant; an id stands for a file, or a test with all parameters."""
    beginnings = tuple(f"{test}{end}" for test in tests for end in ("::", "["))
    return sum(
        seconds
        for name, seconds in baseline.items()
        if name in tests or name.startswith(beginnings)
    )


def run_all(
    mutants: list[Mutant], workshops: list[Workshop], results: Results, console: Console
) -> None:
    """Run every mutant that has no result yet, one in each workshop at a time."""
    left = [mutant for mutant in mutants if results.of(mutant) is None]
    if len(left) < len(mutants):
        console.print(
            f"{len(mutants) - len(left)} mutants have results from an earlier run of the same code."
        )
    free: queue.SimpleQueue[Workshop] = queue.SimpleQueue()
    for workshop in workshops:
        free.put(workshop)

    def run(mutant: Mutant) -> Outcome:
        workshop = free.get()
        try:
            limit = max(LEAST_SECONDS, TIMES_LONGER * seconds_of(mutant.tests, results.baseline))
            return workshop.run(mutant, limit_seconds=limit)
        finally:
            free.put(workshop)

    started = time.monotonic()
    with ThreadPoolExecutor(len(workshops)) as pool:
        running = {pool.submit(run, mutant): mutant for mutant in left}
        try:
            for count, future in enumerate(as_completed(running), start=1):
                mutant, outcome = running[future], future.result()
                results.add(mutant, outcome)
                minutes = (time.monotonic() - started) / count * (len(left) - count) / 60
                state = f"[{COLOURS[outcome.state]}]{outcome.state:>9}[/]"
                console.print(
                    f"{count:>4} of {len(left)}  {state}  {outcome.seconds:5.1f} s  "
                    f"{mutant.name}  ({minutes:.1f} min left)",
                    highlight=False,
                )
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def table_of(mutants: list[Mutant], results: Results) -> Table:
    """A table of all outcomes."""
    table = Table("mutant", "file", "result", "s", "by", title="Mutants")
    for mutant in mutants:
        outcome = results.of(mutant)
        state = f"[{COLOURS[outcome.state]}]{outcome.state}[/]"
        file, by = mutant.file.removeprefix("tfsepgan/"), outcome.by.rpartition("::")[2]
        table.add_row(mutant.name, file, state, f"{outcome.seconds:.1f}", by.replace("[", r"\["))
    return table


def main(arguments: list[str] | None = None) -> int:
    """Run the command."""
    parser = argparse.ArgumentParser(
        description="Put wrong lines into a copy of the code and check that tests fail."
    )
    parser.add_argument(
        "--only", nargs="+", metavar="NAME", help="mutants by name or pattern, such as 'ssepgan*'"
    )
    parser.add_argument("--jobs", type=int, default=1, help="mutants at a time (default 1)")
    parser.add_argument(
        "--results",
        type=Path,
        default=REPOSITORY / "runs" / "mutants.json",
        help="file of the results",
    )
    parser.add_argument("--anew", action="store_true", help="forget earlier results")
    parser.add_argument("--list", action="store_true", help="list the mutants and exit")
    options = parser.parse_args(arguments)
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    console, mutants = Console(), chosen(options.only)
    if not console.is_terminal:
        console = Console(width=WIDTH)
    if options.list:
        for mutant in mutants:
            console.print(f"{mutant.name:48} {mutant.file}", highlight=False, markup=False)
        return 0
    started = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="mutants-") as scratch:
        count = max(1, min(options.jobs, len(mutants)))
        workshops = [Workshop(REPOSITORY, Path(scratch) / str(number)) for number in range(count)]
        results = Results(options.results, digest_of(workshops[0].copy), anew=options.anew)
        if not check_baseline(workshops[0], mutants, results, console):
            return 2
        run_all(mutants, workshops, results, console)
    console.print(table_of(mutants, results))
    states = collections.Counter(results.of(mutant).state for mutant in mutants)
    outcomes = ", ".join(f"{states[state]} {state}" for state in COLOURS if states[state])
    console.print(
        f"{len(mutants)} mutants: {outcomes}; {(time.monotonic() - started) / 60:.1f} minutes."
    )
    return 0 if all(results.of(mutant).dead for mutant in mutants) else 1


if __name__ == "__main__":
    sys.exit(main())
