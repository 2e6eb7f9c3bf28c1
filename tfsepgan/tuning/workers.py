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
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from rich.console import Console

from tfsepgan.errors import CheckpointError, TfsepganError
from tfsepgan.training.lock import hold, let_go
from tfsepgan.tuning.records import Record, read_records
from tfsepgan.tuning.tuner import PROCESS, record_line

CHIEF = "chief"
PIPE = "TFSEPGAN_LEAVES_WITH_ITS_PIPE"
RESTARTS = 2  # of each worker that is killed, for example when memory runs out
STOP_SECONDS = 120  # for a step, a validation and a checkpoint
POLL_SECONDS = 0.5
INTERRUPTED = 130


class Member(NamedTuple):
    """One process of a search."""

    name: str
    process: subprocess.Popen
    output: Path


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
    threads = threads or max(1, _cores() // workers)
    port = _free_port()
    team: dict[str, Member] = {}

    def start(name: str) -> None:
        team[name] = _start(command, directory, name, port=port, threads=threads)

    previous = signal.signal(signal.SIGTERM, _interrupt) if _in_main_thread() else None
    try:
        for name in (CHIEF, *(f"worker{number}" for number in range(workers))):
            start(name)
        _watch(team, start, _printer(directory, console), console)
    finally:
        _end(team, console)
        if previous is not None:
            signal.signal(signal.SIGTERM, previous)


def _in_main_thread() -> bool:
    return threading.current_thread() is threading.main_thread()


def _interrupt(number, frame):
    raise KeyboardInterrupt


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


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


def _start(
    command: Sequence[str], directory: Path, name: str, *, port: int, threads: int
) -> Member:
    folder = directory / "processes" / name
    folder.mkdir(parents=True, exist_ok=True)
    local = ",".join(filter(None, (os.environ.get("no_proxy"), "127.0.0.1")))
    environment = {
        **os.environ,
        PROCESS: name,
        "KERASTUNER_ORACLE_IP": "127.0.0.1",
        "KERASTUNER_ORACLE_PORT": str(port),
        PIPE: "1",
        **{
            key: str(threads)
            for key in ("TF_NUM_INTRAOP_THREADS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS")
        },
        "TF_NUM_INTEROP_THREADS": "1",
        "TF_FORCE_GPU_ALLOW_GROWTH": "true",  # several processes share one
        "PYTHONUNBUFFERED": "1",
        "no_proxy": local,
        "no_grpc_proxy": local,
    }
    output = folder / "output.txt"
    with open(output, "ab") as file:
        process = subprocess.Popen(
            list(command),
            stdin=subprocess.PIPE,
            stdout=file,
            stderr=subprocess.STDOUT,
            env=environment,
            start_new_session=True,
        )  # its own session: Ctrl-C reaches only the command, which then stops each process
    return Member(name, process, output)


def _printer(directory: Path, console: Console) -> Callable[[], None]:
    """A function that prints the records that are new since its last call."""
    known = {record.trial for record in read_records(directory)}

    def print_new() -> None:
        new: list[Record] = [
            record for record in read_records(directory) if record.trial not in known
        ]
        for record in new:
            known.add(record.trial)
            console.print(record_line(record), markup=False, highlight=False)

    return print_new


def _watch(
    team: dict[str, Member],
    start: Callable[[str], None],
    print_new: Callable[[], None],
    console: Console,
) -> None:
    """Wait until every worker has ended without an error."""
    restarts = dict.fromkeys(team, 0)
    running = {name for name in team if name != CHIEF}
    while running:
        time.sleep(POLL_SECONDS)
        print_new()
        for name in sorted(running):
            code = team[name].process.poll()
            if code == 0:
                running.remove(name)
            elif code is not None and code < 0 and restarts[name] < RESTARTS:
                restarts[name] += 1
                console.print(
                    f"{name} was killed (signal {-code}); it starts again and resumes its trial.",
                    markup=False,
                )
                team[name].process.stdin.close()
                start(name)
            elif code == INTERRUPTED:
                raise KeyboardInterrupt
            elif code is not None:
                raise TfsepganError(_why(team[name], code))
        if running and team[CHIEF].process.poll() is not None:
            raise TfsepganError(_why(team[CHIEF], team[CHIEF].process.returncode))
    print_new()


def _why(member: Member, code: int) -> str:
    often = "" if member.name == CHIEF else f" {RESTARTS + 1} times"
    ended = f"was killed (signal {-code}){often}" if code < 0 else f"ended with code {code}"
    lines = member.output.read_text(errors="replace").strip().splitlines() or ["it printed nothing"]
    last = (
        "the usual reason is too little memory; use fewer --workers"
        if code == -signal.SIGKILL
        else lines[-1]
    )
    return (
        f"{member.name} {ended}: {last.rstrip('.')}. Its output is in {member.output}; the same"
        " command resumes the search."
    )


def _end(team: dict[str, Member], console: Console) -> None:
    """End all processes: workers save first; the chief's state is always on disk."""
    still_running = [
        member for member in team.values() if member.name != CHIEF and member.process.poll() is None
    ]
    try:
        if still_running:
            console.print("Waiting for the workers to save.", markup=False)
            _stop(still_running)
    except KeyboardInterrupt:  # a second Ctrl-C: the last checkpoints are good
        console.print("No longer waiting.", markup=False)
    finally:
        for member in team.values():
            if member.process.poll() is None:
                member.process.kill()
            member.process.wait()
            with contextlib.suppress(OSError):
                member.process.stdin.close()


def _stop(members: Sequence[Member]) -> None:
    """Send SIGTERM and wait until the processes have saved."""
    for member in members:
        with contextlib.suppress(ProcessLookupError):
            member.process.send_signal(signal.SIGTERM)
    deadline = time.monotonic() + STOP_SECONDS
    for member in members:
        with contextlib.suppress(subprocess.TimeoutExpired):
            member.process.wait(max(0.1, deadline - time.monotonic()))
