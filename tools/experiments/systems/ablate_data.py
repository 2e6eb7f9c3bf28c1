"""The effect of data and augmentation on unseen players: one model, several training sets.

    python tools/experiments/systems/ablate_data.py --real DIR --rendered DIR \\
        [--folder runs/ablation] [--processor-minutes 20] [--rows NAME ...]

Every row trains the `piano` preset for the same processor time and keeps its last weights. It is
scored on 24 mixtures of 10 s of each of the splits `valid` and `test` of the real recordings (the
rendered ones are only for training). Finished rows are not repeated; a killed row resumes. The
table is printed and written into the folder, as Markdown and JSON.
"""

import argparse
import signal
import sys
from pathlib import Path
from typing import NamedTuple

import comparison_work as work
from rich.console import Console
from rich.table import Table

from tfsepgan.config import AUGMENTATIONS
from tfsepgan.evaluation.records import Report, read_json, write_json

SPLITS = ("valid", "test")
LIGHT = {"polarity": 0.5, "equaliser": 0.5}
FULL = LIGHT | {
    "speed": 0.5,
    "pitch": 0.2,
    "equaliser": 0.7,
    "room": 0.4,
    "band_limit": 0.2,
    "codec": 0.1,
    "noise": 0.3,
}


class Row(NamedTuple):
    """One training set with its augmentation."""

    says: str
    real: bool = True
    rendered: bool = True
    augment: dict[str, float] = {}
    """Probabilities; those without a name are 0, whatever the preset has."""
    balance: str = "folders"
    variants: int = 0


ROWS = {
    "none": Row("real and rendered, every player and sampled piano equally often, unchanged"),
    "light": Row("as `none`, with equaliser on half of the windows, polarity", augment=LIGHT),
    "full": Row("as `none`, with every augmentation on a share of the windows", augment=FULL),
    "by-length": Row(
        "both by length, most of which is rendered; full", augment=FULL, balance="length"
    ),
    "rendered": Row("rendered only, full", real=False, augment=FULL),
    "real": Row("real only, full", rendered=False, augment=FULL),
    "real-variants": Row("real only, eight variants of each recording", rendered=False, variants=8),
}
COLUMNS = ("si_sdr_improvement", "sdr", "sdr_improvement")


class Ablation:
    """The rows and their folder."""

    def __init__(self, options: argparse.Namespace, console: Console):
        self.options, self.console, self.folder = options, console, Path(options.folder)

    def arguments(self, row: Row) -> list[str]:
        """Flags of a row's training, without length and folder."""
        sets = [
            folder
            for folder, used in (
                (self.options.real, row.real),
                (self.options.rendered, row.rendered),
            )
            if used
        ]
        cache = ["--cache", self.options.cache] if self.options.cache else []
        kept = [
            "--keep",
            "last",
            "--validation-mixtures",
            "0",
            "--no-finish",
            "--no-tensorboard",
            "--minutes",
            "None",
        ]
        preset = ["--preset", "piano", "--data", ",".join(sets), "--seed", str(self.options.seed)]
        diet = {"variants": row.variants, "balance": row.balance}
        diet |= {
            f"augment.{name.replace('_', '-')}": row.augment.get(name, 0.0)
            for name in AUGMENTATIONS
        }
        return [
            *preset,
            *cache,
            *kept,
            *(word for name, value in diet.items() for word in (f"--{name}", str(value))),
        ]

    def _depends_on(self, row: Row) -> dict:
        """What a row's scores depend on."""
        return {
            "minutes": self.options.processor_minutes,
            "real": self.options.real,
            "arguments": self.arguments(row),
        }

    def work_on(self, name: str) -> None:
        """Do the remaining work of a row: plan, train, score."""
        row, folder = ROWS[name], self.folder / name
        with self.console.status(name) as status:

            def report(words: str) -> None:
                status.update(f"{name}: {words}"[: self.console.width - 4].replace("[", "("))

            work.wait_for_earlier_command(folder, report)
            steps = self._planned_steps(row, folder, report)
            if not (folder / "trained.json").exists():
                self._train(row, folder, steps, report)
            for split in (one for one in SPLITS if not (folder / one / "report.json").exists()):
                self._score(folder, split, report)

    def _planned_steps(self, row: Row, folder: Path, report: work.Reporter) -> int:
        plan, wanted = folder / "plan.json", self._depends_on(row)
        if not plan.exists():
            seconds = 60 * self.options.processor_minutes
            timed = work.time_steps(self.arguments(row), folder, seconds, 60.0, report)
            write_json(plan, {**timed, "asked": wanted})
        planned = read_json(plan)
        if planned.get("asked", wanted) != wanted:
            raise work.RowError(
                f"{folder} was made with {planned['asked']}, not {wanted}; "
                "remove it, or use another --folder"
            )
        return planned["steps"]

    def _train(self, row: Row, folder: Path, steps: int, report: work.Reporter) -> None:
        length = ["--steps", str(steps), "--steps-per-epoch", str(-(-steps // 10))]
        limit = ["--processor-minutes", str(self.options.processor_minutes)]
        flags = [*self.arguments(row), *length, "--run", str(folder / "run"), *limit]
        work.run("tfsepgan.cli.train", flags, folder, report)
        done = work.progress_of(folder / "run")
        facts = {"commit": work.commit(), "hardware": work.hardware(), "planned_steps": steps}
        write_json(folder / "trained.json", {**done, "history": None, **facts})

    def _score(self, folder: Path, split: str, report: work.Reporter) -> None:
        scored = ["--model", str(folder / "run"), "--data", self.options.real, "--split", split]
        amount = ["--mixtures", "24", "--seconds", "10", "--workers", "2"]
        output = ["--output", str(folder / split)]
        work.run("tfsepgan.cli.evaluate", [*scored, *amount, *output], folder, report)

    def result(self, name: str) -> dict | None:
        """The results of a finished row; None for other rows."""
        folder = self.folder / name
        if not all((folder / split / "report.json").exists() for split in SPLITS):
            return None
        scores = {
            split: Report.load(folder / split).summary()["piano"]["model"] for split in SPLITS
        }
        trained = read_json(folder / "trained.json")
        return {
            "says": ROWS[name].says,
            "scores": {
                split: {metric: values[metric] for metric in COLUMNS}
                for split, values in scores.items()
            },
            **{
                key: trained[key]
                for key in ("step", "planned_steps", "processor_seconds", "commit", "hardware")
            },
        }

    def show(self) -> None:
        """Print and write the table of the finished rows."""
        results = {name: result for name in ROWS if (result := self.result(name))}
        table = Table(
            title=f"{self.options.processor_minutes:g} processor minutes each; "
            "SI-SDR gain and SDR, dB"
        )
        heads = ("row", "valid, mean", "median", "SDR", "test, mean", "median", "SDR", "steps")
        lines = [f"| {' | '.join(heads)} | |", "|" + "---|" * (len(heads) + 1)]
        for head in heads:
            table.add_column(head, justify="left" if head == "row" else "right")
        for name, result in results.items():
            cells = [name]
            for split in SPLITS:
                gain, sdr = (
                    result["scores"][split][metric] for metric in ("si_sdr_improvement", "sdr")
                )
                cells += [f"{gain['mean']:+.2f}", f"{gain['median']:+.2f}", f"{sdr['median']:.2f}"]
            cells.append(str(result["step"]))
            table.add_row(*cells)
            lines.append(f"| `{cells[0]}` | {' | '.join(cells[1:])} | {result['says']} |")
        self.console.print(table)
        (self.folder / "table.md").write_text("\n".join(lines) + "\n")
        write_json(self.folder / "ablation.json", {"options": vars(self.options), "rows": results})


def main() -> int:
    """Work on the rows, one after the other."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--real", required=True, help="real recordings, with valid and test")
    parser.add_argument("--rendered", required=True, help="what tools/recipes/piano.py wrote")
    parser.add_argument("--folder", default="runs/ablation")
    parser.add_argument("--processor-minutes", type=float, default=20.0, help="for each row")
    parser.add_argument("--rows", nargs="+", choices=tuple(ROWS), default=tuple(ROWS))
    parser.add_argument("--cache", help="folder for unpacked recordings")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    console = Console() if Console().is_terminal else Console(width=110)
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.default_int_handler)
    ablation, failed = Ablation(options, console), False
    try:
        for name in options.rows:
            try:
                ablation.work_on(name)
                ablation.show()
            except work.RowError as error:
                failed = True
                console.print(f"{name} FAILED: {error}", markup=False, highlight=False)
    except KeyboardInterrupt:
        console.print("Interrupted; the same command resumes.")
        return 130
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
