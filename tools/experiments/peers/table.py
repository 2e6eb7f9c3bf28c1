"""Scores the networks that `train_torch.py` and `train_keras.py` trained alike, in one table.

    python tools/experiments/peers/table.py --windows data/alike --runs runs/alike/* \\
        [--output alike.json]

SI-SDR gains over the mixture: the mean over the mixtures of each set with its standard error, and
the difference from the first run, mixture by mixture.
"""

import argparse
import json
from pathlib import Path

import numpy as np
from alike import ESTIMATES, FACTS, SCORED

from tfsepgan.metrics.waveform import si_sdr_improvement
from tfsepgan.refining.paired_scores import summarize


def gains_of(run: Path, scored: np.ndarray) -> np.ndarray:
    """The gain on each mixture, dB."""
    estimates = np.load(run / ESTIMATES, mmap_mode="r")
    gains = []
    for parts, estimate in zip(scored, estimates, strict=True):
        source, rest = parts.astype(np.float32)
        gains.append(si_sdr_improvement(source, estimate.astype(np.float32), source + rest))
    return np.array(gains)


def main() -> None:
    """Read the command line, print a line for each run and set, and write all figures."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--windows", type=Path, required=True, help="of make_windows.py")
    parser.add_argument("--runs", type=Path, nargs="+", required=True)
    parser.add_argument("--output", type=Path)
    options = parser.parse_args()
    scored = np.load(options.windows / SCORED, mmap_mode="r")
    about = json.loads((options.windows / "scored.json").read_text())
    sets = np.array([one["set"] for one in about["mixtures"]])
    seconds = scored.shape[0] * scored.shape[2] / about["sample_rate_hz"]
    first, rows = None, []
    for run in options.runs:
        facts, gains = json.loads((run / FACTS).read_text()), gains_of(run, scored)
        first = gains if first is None else first
        facts["times_real_time"] = seconds / facts["separation_seconds"]
        print(
            f"{facts['network']}, seed {facts['seed']}: {facts['parameters'] / 1e6:.1f} M"
            f" parameters, {facts['steps']} steps of {facts['batch']} windows in"
            f" {facts['processor_minutes']:.0f} minutes, {facts['times_real_time']:.0f} x real"
            f" time, {facts['memory_mb']:.0f} MB"
        )
        facts["gains"] = {}
        for name in dict.fromkeys(sets):
            mean, apart = summarize(gains[sets == name]), summarize((gains - first)[sets == name])
            facts["gains"][name] = {**mean._asdict(), "over_first": apart._asdict()}
            print(
                f"  {name}: {mean.mean:+.2f} ± {mean.error:.2f}, median {mean.median:+.2f},"
                f" over the first {apart.mean:+.2f} ± {apart.error:.2f}"
            )
        rows.append(facts)
    if options.output:
        options.output.write_text(json.dumps(rows, indent=1) + "\n")


if __name__ == "__main__":
    main()
