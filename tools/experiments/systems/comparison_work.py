"""The work on one row and seed: times a step, trains, scores, measures speed; each in a process.

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
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

import numpy as np

# of the first of two timings; the second minus the first is steps alone, without start-up
SHORT_STEPS = 3
# of the budget that is planned, so that the learning rate reaches its end; checkpoints take time
MARGIN = 0.97
NEVER = 10**8  # steps
SPEED_SECONDS = 60
SPEED_ROUNDS = 5
SLOW_SECONDS = 20.0  # a pass longer than this is measured in fewer rounds
SLOW_ROUNDS = 3

Reporter = Callable[[str], None]


class RowError(Exception):
    """A row's command failed; its log says why."""


def run(module: str, arguments: list[str], row_folder: Path, report: Reporter) -> None:
    """Run a command of the package, with its output in the row's log; Ctrl-C lets it save.

    Raises: RowError when it fails, KeyboardInterrupt after Ctrl-C.
    """
    command = [sys.executable, "-m", module, *arguments]
    _watch(command, row_folder, report)


def step(name: str, values: dict, row_folder: Path, report: Reporter) -> dict:
    """Run a function of this file in a new process; returns its result."""
    answer = row_folder / f".{name}-{os.getpid()}.json"
    try:
        _watch(
            [sys.executable, __file__, name, json.dumps(values), str(answer)], row_folder, report
        )
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


def measure(rows: dict[str, dict], data: str, split: str, source: str) -> dict:
    """Parameters of each row, and its speed on a minute of mixtures, the rows in rotation.

    Args:
      rows: by name, `run` (its folder) and `arguments` (of its training).
    Returns: by name, `parameters` and `speed`.
    """
    from tfsepgan.separation.separator import load

    audio, rate_hz = _a_minute(data, split, source)
    separators = {name: load(row["run"]) for name, row in rows.items()}
    rounds = {}
    for name, separator in separators.items():
        first = _seconds(separator, audio, rate_hz)[0]  # traces the network; not counted
        rounds[name] = SLOW_ROUNDS if first > SLOW_SECONDS else SPEED_ROUNDS
    taken: dict[str, list] = {name: [] for name in rows}
    for number in range(SPEED_ROUNDS):
        for name, separator in separators.items():
            if number < rounds[name]:
                taken[name].append(_seconds(separator, audio, rate_hz))
    return {
        name: {"parameters": _parameters(row, separators[name]), "speed": _speed(taken[name])}
        for name, row in rows.items()
    }


def _a_minute(data: str, split: str, source: str) -> tuple[np.ndarray, int]:
    from tfsepgan.data.recordings.opening import open_catalogue
    from tfsepgan.evaluation.scoring import scoring_mixtures

    rate_hz = 16000
    catalogue = open_catalogue(data, (source,))
    mixtures = scoring_mixtures(
        catalogue, (source,), rate_hz, split=split, count=6, seconds=SPEED_SECONDS / 6
    )
    audio = np.concatenate([item.mixture[:, 0] for item in mixtures])
    return np.resize(audio, SPEED_SECONDS * rate_hz), rate_hz


def _seconds(separator, audio: np.ndarray, rate_hz: int) -> tuple[float, float]:
    wall, processor = time.perf_counter(), time.process_time()
    separator.separate(audio, rate_hz)
    return time.perf_counter() - wall, time.process_time() - processor


def _speed(taken: list[tuple[float, float]]) -> dict:
    wall, processor = np.median(np.array(taken), axis=0)
    return {
        "times_real_time": round(float(SPEED_SECONDS / wall), 2),
        "processor_seconds_a_minute": round(float(processor * 60 / SPEED_SECONDS), 3),
        "rounds": len(taken),
    }


def _parameters(row: dict, separator) -> dict[str, int]:
    """Parameters that ship, and those used in training only."""
    from tfsepgan import systems
    from tfsepgan.cli.settings import parse
    from tfsepgan.cli.train import TrainOptions

    experiment, _ = parse(row["arguments"], TrainOptions, program="compare_systems", about="")
    players = systems.build(experiment).players
    counts = {name: network.count_params() for name, network in players.items()}
    if not _plays(experiment):
        counts.pop("discriminator", None)
    shipped = separator.manifest.parameters
    return {"shipped": shipped, "training_only": max(0, sum(counts.values()) - shipped), **counts}


def _plays(experiment) -> bool:
    """Whether the discriminator is part of the generator's loss."""
    weights = ("adversarial_weight", "feature_weight")
    return any(getattr(experiment.model, name, 1) for name in weights)


if __name__ == "__main__":
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    Path(sys.argv[3]).write_text(
        json.dumps({"measure": measure}[sys.argv[1]](**json.loads(sys.argv[2])))
    )
