"""The effect of unlabelled recordings: training with and without, by labelled share.

    python tools/experiments/systems/compare_labels.py [--data demo] [--folder runs/labels] \\
        [--shares 0.1 0.25 0.5] [--seeds 0] [--split test] [-- FLAGS]

For each share and seed it trains two models on the same labelled recordings, for the same steps:
one with these alone (`--unsupervised-weight 0 --additive-weight 0`), one also with unlabelled
mixtures and solos of the others. Both are scored as by `tfsepgan-evaluate`. FLAGS are for every
training, for example `--steps 800`, or `--processor-minutes 15 --schedule constant` for equal
processor time instead of equal steps (a step with unlabelled recordings takes longer). The same
command resumes. Writes FOLDER/labels.md.
"""

import argparse
import subprocess
import sys
from pathlib import Path

import numpy as np

from tfsepgan.evaluation.records import Report

KINDS = {
    "labels alone": ("--unsupervised-weight", "0", "--additive-weight", "0"),
    "and unlabelled": (),
}
GAIN = "si_sdr_improvement"


def train(options: argparse.Namespace, flags: list[str], run: Path) -> None:
    """Train one model, or resume it."""
    command = [
        sys.executable,
        "-m",
        "tfsepgan.cli.train",
        "--system",
        "semisupervised",
        "--preset",
        options.preset,
    ]
    command += ["--data", options.data, "--run", str(run), "--no-finish", "--no-tensorboard"]
    subprocess.run([*command, *flags, *options.flags], check=True)


def gains_db(options: argparse.Namespace, run: Path) -> np.ndarray:
    """SI-SDR improvement of a run's model for each source and mixture of the split, in dB."""
    output = run / f"scores_{options.split}"
    report, state = output / "report.json", run / "state.npz"
    if not report.exists() or report.stat().st_mtime < state.stat().st_mtime:
        command = [
            sys.executable,
            "-m",
            "tfsepgan.cli.evaluate",
            "--model",
            str(run),
            "--data",
            options.data,
        ]
        command += ["--split", options.split, "--output", str(output), "--no-bss"]
        subprocess.run(command, check=True)
    scores = Report.load(output)
    return np.concatenate(
        [scores.values(source, "model", GAIN) for source in scores.sources if source != "residual"]
    )


def row(share: float, gains: dict[str, list[np.ndarray]]) -> str:
    """A line of the table: means over seeds and mixtures, and how often unlabelled data helped."""
    alone, more = (np.stack(gains[kind]) for kind in KINDS)
    cells = [f"{values.mean():+.2f} (median {np.median(values):+.2f})" for values in (alone, more)]
    helped = np.mean(more > alone)
    return f"| {share:g} | {cells[0]} | {cells[1]} | {np.mean(more - alone):+.2f} | {helped:.0%} |"


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", default="demo")
    parser.add_argument("--folder", type=Path, default=Path("runs/labels"))
    parser.add_argument("--preset", default="demo")
    parser.add_argument("--shares", type=float, nargs="+", default=[0.1, 0.25, 0.5])
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    parser.add_argument("--split", default="test")
    parser.add_argument("flags", nargs="*")
    options = parser.parse_args()

    heads = (*KINDS, "difference", "better for")
    lines = [f"| labelled | {' | '.join(heads)} |", "|---" * (len(heads) + 1) + "|"]
    for share in options.shares:
        gains: dict[str, list[np.ndarray]] = {kind: [] for kind in KINDS}
        for seed in options.seeds:
            for kind, without in KINDS.items():
                run = options.folder / f"{share:g}-{seed}-{kind.replace(' ', '-')}"
                train(options, ["--labelled", str(share), "--seed", str(seed), *without], run)
                gains[kind].append(gains_db(options, run))
        lines.append(row(share, gains))
    words = (
        f"SI-SDR improvement over the mixture on `{options.split}`, dB; "
        f"{len(options.seeds)} seed(s)."
    )
    text = "\n".join(
        [
            words,
            "",
            *lines,
            "",
            f"`python tools/experiments/systems/compare_labels.py {' '.join(sys.argv[1:])}`",
            "",
        ]
    )
    (options.folder / "labels.md").write_text(text)
    print(text)


if __name__ == "__main__":
    main()
