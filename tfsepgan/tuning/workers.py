"""A search with several processes on this machine: keras-tuner's chief and its workers.

Each process has a folder in `SEARCH/processes/`; its output goes to `output.txt` there. No process
outlives the command: each reads from a pipe, and when the command ends and the pipe closes, it
saves its run and ends.
"""

import contextlib
import os
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from tfsepgan.errors import CheckpointError, TfsepganError
from tfsepgan.training.lock import hold, let_go
from tfsepgan.tuning.records import read_records
from tfsepgan.tuning.tuner import PROCESS, record_line

CHIEF = "chief"
PIPE = "TFSEPGAN_LEAVES_WITH_ITS_PIPE"
RESTARTS = 2  # of each worker that is killed, for example when memory runs out
STOP_SECONDS = 120  # for a step, a validation and a checkpoint
POLL_SECONDS = 0.5
INTERRUPTED = 130


def leave_with_the_pipe() -> None:
    """In a process of `search_with_workers`: stop when the command has ended."""
    if PIPE not in os.environ:
        return

    def wait() -> None:
        with contextlib.suppress(OSError):
            while os.read(0, 1024):  # not sys.stdin, whose lock Python takes at its end
                pass
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=wait, daemon=True).start()


def search_with_workers(
    command: Sequence[str], directory: Path, *, workers: int, threads: int | None, console: Console
) -> None:
    """Run a search with a chief and workers to its end.

    Args:
      command: the command of each process; environment variables give its role.
      directory: folder of the search, locked by the caller.
      workers: number of trials at the same time.
      threads: threads of each worker; by default the workers share the cores.
      console: prints each trial that ends.
    Raises: KeyboardInterrupt after Ctrl-C or SIGTERM, when all processes have saved and ended;
      TfsepganError when one of them fails.
    """
    _wait_for_old_processes(directory)
    team = _Team(command, directory, threads or max(1, _cores() // workers), console)
    in_main_thread = threading.current_thread() is threading.main_thread()
    before = in_main_thread and signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        for name in (CHIEF, *(f"worker{number}" for number in range(workers))):
            team.start(name)
        team.watch()
    finally:
        team.end()
        if before:
            signal.signal(signal.SIGTERM, before)


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _wait_for_old_processes(directory: Path) -> None:
    """Wait until the processes of a killed command have saved and ended."""
    deadline = time.monotonic() + STOP_SECONDS
    for folder in directory.glob("processes/*/"):
        while True:
            try:
                hold(folder)
                break
            except CheckpointError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(POLL_SECONDS)
        let_go(folder)


class _Team:
    """The processes of a search, by name."""

    def __init__(self, command: Sequence[str], directory: Path, threads: int, console: Console):
        self.command, self.directory, self.console = list(command), directory, console
        self.processes: dict[str, subprocess.Popen] = {}
        self._printed = {record.trial for record in read_records(directory)}
        with socket.socket() as listener:
            listener.bind(("127.0.0.1", 0))
            port = listener.getsockname()[1]
        local = ",".join(filter(None, (os.environ.get("no_proxy"), "127.0.0.1")))
        limited = ("TF_NUM_INTRAOP_THREADS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS")
        self.environment = {
            **os.environ,
            "KERASTUNER_ORACLE_IP": "127.0.0.1",
            "KERASTUNER_ORACLE_PORT": str(port),
            PIPE: "1",
            **dict.fromkeys(limited, str(threads)),
            "TF_NUM_INTEROP_THREADS": "1",
            "TF_FORCE_GPU_ALLOW_GROWTH": "true",  # several processes share one
            "PYTHONUNBUFFERED": "1",
            "no_proxy": local,
            "no_grpc_proxy": local,
        }

    def output(self, name: str) -> Path:
        return self.directory / "processes" / name / "output.txt"

    def start(self, name: str) -> None:
        self.output(name).parent.mkdir(parents=True, exist_ok=True)
        with open(self.output(name), "ab") as file:
            self.processes[name] = subprocess.Popen(
                self.command,
                stdin=subprocess.PIPE,
                stdout=file,
                stderr=subprocess.STDOUT,
                env={**self.environment, PROCESS: name},
                start_new_session=True,
            )  # its own session: Ctrl-C reaches only the command, which then stops each process

    def watch(self) -> None:
        """Wait until every worker has ended without an error; print the trials that end."""
        restarts = dict.fromkeys(self.processes, 0)
        running = {name for name in self.processes if name != CHIEF}
        while running:
            time.sleep(POLL_SECONDS)
            self._print_new()
            for name in sorted(running):
                code = self.processes[name].poll()
                if code == 0:
                    running.remove(name)
                elif code is not None and code < 0 and restarts[name] < RESTARTS:
                    restarts[name] += 1
                    self.console.print(
                        f"{name} was killed (signal {-code}); it starts again and resumes its"
                        " trial.",
                        markup=False,
                    )
                    self.processes[name].stdin.close()
                    self.start(name)
                elif code == INTERRUPTED:
                    raise KeyboardInterrupt
                elif code is not None:
                    raise TfsepganError(self._why(name, code))
            if running and (code := self.processes[CHIEF].poll()) is not None:
                raise TfsepganError(self._why(CHIEF, code))
        self._print_new()

    def _print_new(self) -> None:
        for record in read_records(self.directory):
            if record.trial not in self._printed:
                self._printed.add(record.trial)
                self.console.print(record_line(record), markup=False, highlight=False)

    def _why(self, name: str, code: int) -> str:
        often = "" if name == CHIEF else f" {RESTARTS + 1} times"
        ended = f"was killed (signal {-code}){often}" if code < 0 else f"ended with code {code}"
        lines = self.output(name).read_text(errors="replace").strip().splitlines()
        last = lines[-1] if lines else "it printed nothing"
        if code == -signal.SIGKILL:
            last = "the usual reason is too little memory; use fewer --workers"
        return (
            f"{name} {ended}: {last.rstrip('.')}. Its output is in {self.output(name)}; the same"
            " command resumes the search."
        )

    def end(self) -> None:
        """End all processes: workers save first; the chief's state is always on disk."""
        workers = [process for name, process in self.processes.items() if name != CHIEF]
        running = [process for process in workers if process.poll() is None]
        try:
            if running:
                self.console.print("Waiting for the workers to save.", markup=False)
            for process in running:
                process.terminate()
            deadline = time.monotonic() + STOP_SECONDS
            for process in running:
                with contextlib.suppress(subprocess.TimeoutExpired):
                    process.wait(max(0.1, deadline - time.monotonic()))
        except KeyboardInterrupt:  # a second Ctrl-C: the last checkpoints are good
            self.console.print("No longer waiting.", markup=False)
        finally:
            for process in self.processes.values():
                process.kill()  # does nothing where it has ended
                process.wait()
                with contextlib.suppress(OSError):
                    process.stdin.close()
