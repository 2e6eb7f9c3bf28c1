"""Trains the `demo` preset in each precision, and compares the test scores in pairs.

    python tools/checks/check_precision.py [--steps 200] [--seed 0] [--folder DIR]
        [--precisions float32 mixed_bfloat16 mixed_float16] [--mixtures 24] [--seconds 4]
        [--flags ...]

`--flags` go to `tfsepgan-train`. All runs have the same seed, data and steps. The first precision
is the one that the others are compared with. Prints SI-SDR improvements, processor time, and the
mean difference of each other precision over the same mixtures, with its standard error: mixtures
with the same recording are one value. A folder that is given continues the runs that are in it. The
exit code is 1 when a difference is beyond 0.2 dB.
"""

import argparse
import resource
import subprocess
import sys
import tempfile
from collections import defaultdict
from pathlib import Path

import numpy as np

from tfsepgan.data.recordings.opening import open_catalogue
from tfsepgan.evaluation.scoring import scoring_mixtures
from tfsepgan.metrics.waveform import si_sdr_improvement
from tfsepgan.separation.separator import load

LIMIT_DB = 0.2
PRECISIONS = ("float32", "mixed_bfloat16", "mixed_float16")


def train(run: Path, precision: str, options: argparse.Namespace) -> float:
    """Train, or continue; returns the processor seconds of this process."""
    command = [sys.executable, "-m", "tfsepgan.cli.train", "--preset", "demo", "--run", str(run)]
    command += ["--precision", precision, "--seed", str(options.seed)]
    command += ["--steps", str(options.steps), "--minutes", "6000", "--validation-mixtures", "0"]
    command += ["--no-finish", "--no-tensorboard", *options.flags]
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def improvements(run: Path, options: argparse.Namespace) -> dict[str, list[float]]:
    """SI-SDR improvements in dB on the fixed test mixtures, by the recording of the source."""
    separator = load(run)
    mixtures = scoring_mixtures(
        open_catalogue("demo", separator.sources),
        separator.sources,
        separator.sample_rate_hz,
        split="test",
        count=options.mixtures,
        seconds=options.seconds,
    )
    found = defaultdict(list)
    for one in mixtures:
        stems = separator.separate(one.mixture, one.sample_rate_hz)
        gains = [si_sdr_improvement(one.sources[n], stems[n], one.mixture) for n in one.scored]
        found[one.target_file].append(float(np.mean(gains)))
    return found


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--steps", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--precisions", nargs="+", choices=PRECISIONS, default=PRECISIONS)
    parser.add_argument("--mixtures", type=int, default=24)
    parser.add_argument("--seconds", type=float, default=4.0)
    parser.add_argument("--flags", nargs=argparse.REMAINDER, default=[])
    options, faults = parser.parse_args(), 0
    folder = options.folder or Path(tempfile.mkdtemp(prefix="tfsepgan-precision-"))
    first = None
    for precision in options.precisions:
        run = folder / precision
        seconds = train(run, precision, options)
        found = improvements(run, options)
        mean = np.mean([gain for gains in found.values() for gain in gains])
        print(f"{precision}: {mean:.3f} dB better than the mixture, {seconds:.0f} s", flush=True)
        first = first or found
        if found is first:
            continue
        apart = [np.mean(np.subtract(found[file], first[file])) for file in first]
        error = np.std(apart, ddof=1) / len(apart) ** 0.5 if len(apart) > 1 else np.nan
        print(
            f"  minus {options.precisions[0]}: {np.mean(apart):+.3f} +- {error:.3f} dB,"
            f" {len(apart)} recordings",
            flush=True,
        )
        faults += abs(np.mean(apart)) > LIMIT_DB
    return int(faults > 0)


if __name__ == "__main__":
    sys.exit(main())
