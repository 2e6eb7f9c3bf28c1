"""Scores of a model along its training, pooled over sets of mixtures, and their curve.

    python tools/experiments/systems/score_curve.py keep --run RUN --copies DIR [--every 60]
    python tools/experiments/systems/score_curve.py score --models DIR/* \\
        --score NAME=DIR/SPLIT ... --output FOLDER [--mixtures 24] [--seconds 10] [--bss]

With `--keep last`, a run has one model, that of its last epoch. `keep` runs beside a training and
copies each new model to DIR/step-0001000 and so on; set the distance of the points with
`--steps-per-epoch` of the training. It ends with the last step of the run, or on Ctrl-C. It loads
nothing and takes almost no time.

`score` scores any models of the same sources (runs, folders, names) on the fixed mixtures of
`compare_systems.py`. It shows means with standard errors over the recordings of the targets, and
writes `curve.json` and `curve.png`, by step. Scores are kept; the same command with further models
adds those.
"""

import argparse
import os
import re
import shutil
import sys
import time
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

from comparison_results import BOUNDS
from comparison_sets import ScoringSet, scoring_sets
from comparison_statistics import Means, figure, means_of
from comparison_table import NAMES, SIGNED, text_of
from comparison_work import cores, fingerprint
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from rich.console import Console
from rich.table import Table

from tfsepgan.errors import TfsepganError
from tfsepgan.evaluation.records import Report, read_json, write_json
from tfsepgan.files import write_whole
from tfsepgan.models.folders import MANIFEST, Manifest, find_bundle, read_manifest

COLUMNS = tuple(NAMES)


def step_of(manifest: Manifest) -> int | None:
    """The step of a model; None if its manifest has none."""
    found = re.match(r"\d+", str(manifest.trained.get("steps", "")))
    return int(found[0]) if found else None


def is_last(manifest: Manifest) -> bool:
    """Whether a model is that of the last step of its run, such as `8 of 8`."""
    found = re.match(r"(\d+) of (\d+)", str(manifest.trained.get("steps", "")))
    return bool(found) and int(found[1]) >= int(found[2])


def copy_model(run: Path, copies: Path) -> Path | None:
    """Copy the model of a run if its step is new; None if it is not, or is being written."""
    model = run / "model"
    if not (model / MANIFEST).exists():
        return None
    step = step_of(read_manifest(model))
    place = copies / f"step-{step or 0:07d}"
    if place.exists():
        return None
    trial = copies / f".{place.name}.{os.getpid()}.tmp"
    shutil.rmtree(trial, ignore_errors=True)
    try:
        before = fingerprint(model)
        shutil.copytree(model, trial)
        if fingerprint(trial) != before or fingerprint(model) != before:
            return None
        trial.rename(place)
    except FileNotFoundError:  # an epoch ended in between; the next try finds all files
        return None
    finally:
        shutil.rmtree(trial, ignore_errors=True)
    return place


def keep(options: argparse.Namespace) -> None:
    """Copy models until the last step of the run."""
    run, copies = Path(options.run), Path(options.copies)
    copies.mkdir(parents=True, exist_ok=True)
    while True:
        place = copy_model(run, copies)
        if place:
            print(place, flush=True)
        if place and is_last(read_manifest(place)):
            return
        time.sleep(options.every)


def score_model(model: str, sets: list[ScoringSet], options: argparse.Namespace) -> dict:
    """Scores of a model on all sets, as a row; kept ones if model and mixtures are unchanged."""
    from tfsepgan.evaluation.score import evaluate
    from tfsepgan.evaluation.scoring import scoring_mixtures
    from tfsepgan.separation.separator import load

    folder = find_bundle(model)
    manifest = read_manifest(folder)
    mark, separator = fingerprint(folder), None
    reports = {}
    for one in sets:
        output = Path(options.output) / mark / one.name
        wanted = {
            "recordings": one.recordings(),
            "mixtures": options.mixtures,
            "seconds": options.seconds,
        }
        wanted |= {"bss": options.bss}
        stamp = output / "computed_from.json"
        if not stamp.exists() or read_json(stamp) != wanted:
            separator = separator or load(folder)
            shutil.rmtree(output, ignore_errors=True)
            amount = {"split": one.split, "count": options.mixtures, "seconds": options.seconds}
            mixtures = scoring_mixtures(
                one.catalogue, manifest.sources, manifest.sample_rate_hz, **amount
            )
            names = {
                "sources": manifest.sources,
                "bss": options.bss,
                "workers": cores() if options.bss else 0,
            }
            evaluate(separator.separate, mixtures, output, **names)
            write_json(stamp, wanted)
        reports[one.name] = Report.load(output)
    source = manifest.sources[0]
    row = {
        "row": model,
        "step": step_of(manifest),
        "model": mark,
        "means": _means(reports, source, "model"),
    }
    return row | {"bounds": {kind: {"means": _means(reports, source, kind)} for kind in BOUNDS}}


def _means(reports: dict[str, Report], source: str, kind: str) -> dict[str, Means]:
    return {name: means_of({0: report}, source, kind) for name, report in reports.items()}


def table_of(rows: list[dict], sets: list[str]) -> Table:
    """Models by step: figures with standard errors over recordings, SI-SDR gains by set."""
    table = Table(title="Means over recordings, with standard errors", title_justify="left")
    table.add_column("model", overflow="fold")
    shown = [metric for metric in COLUMNS if figure(rows[0], metric)]
    names = [NAMES[metric] for metric in shown]
    for name in ("step", *names, *(f"SI-SDRi, {one}" for one in sets if len(sets) > 1)):
        table.add_column(name, justify="right")
    for row in rows:
        cells = [text_of(figure(row, metric), signed=metric in SIGNED) for metric in shown]
        by_set = [
            text_of(figure(row, COLUMNS[0], [one]), signed=True) for one in sets if len(sets) > 1
        ]
        table.add_row(Path(row["row"]).name, str(row["step"] or "-"), *cells, *by_set)
    return table


def draw(rows: list[dict], path: Path) -> None:
    """Plot each figure by step, with standard errors; models without a step are left out."""
    rows = [row for row in rows if row["step"] is not None]
    shown = [metric for metric in COLUMNS if rows and figure(rows[0], metric)]
    if not shown:
        return
    picture = Figure(figsize=(3.4 * len(shown), 3.2), layout="constrained")
    for axes, metric in zip(picture.subplots(1, len(shown), squeeze=False)[0], shown, strict=True):
        points = [(row["step"], found) for row in rows if (found := figure(row, metric))]
        steps, means = zip(*((step, found.mean) for step, found in points), strict=True)
        axes.errorbar(
            steps, means, [found.error for _, found in points], marker="o", markersize=3, capsize=2
        )
        axes.set_title(NAMES[metric], fontsize=10)
        axes.set_xlabel("step")
        axes.grid(color="#dddddd", linewidth=0.6)
    write_whole(
        path, lambda file: FigureCanvasAgg(picture).print_figure(file, format="png", dpi=110)
    )


def score(options: argparse.Namespace, console: Console) -> None:
    """Score all models, show and write them."""
    sources = {read_manifest(find_bundle(model)).sources for model in options.models}
    if len(sources) > 1:
        raise ValueError(
            f"the models have different sources, {sorted(sources)}; "
            "score models of the same sources."
        )
    sets = scoring_sets(options.score, "demo", next(iter(sources))[0])
    rows = []
    for model in options.models:
        console.print(model, markup=False, highlight=False)
        rows.append(score_model(model, sets, options))
        rows.sort(key=lambda row: (row["step"] is None, row["step"] or 0))
        facts = {
            "mixtures": options.mixtures,
            "seconds": options.seconds,
            "sets": [one.name for one in sets],
        }
        write_json(Path(options.output) / "curve.json", {"facts": facts, "rows": rows})
    draw(rows, Path(options.output) / "curve.png")
    console.print(table_of(rows, [one.name for one in sets]))


def parser() -> argparse.ArgumentParser:
    """The command line."""
    made = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    commands = made.add_subparsers(dest="command", required=True)
    keeping = commands.add_parser("keep", help="copy a run's model whenever it changes")
    keeping.add_argument("--run", required=True)
    keeping.add_argument("--copies", required=True, help="folder for the copies")
    keeping.add_argument("--every", type=float, default=60.0, help="seconds between two checks")
    scoring = commands.add_parser("score", help="score models and draw their curve")
    scoring.add_argument("--models", nargs="+", required=True, help="runs, model folders or names")
    scoring.add_argument(
        "--score", nargs="+", required=True, metavar="NAME=DIR/SPLIT", help="sets of mixtures"
    )
    scoring.add_argument(
        "--output", required=True, help="folder for curve.json, curve.png and the scores"
    )
    scoring.add_argument("--mixtures", type=int, default=24, help="of each set")
    scoring.add_argument("--seconds", type=float, default=10.0, help="length of each")
    scoring.add_argument(
        "--bss",
        action="store_true",
        help="also SDR, SIR and SAR, which take seconds for each mixture",
    )
    return made


def main() -> int:
    """Keep or score."""
    options = parser().parse_args()
    console = Console() if Console().is_terminal else Console(width=160)
    try:
        keep(options) if options.command == "keep" else score(options, console)
    except (TfsepganError, ValueError) as error:
        console.print(f"{type(error).__name__}: {error}", markup=False, highlight=False)
        return 2
    except KeyboardInterrupt:
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
