"""A search by several processes of this machine: keras-tuner's chief and its workers, started,
watched and ended together.

Each process has a folder of its own in `SEARCH/processes/`, with what it prints in `output.txt`.
None outlives the command,
however that ends: each holds on to a pipe and leaves, its run saved, when the other end of it is
  gone.
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
from tfsepgan.tuning.trials import Record, read_records
from tfsepgan.tuning.tuner import PROCESS, told_record

CHIEF = "chief"
PIPE = "TFSEPGAN_LEAVES_WITH_ITS_PIPE"
RESTARTS = 2  # of each worker that was killed, as by a machine that ran out of memory
LEAVING_SECONDS = 120  # for a step, a validation and a checkpoint
LOOK_SECONDS = 0.5
INTERRUPTED = 130


class Member(NamedTuple):
    """One process of a search."""

    name: str
    process: subprocess.Popen
    output: Path


def leave_with_the_pipe() -> None:
    """In a process that `search_with_workers` started: stop, as if asked to, once the command is
    gone."""
    if PIPE not in os.environ:
        return

    def wait() -> None:
        with contextlib.suppress(OSError):
            while os.read(0, 1024):  # not sys.stdin, whose lock Python wants at the end
                pass
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=wait, daemon=True).start()


def search_with_workers(
    command: Sequence[str], directory: Path, *, workers: int, threads: int | None, console: Console
) -> None:
    """Run a search by a chief and workers until it is over.

    Args:
      command: what each process runs; its surroundings tell it which one it is.
      directory: the search's; held by the caller.
      workers: how many trials at a time.
      threads: for each worker; by default they share the cores.
      console: told of each trial that ends.
    Raises: KeyboardInterrupt after Ctrl-C or SIGTERM, when all have saved and left; TfsepganError
      when one had an error.
    """
    _wait_for_leavers(directory)
    threads = threads or max(1, _cores() // workers)
    port = _free_port()
    team: dict[str, Member] = {}

    def start(name: str) -> None:
        team[name] = _start(command, directory, name, port=port, threads=threads)

    previous = signal.signal(signal.SIGTERM, _interrupt) if _in_main_thread() else None
    try:
        for name in (CHIEF, *(f"worker{number}" for number in range(workers))):
            start(name)
        _watch(team, start, _teller(directory, console), console)
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


def _wait_for_leavers(directory: Path) -> None:
    """Let processes of a command that was killed save and leave."""
    deadline = time.monotonic() + LEAVING_SECONDS
    for folder in directory.glob("processes/*/"):
        while True:
            try:
                hold(folder)
                break
            except CheckpointError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(LOOK_SECONDS)
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
        "TF_FORCE_GPU_ALLOW_GROWTH": "true",  # several share one
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
        )  # a session of its own: Ctrl-C reaches the command alone, which then asks each to stop
    return Member(name, process, output)


def _teller(directory: Path, console: Console) -> Callable[[], None]:
    """Prints each record that is new since the last call."""
    known = {record.trial for record in read_records(directory)}

    def tell() -> None:
        fresh: list[Record] = [
            record for record in read_records(directory) if record.trial not in known
        ]
        for record in fresh:
            known.add(record.trial)
            console.print(told_record(record), markup=False, highlight=False)

    return tell


def _watch(
    team: dict[str, Member],
    start: Callable[[str], None],
    tell: Callable[[], None],
    console: Console,
) -> None:
    """Until every worker has ended well."""
    restarts = dict.fromkeys(team, 0)
    at_work = {name for name in team if name != CHIEF}
    while at_work:
        time.sleep(LOOK_SECONDS)
        tell()
        for name in sorted(at_work):
            code = team[name].process.poll()
            if code == 0:
                at_work.remove(name)
            elif code is not None and code < 0 and restarts[name] < RESTARTS:
                restarts[name] += 1
                console.print(
                    f"{name} was killed (signal {-code}); it starts again and goes on.",
                    markup=False,
                )
                team[name].process.stdin.close()
                start(name)
            elif code == INTERRUPTED:
                raise KeyboardInterrupt
            elif code is not None:
                raise TfsepganError(_why(team[name], code))
        if at_work and team[CHIEF].process.poll() is not None:
            raise TfsepganError(_why(team[CHIEF], team[CHIEF].process.returncode))
    tell()


def _why(member: Member, code: int) -> str:
    ended = (
        f"was killed (signal {-code}) again and again" if code < 0 else f"ended with code {code}"
    )
    lines = member.output.read_text(errors="replace").strip().splitlines() or ["it said nothing"]
    last = (
        "too little memory is the usual reason; take fewer --workers"
        if code == -signal.SIGKILL
        else lines[-1]
    )
    return (
        f"{member.name} {ended}: {last.rstrip('.')}. Its output is in {member.output}; the same"
        " command goes on with the search."
    )


def _end(team: dict[str, Member], console: Console) -> None:
    """End what still runs: workers save first, the chief has all on disk already."""
    left = [
        member for member in team.values() if member.name != CHIEF and member.process.poll() is None
    ]
    try:
        if left:
            console.print("Waiting for the workers to save.", markup=False)
            _ask(left)
    except KeyboardInterrupt:  # asked again: their last checkpoints are good
        console.print("Not waiting any longer.", markup=False)
    finally:
        for member in team.values():
            if member.process.poll() is None:
                member.process.kill()
            member.process.wait()
            with contextlib.suppress(OSError):
                member.process.stdin.close()


def _ask(members: Sequence[Member]) -> None:
    for member in members:
        with contextlib.suppress(ProcessLookupError):
            member.process.send_signal(signal.SIGTERM)
    deadline = time.monotonic() + LEAVING_SECONDS
    for member in members:
        with contextlib.suppress(subprocess.TimeoutExpired):
            member.process.wait(max(0.1, deadline - time.monotonic()))
