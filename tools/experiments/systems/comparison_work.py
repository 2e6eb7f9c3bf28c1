"""What the comparison does to one row and seed: times a step, trains, scores, measures speed; each in a process of its own.

A row's folder holds `plan.json` (steps that the budget pays for, and how that was found), `run/` (as `tfsepgan-train` leaves it),
`trained.json` (once it is done), `scores/SPLIT/` (as `tfsepgan-evaluate` leaves them, with `computed_from.json`), `measured.json`
(parameters and speed) and `log.txt` (what the commands said).
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

SHORT_STEPS = (
    3  # of the first of two timings: its difference to the second is steps alone, without starting
)
MARGIN = 0.97  # of the budget that is planned for, so that the learning rate reaches its end; checkpoints take the rest
NEVER = 10**8  # steps
SPEED_SECONDS = 60
SPEED_ROUNDS = 5
SLOW_SECONDS = 20.0  # a pass longer than this is measured in fewer rounds
SLOW_ROUNDS = 3

Say = Callable[[str], None]


class RowError(Exception):
    """A row's command failed; its log says why."""


def run(module: str, arguments: list[str], row_folder: Path, say: Say) -> None:
    """Run one of the package's commands, its words going to the row's log; Ctrl-C lets it save what it has.

    Raises: RowError when it fails, KeyboardInterrupt when it was asked to stop.
    """
    command = [sys.executable, "-m", module, *arguments]
    _watch(command, row_folder, say)


def step(name: str, values: dict, row_folder: Path, say: Say) -> dict:
    """Run a function of this file in a fresh process and give back what it returned."""
    answer = row_folder / f".{name}-{os.getpid()}.json"
    try:
        _watch([sys.executable, __file__, name, json.dumps(values), str(answer)], row_folder, say)
        return json.loads(answer.read_text())
    finally:
        answer.unlink(missing_ok=True)


def _watch(command: list[str], row_folder: Path, say: Say) -> None:
    row_folder.mkdir(parents=True, exist_ok=True)
    log = row_folder / "log.txt"
    environment = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3", "COLUMNS": "200"}
    with open(log, "ab") as words, open(row_folder / ".lock", "w") as lock:
        fcntl.flock(
            lock, fcntl.LOCK_EX
        )  # the command holds it too, and so outlives a kill of this process
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
        asked = _wait(process, lambda: say(_last_line(log, begin)))
    if asked:
        raise KeyboardInterrupt
    if process.returncode:
        raise RowError(
            f"{_last_line(log, begin) or 'no words'} (exit code {process.returncode}; {log})"
        )


def _wait(process: subprocess.Popen, tell: Callable[[], None]) -> bool:
    """Wait for a process to end; every Ctrl-C is passed on to it. Returns whether there was one."""
    asked = False
    while process.poll() is None:
        try:
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(timeout=2.0)
            tell()
        except KeyboardInterrupt:
            asked = True
            process.send_signal(
                signal.SIGTERM
            )  # a training saves first; before it trains it ends at once
    return asked


def _last_line(log: Path, begin: int) -> str:
    """The last words in a log after a place in it."""
    with open(log, "rb") as file:
        file.seek(max(begin, os.path.getsize(log) - 4000))
        lines = [
            line.strip()
            for line in file.read().decode(errors="replace").splitlines()
            if line.strip()
        ]
    return lines[-1][:200] if lines else ""


def wait_until_left_alone(row_folder: Path, say: Say) -> None:
    """Wait until no command of an earlier start, which was killed, works on this row any more."""
    row_folder.mkdir(parents=True, exist_ok=True)
    with open(row_folder / ".lock", "w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("waiting for a command that an earlier start left running")
            fcntl.flock(lock, fcntl.LOCK_EX)


def progress_of(run_folder: Path) -> dict | None:
    """Step and seconds in a run's checkpoint; None before the first."""
    if not (run_folder / "state.npz").exists():
        return None
    with np.load(run_folder / "state.npz") as saved:
        return json.loads(saved["progress"].tobytes())


def plan_steps(budget_seconds: float, short: dict, long: dict) -> dict:
    """How many steps a budget of processor time pays for, from two timed runs.

    Args:
      short, long: `step` and `processor_seconds` at the end of a run of few and one of more steps.
    Returns: seconds a step, seconds before the first, and the steps.
    Raises: RowError when the longer run did not get further than the short one.
    """
    further = long["step"] - short["step"]
    if further < 1:
        raise RowError(f"timing ended after {long['step']} steps; give more --timing-seconds")
    a_step = max(1e-6, (long["processor_seconds"] - short["processor_seconds"]) / further)
    start = max(0.0, short["processor_seconds"] - short["step"] * a_step)
    steps = max(1, int((MARGIN * budget_seconds - start) / a_step))
    return {"processor_seconds_a_step": a_step, "processor_seconds_to_start": start, "steps": steps}


def time_steps(
    arguments: list[str], row_folder: Path, budget_seconds: float, timing_seconds: float, say: Say
) -> dict:
    """Train twice for a moment, and plan the row's steps from what that took."""
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
            "tfsepgan.cli.train", command, row_folder, lambda words: say(f"timing, {name}: {words}")
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
    """The commit of this checkout, with a + when its package was changed since; 'unknown' outside of git."""
    here = Path(__file__).parents[3]
    asked = (["rev-parse", "--short", "HEAD"], ["status", "--porcelain", "--", "tfsepgan"])
    found = [
        subprocess.run(["git", *words], cwd=here, capture_output=True, text=True, check=False)
        for words in asked
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
        f"{count} core{'s' if count > 1 else ''} of {names[0] if names else platform.processor() or platform.machine()}, "
        f"Python {platform.python_version()}, TensorFlow {version('tensorflow')}"
    )


def cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def measure(rows: dict[str, dict], data: str, split: str, source: str) -> dict:
    """Parameters of each row and how fast it separates a minute of a split's mixtures, the rows in rotation.

    Args:
      rows: by name, `run` (its folder) and `arguments` (of its training).
    Returns: by name, `parameters` and `speed`.
    """
    from tfsepgan.separation.separator import load

    audio, rate_hz = _a_minute(data, split, source)
    separators = {name: load(row["run"]) for name, row in rows.items()}
    rounds = {}
    for name, separator in separators.items():
        first = _seconds(separator, audio, rate_hz)[0]  # traces the network, and is not counted
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
    """What ships, and what else learns while it trains."""
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
    """Whether the discriminator has a say in the generator's loss."""
    weights = ("adversarial_weight", "feature_weight")
    return any(getattr(experiment.model, name, 1) for name in weights)


if __name__ == "__main__":
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    Path(sys.argv[3]).write_text(
        json.dumps({"measure": measure}[sys.argv[1]](**json.loads(sys.argv[2])))
    )
