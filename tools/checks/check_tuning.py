"""Kills a search and its workers, resumes it, and checks that it ends and improves the preset.

    python tools/checks/check_tuning.py [--kill-after 4] [--pause 20] \\
        FOLDER -- FLAGS OF tfsepgan-tune

The first start is killed (SIGKILL) `--pause` seconds after `--kill-after` trials have ended, while
other trials run; the second runs to the end. Prints the state at the kill, how long its processes
outlived it, and the result of the search. The exit code is 1 when one of `--trials` is missing, a
process outlived the search, or no trial beats the preset.
"""

import argparse
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path


def records(folder: Path) -> list[Path]:
    return sorted(folder.glob("results/*.json"))


def members(folder: Path) -> list[int]:
    """Running processes of the search, by the numbers in their locks."""
    numbers = [int(lock.read_text() or 0) for lock in folder.glob("processes/*/.lock")]
    return [number for number in numbers if number and Path(f"/proc/{number}").exists()]


def saved_step(run: Path) -> str:
    import numpy as np

    if not (run / "state.npz").exists():
        return "none"
    with np.load(run / "state.npz") as state:
        return str(json.loads(state["progress"].tobytes())["step"])


def kill_once(line: list[str], folder: Path, after: int, pause: float) -> None:
    """Start the search, and kill it."""
    process = subprocess.Popen(line)
    while len(records(folder)) < after and process.poll() is None:
        time.sleep(0.2)
    time.sleep(pause)
    if process.poll() is not None:
        raise SystemExit(
            "The search ended before the kill; use a lower --kill-after, or more trials."
        )
    ended = {path.stem for path in records(folder)}
    process.send_signal(signal.SIGKILL)
    process.wait()
    killed = time.monotonic()
    while members(folder) and time.monotonic() - killed < 300:
        time.sleep(0.2)
    under_way = [run for run in sorted(folder.glob("trials/*")) if run.name not in ended]
    print(
        f"killed with {len(ended)} trials ended; its processes ended "
        f"{time.monotonic() - killed:.1f} s later",
        flush=True,
    )
    for run in under_way:
        print(f"  trial {run.name} was running, saved at step {saved_step(run)}", flush=True)


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path)
    parser.add_argument("--kill-after", type=int, default=4)
    parser.add_argument("--pause", type=float, default=20.0)
    parser.add_argument("arguments", nargs="*")
    options = parser.parse_args()
    line = [
        sys.executable,
        "-m",
        "tfsepgan.cli.tune",
        "--output",
        str(options.folder),
        *options.arguments,
    ]
    began = time.monotonic()
    kill_once(line, options.folder, options.kill_after, options.pause)
    code = subprocess.run(line, env=os.environ, check=False).returncode
    if code:
        return code
    report = json.loads((options.folder / "report.json").read_text())
    numbers = [trial["trial"] for trial in report["trials"]]
    left = members(options.folder)
    print(
        f"{len(numbers)} trials in {(time.monotonic() - began) / 60:.1f} minutes, killed once: "
        f"start {report['start']['score']:.2f} dB, "
        f"winner {report['winner']['score']:.2f} dB, gain {report['gain_db']:+.2f} dB; "
        f"processes left: {len(left)}"
    )
    arguments = options.arguments
    wanted = (
        int(arguments[arguments.index("--trials") + 1]) if "--trials" in arguments else len(numbers)
    )
    whole = numbers == list(range(wanted)) and not left
    return 0 if whole and report["gain_db"] > 0 else 1


if __name__ == "__main__":
    raise SystemExit(main())
