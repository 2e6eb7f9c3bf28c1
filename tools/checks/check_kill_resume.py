"""Kills a training run at random times, resumes it, and compares it with an uninterrupted run.

    python tools/checks/check_kill_resume.py [--kills 20] [--steps 120] [--seed 0] [--folder DIR]

Both runs train the `tiny` preset on the packaged recordings. The first is killed (SIGKILL) after a
random time at each start: in start-up, training steps, validation, or while it writes a checkpoint.
Prints every kill and the largest difference between weights, optimizers and running means of the
two runs. The exit code is 1 when it is above 1e-6.
"""

import argparse
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

LIMIT = 1e-6


def command(run: Path, steps: int) -> list[str]:
    """The training command, the same at every start."""
    settings = {
        "steps": steps,
        "steps-per-epoch": 10,
        "validation-mixtures": 2,
        "validation-seconds": 1.0,
    }
    flags = [part for name, value in settings.items() for part in (f"--{name}", str(value))]
    return [
        sys.executable,
        "-m",
        "tfsepgan.cli.train",
        "--preset",
        "tiny",
        "--data",
        "demo",
        *flags,
    ] + [
        *("--run", str(run)),
        *("--no-finish", "--no-tensorboard"),
    ]


def arrays(run: Path) -> dict[str, np.ndarray]:
    """All arrays of a run's checkpoint; its progress has clock times and is left out."""
    with np.load(run / "state.npz") as saved:
        return {name: saved[name] for name in saved.files if name != "progress"}


def saved_step(run: Path) -> str:
    """The step of the checkpoint, for the log."""
    import json

    if not (run / "state.npz").exists():
        return "none"
    with np.load(run / "state.npz") as saved:
        return str(json.loads(saved["progress"].tobytes())["step"])


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--steps", type=int, default=120)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--folder", type=Path)
    options = parser.parse_args()
    folder = options.folder or Path(tempfile.mkdtemp(prefix="tfsepgan-kill-"))
    draw = random.Random(options.seed)

    started = time.monotonic()
    subprocess.run(command(folder / "whole", options.steps), check=True, stdout=subprocess.DEVNULL)
    whole_seconds = time.monotonic() - started
    print(f"uninterrupted: {whole_seconds:.1f} s, step {saved_step(folder / 'whole')}")

    kills = 0
    while kills < options.kills:
        process = subprocess.Popen(
            command(folder / "killed", options.steps),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        patience = draw.uniform(0.3, 0.9 * whole_seconds)
        try:
            output, _ = process.communicate(timeout=patience)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
            process.communicate()
            kills += 1
            print(
                f"kill {kills:2d} after {patience:5.1f} s: "
                f"checkpoint at step {saved_step(folder / 'killed')}",
                flush=True,
            )
            continue
        if process.returncode != 0:
            print(f"a restart failed:\n{output}")
            return 1
        print(
            f"it ended before kill {kills + 1}; a new run is started",
            flush=True,
        )
        if report(folder):
            return 1
        subprocess.run(["rm", "-r", str(folder / "killed")], check=True)
    subprocess.run(command(folder / "killed", options.steps), check=True, stdout=subprocess.DEVNULL)
    return report(folder)


def report(folder: Path) -> int:
    """Compare the two runs' checkpoints; 0 when they agree."""
    whole, killed = arrays(folder / "whole"), arrays(folder / "killed")
    if whole.keys() != killed.keys():
        print("the checkpoints hold different variables")
        return 1
    worst = max(
        float(np.max(np.abs(whole[name].astype("f8") - killed[name])))
        for name in whole
        if whole[name].size
    )
    print(f"largest difference over {len(whole)} variables: {worst:.2e} (limit {LIMIT:.0e})")
    return int(worst > LIMIT)


if __name__ == "__main__":
    raise SystemExit(main())
