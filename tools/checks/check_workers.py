"""Checks that workers train the weights of one process, also after one of them was killed.

    python tools/checks/check_workers.py [--systems ssepgan cyclegan semisupervised] [--steps 50]
        [--folder DIR] [--kill] [--mirrored | --same-sums] [--double] [--data DIR]

For each system's `tiny` preset on the packaged recordings (or --data), one process trains with the
whole batch, then two worker processes on this machine divide the same batch. The checkpoints must
agree to 1e-4. With --kill, worker 1 gets SIGKILL after the first checkpoint; when the other worker
has stopped too, both are started again. With --mirrored, one process divides each batch between two
logical devices of the processor in place of two workers. With --double, a copy of the package
calculates in float64 (`in_double.py`): where a system amplifies rounding, that tells it from an
error. With --same-sums, the one process divides each batch between two logical devices, and the
workers divide it again: both add the gradients of the same halves, so less rounding is left.
"""

import argparse
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from in_double import environment_in_double

LIMIT = 1e-4
WORKERS = 2
# The training of cyclegan's own mixer is unstable: one unit in the last place of one kernel grows
# to 2e-2 in 50 steps of one process.
MIXER = {"kind": "filterbank", "channels": 16, "blocks": 1, "frame": 256, "hop": 64}
TWO_DEVICES = """
import sys, tensorflow as tf
from tfsepgan.cli.train import main
part = tf.config.LogicalDeviceConfiguration()
tf.config.set_logical_device_configuration(tf.config.list_physical_devices("CPU")[0], [part, part])
sys.exit(main(sys.argv[1:]))
"""
SETTINGS = {"cyclegan": [f"--mixer.{name}={value}" for name, value in MIXER.items()]}


def command(system: str, options: argparse.Namespace, run: Path, *more: str) -> list[str]:
    every = max(1, options.steps // 2)
    validated = 0 if options.double else 1  # validation does not work in float64
    return [
        *(sys.executable, "-m", "tfsepgan.cli.train", "--system", system, "--preset", "tiny"),
        *("--data", options.data, "--run", str(run), "--steps", str(options.steps)),
        *("--steps-per-epoch", str(every), "--validation-mixtures", str(validated)),
        *("--no-finish", "--no-tensorboard", *SETTINGS.get(system, ()), *more),
    ]


def on_two_devices(system: str, options: argparse.Namespace, run: Path) -> list[str]:
    """The command line of one process with two logical devices."""
    python, _, _, *rest = command(system, options, run, "--strategy", "mirrored")
    return [python, "-c", TWO_DEVICES, *rest]


def free_ports(count: int) -> list[int]:
    sockets = [socket.socket() for _ in range(count)]
    for one in sockets:
        one.bind(("127.0.0.1", 0))
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports


def start(line: list[str], folder: Path, environment: dict[str, str]) -> list[subprocess.Popen]:
    """All workers of one cluster; each writes its own log."""
    cluster = {"worker": [f"127.0.0.1:{port}" for port in free_ports(WORKERS)]}
    started = []
    for index in range(WORKERS):
        place = {"cluster": cluster, "task": {"type": "worker", "index": index}}
        own = {**environment, "TF_CONFIG": json.dumps(place)}
        with open(folder / f"worker{index}.log", "a") as log:
            started.append(subprocess.Popen(line, stdout=log, stderr=subprocess.STDOUT, env=own))
    return started


def variables(run: Path) -> dict[str, np.ndarray]:
    with np.load(run / "state.npz") as saved:
        return {name: saved[name] for name in saved.files if name != "progress"}


def train_with_workers(
    line: list[str], run: Path, folder: Path, environment: dict[str, str], *, kill: bool
) -> None:
    """Train to the end; with `kill`, one worker is killed after the first checkpoint."""
    processes = start(line, folder, environment)
    if kill:
        while not (run / "state.npz").exists() and processes[1].poll() is None:
            time.sleep(0.05)
        processes[1].send_signal(signal.SIGKILL)
        begin = time.monotonic()
        code = processes[0].wait(timeout=600)
        print(f"worker 0 stopped {time.monotonic() - begin:.0f} s after the kill, exit code {code}")
        processes = start(line, folder, environment)
    codes = [process.wait() for process in processes]
    if any(codes):
        sys.exit(f"workers ended with exit codes {codes}, see {folder}/worker*.log")


def check(system: str, options: argparse.Namespace, folder: Path) -> bool:
    folder.mkdir(parents=True, exist_ok=True)
    environment = environment_in_double(folder) if options.double else dict(os.environ)
    alone, together = folder / "alone", folder / "together"
    quietly = {"check": True, "stdout": subprocess.DEVNULL, "env": environment}
    alone_by = on_two_devices if options.same_sums else command
    subprocess.run(alone_by(system, options, alone), **quietly)
    if options.mirrored:
        subprocess.run(on_two_devices(system, options, together), **quietly)
    else:
        line = command(system, options, together, "--strategy", "multiworker")
        train_with_workers(line, together, folder, environment, kill=options.kill)
    one, other = variables(alone), variables(together)
    worst = max(np.abs(one[n].astype("f8") - other[n]).max() for n in one if one[n].size)
    print(f"{system}: {len(one)} variables differ by at most {worst:.1e} (limit {LIMIT:.0e})")
    return one.keys() == other.keys() and worst <= LIMIT


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--systems", nargs="+", default=["ssepgan", "cyclegan", "semisupervised"])
    parser.add_argument("--steps", type=int, default=50)
    parser.add_argument("--folder", type=Path, help="for runs and logs; default: a temporary one")
    parser.add_argument("--data", default="demo")
    parser.add_argument("--kill", action="store_true", help="a worker, after the first checkpoint")
    way = parser.add_mutually_exclusive_group()
    way.add_argument("--mirrored", action="store_true", help="two devices in place of two workers")
    way.add_argument("--same-sums", action="store_true", help="two devices in place of one")
    parser.add_argument("--double", action="store_true")
    options = parser.parse_args()
    folder = options.folder or Path(tempfile.mkdtemp(prefix="tfsepgan-workers-"))
    agree = [check(system, options, folder / system) for system in options.systems]
    return int(not all(agree))


if __name__ == "__main__":
    sys.exit(main())
