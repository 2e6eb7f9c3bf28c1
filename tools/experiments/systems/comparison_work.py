"""The work on one row and seed: times a step, trains, scores, measures; each in a process.

A row's folder holds:
- `plan.json`: the steps that the budget allows, and how they were found;
- `run/`: the run of `tfsepgan-train`;
- `trained.json`: written when the training is done;
- `scores/SPLIT/`: the output of `tfsepgan-evaluate`, with `computed_from.json`;
- `measured.json`: parameters and speed;
- `log.txt`: the output of the commands.
"""

import contextlib
import fcntl
import hashlib
import json
import os
import platform
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

import numpy as np

# of the first of two timings; the second minus the first is steps alone, without start-up
SHORT_STEPS = 3
# of the budget that is planned, so that the learning rate reaches its end; checkpoints take time
MARGIN = 0.97
NEVER = 10**8  # steps
Reporter = Callable[[str], None]


class RowError(Exception):
    """A row's command failed; its log says why."""


def run(module: str, arguments: list[str], row_folder: Path, report: Reporter) -> None:
    """Run a command of the package, with its output in the row's log; Ctrl-C lets it save.

    Raises: RowError when it fails, KeyboardInterrupt after Ctrl-C.
    """
    command = [sys.executable, "-m", module, *arguments]
    _watch(command, row_folder, report)


def measure(values: dict, row_folder: Path, report: Reporter) -> dict:
    """Run `comparison_speed.measure` in a new process; returns its result."""
    answer = row_folder / f".measure-{os.getpid()}.json"
    tool = Path(__file__).with_name("comparison_speed.py")
    try:
        _watch([sys.executable, str(tool), json.dumps(values), str(answer)], row_folder, report)
        return json.loads(answer.read_text())
    finally:
        answer.unlink(missing_ok=True)


def _watch(command: list[str], row_folder: Path, report: Reporter) -> None:
    row_folder.mkdir(parents=True, exist_ok=True)
    log = row_folder / "log.txt"
    environment = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3", "COLUMNS": "200"}
    with open(log, "ab") as words, open(row_folder / ".lock", "w") as lock:
        # The command holds the lock too, also after a kill of this process.
        fcntl.flock(lock, fcntl.LOCK_EX)
        begin = words.tell()
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=words,
            stderr=words,
            env=environment,
            start_new_session=True,  # Ctrl-C reaches it through `_wait` only, and once
            pass_fds=(lock.fileno(),),
        )
        interrupted = _wait(process, lambda: report(_last_line(log, begin)))
    if interrupted:
        raise KeyboardInterrupt
    if process.returncode:
        raise RowError(
            f"{_last_line(log, begin) or 'no output'} (exit code {process.returncode}; {log})"
        )


def _wait(process: subprocess.Popen, tell: Callable[[], None]) -> bool:
    """Wait for a process to end and pass on every Ctrl-C; returns whether there was one."""
    interrupted = False
    while process.poll() is None:
        try:
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(timeout=2.0)
            tell()
        except KeyboardInterrupt:
            interrupted = True
            process.send_signal(signal.SIGTERM)  # a training run saves before it ends
    return interrupted


def _last_line(log: Path, begin: int) -> str:
    """The last line of a log after a position in it."""
    with open(log, "rb") as file:
        file.seek(max(begin, os.path.getsize(log) - 4000))
        lines = [
            line.strip()
            for line in file.read().decode(errors="replace").splitlines()
            if line.strip()
        ]
    return lines[-1][:200] if lines else ""


def wait_for_earlier_command(row_folder: Path, report: Reporter) -> None:
    """Wait until no command of an earlier, killed start works on this row."""
    row_folder.mkdir(parents=True, exist_ok=True)
    with open(row_folder / ".lock", "w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            report("waiting for a command of an earlier start")
            fcntl.flock(lock, fcntl.LOCK_EX)


def progress_of(run_folder: Path) -> dict | None:
    """Step and seconds in a run's checkpoint; None before the first."""
    if not (run_folder / "state.npz").exists():
        return None
    with np.load(run_folder / "state.npz") as saved:
        return json.loads(saved["progress"].tobytes())


def plan_steps(budget_seconds: float, short: dict, long: dict) -> dict:
    """The steps that a budget of processor time allows, from two timed runs.

    Args:
      short, long: `step` and `processor_seconds` at the end of a short and a longer run.
    Returns: seconds per step, seconds before the first, and the steps.
    Raises: RowError when the longer run took no more steps than the short one.
    """
    further = long["step"] - short["step"]
    if further < 1:
        raise RowError(f"timing ended after {long['step']} steps; use more --timing-seconds")
    a_step = max(1e-6, (long["processor_seconds"] - short["processor_seconds"]) / further)
    start = max(0.0, short["processor_seconds"] - short["step"] * a_step)
    steps = max(1, int((MARGIN * budget_seconds - start) / a_step))
    return {"processor_seconds_a_step": a_step, "processor_seconds_to_start": start, "steps": steps}


def time_steps(
    arguments: list[str],
    row_folder: Path,
    budget_seconds: float,
    timing_seconds: float,
    report: Reporter,
) -> dict:
    """Train twice for a short time, and plan the row's steps from these times."""
    folder = row_folder / "timing"

    def trained(name: str, **length: float) -> dict:
        shutil.rmtree(folder / name, ignore_errors=True)
        flags = [
            part
            for key, value in length.items()
            for part in (f"--{key.replace('_', '-')}", str(value))
        ]
        command = [*arguments, *flags, "--run", str(folder / name)]
        run(
            "tfsepgan.cli.train",
            command,
            row_folder,
            lambda words: report(f"timing, {name}: {words}"),
        )
        return progress_of(folder / name)

    short = trained("short", steps=SHORT_STEPS, steps_per_epoch=SHORT_STEPS)
    limit = short["processor_seconds"] + timing_seconds
    long = trained("long", steps=NEVER, steps_per_epoch=NEVER, processor_minutes=limit / 60)
    shutil.rmtree(folder)
    return plan_steps(budget_seconds, short, long)


def fingerprint(folder: Path) -> str:
    """Hash of all files of a model."""
    digest = hashlib.sha256()
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        digest.update(str(path.relative_to(folder)).encode() + path.read_bytes())
    return digest.hexdigest()[:16]


def commit() -> str:
    """The commit, with a + if the package has changes; 'unknown' outside of git."""
    here = Path(__file__).parents[3]
    commands = (["rev-parse", "--short", "HEAD"], ["status", "--porcelain", "--", "tfsepgan"])
    found = [
        subprocess.run(["git", *words], cwd=here, capture_output=True, text=True, check=False)
        for words in commands
    ]
    if found[0].returncode:
        return "unknown"
    return found[0].stdout.strip() + ("+" if found[1].stdout.strip() else "")


def hardware() -> str:
    """Processor, cores, Python and TensorFlow."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    count = cores()
    return (
        f"{count} core{'s' if count > 1 else ''} of "
        f"{names[0] if names else platform.processor() or platform.machine()}, "
        f"Python {platform.python_version()}, TensorFlow {version('tensorflow')}"
    )


def cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
