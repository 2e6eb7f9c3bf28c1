"""Keeps a model server busy for half an hour; its memory and latency must stay flat.

    python tools/checks/soak_service.py [--minutes 30] [--recordings 24] [--clients 1] [--seed 0]
        [--model exported_models/piano] [--json FILE]

Starts the server of `tests/doubles`, or TF Serving itself with `--binary`. As many clients with
gRPC as with REST separate the same recordings of 1 to 5 s in turn. A client sends the next
recording as soon as it has the stems of the last one, so the server is never idle. Every result
must equal the first result of the same recording in every bit.

Prints a line for each minute: recordings, latency, processor time, memory, open files and threads
of server and client. The exit code is 1 when a request fails, a result differs, or one of these is
not flat. The first five minutes warm up; "first" and "last" are five minutes of the others:

- memory of server and client: its line of least squares rises by at most 2 % over what follows the
  warm-up;
- latency: the median of the minutes' p50, and of their p99, is in the last five minutes at most
  1.2 times that of the first five;
- processor time of a recording: likewise;
- open files and threads: their median in the last minutes is not above that of the first ones.
"""

import argparse
import json
import os
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np
from watched_processes import status_of

from tfsepgan.audio.decoding import decode
from tfsepgan.data.recordings.demo import demo_directory
from tfsepgan.errors import TfsepganError
from tfsepgan.serving.separator import connect

sys.path[:0] = [str(Path(__file__).parents[2] / "tests" / "doubles")]
from loopback_process import ServerProcess  # noqa: E402

WARM_UP = 5  # minutes
COMPARED = 5  # minutes at each end
SLOWER = 1.2  # of the last minutes, relative to the first
RISE = 0.02  # of memory
SHORTEST_SECONDS, LONGEST_SECONDS = 1.0, 5.0
CLIENT, SERVER = "client", "server"


@dataclass(frozen=True)
class Process:
    """The figures of /proc on a process."""

    megabytes: float
    files: int
    threads: int
    seconds: float
    """Processor time."""

    @classmethod
    def now(cls, number: int) -> "Process":
        place, status = Path("/proc", str(number)), status_of(number)
        ticks = (place / "stat").read_text().rpartition(")")[2].split()[11:13]
        return cls(
            megabytes=int(status["VmRSS"].split()[0]) / 1024,
            files=len(list((place / "fd").iterdir())),
            threads=int(status["Threads"]),
            seconds=sum(map(int, ticks)) / 100,  # USER_HZ of Linux
        )


@dataclass(frozen=True, kw_only=True)
class Minute:
    """What happened in a minute, and the processes at its end."""

    recordings: int
    p50: float
    """Seconds of a recording."""
    p99: float
    longest: float
    processor_seconds: float
    """Of both processes, for a recording."""
    server: Process
    client: Process


@dataclass
class Load:
    """Clients that separate recordings in turn until they are told to stop."""

    music: Sequence[np.ndarray]
    rate_hz: int
    seconds: list[float] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    first: dict[int, dict[str, np.ndarray]] = field(default_factory=dict)
    stop: threading.Event = field(default_factory=threading.Event)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def run(self, separator, start: int) -> None:
        """Work of one client, from one of the recordings on."""
        number = start
        while not self.stop.is_set():
            index = number % len(self.music)
            began = time.monotonic()
            try:
                stems = separator.separate(self.music[index], self.rate_hz)
            except TfsepganError as error:
                self.note(str(error))
                continue
            took = time.monotonic() - began
            with self.lock:
                self.seconds.append(took)
                first = self.first.setdefault(index, stems)
            if any(not np.array_equal(first[name], stem) for name, stem in stems.items()):
                self.note(f"recording {index} is not separated as before")
            number += 1

    def note(self, fault: str) -> None:
        with self.lock:
            self.faults.append(fault)

    def taken(self) -> list[float]:
        """The latencies since the last call, sorted."""
        with self.lock:
            taken, self.seconds = sorted(self.seconds), []
        return taken


def pieces(count: int, rate_hz: int, seed: int) -> list[np.ndarray]:
    """Pieces of the packaged recordings `[time, channels]`, with one or two channels."""
    random = np.random.default_rng(seed)
    whole = [
        decode(one, rate_hz)[:, 0] for one in sorted((demo_directory() / "test").rglob("*.ogg"))
    ]
    found = []
    for number in range(count):
        length = round(rate_hz * random.uniform(SHORTEST_SECONDS, LONGEST_SECONDS))
        channels = [np.resize(whole[random.integers(len(whole))], length)] * (1 + number % 2)
        found.append(np.stack(channels, axis=1))
    return found


def watched(load: Load, server: ServerProcess, minutes: int) -> list[Minute]:
    """One line for each minute."""
    numbers = {SERVER: server.number, CLIENT: os.getpid()}
    last = {name: Process.now(number) for name, number in numbers.items()}
    lines = []
    for number in range(1, minutes + 1):
        time.sleep(60.0)
        now = {name: Process.now(one) for name, one in numbers.items()}
        taken = load.taken() or [float("inf")]
        used = sum(now[name].seconds - last[name].seconds for name in numbers)
        lines.append(
            Minute(
                recordings=len(taken),
                p50=taken[len(taken) // 2],
                p99=taken[min(len(taken) - 1, int(0.99 * len(taken)))],
                longest=taken[-1],
                processor_seconds=used / len(taken),
                **now,
            )
        )
        last = now
        print_minute(number, lines[-1])
    return lines


def print_minute(number: int, one: Minute) -> None:
    latency = f"{one.p50:.3f} {one.p99:.3f} {one.longest:.3f} s"
    processes = (
        f"{name} {process.megabytes:.1f} MB, {process.files} files, {process.threads} threads"
        for name, process in ((SERVER, one.server), (CLIENT, one.client))
    )
    print(
        f"minute {number}: {one.recordings} recordings; p50 p99 max {latency};"
        f" {1000 * one.processor_seconds:.0f} ms of processor time; {'; '.join(processes)}",
        flush=True,
    )


def faults_of(minutes: Sequence[Minute]) -> list[str]:
    """What is not flat, by the rules above."""
    kept, faults = minutes[WARM_UP:], []
    for name in (SERVER, CLIENT):
        processes = [getattr(one, name) for one in kept]
        size = np.array([one.megabytes for one in processes])
        slope, _ = np.polyfit(np.arange(len(size)), size, 1)
        rise = slope * (len(size) - 1) / size.mean()
        print(f"{name}: memory rises by {100 * slope / size.mean() * 60:.2f} % an hour")
        if rise > RISE:
            faults.append(f"memory of the {name} rises by {100 * rise:.1f} %")
        for what in ("files", "threads"):
            every = [getattr(one, what) for one in processes]  # pools start and end threads
            begin, end = np.median(every[:COMPARED]), np.median(every[-COMPARED:])
            if end > begin:
                faults.append(f"{what} of the {name}: {begin:g}, at the end {end:g}")
    for what in ("p50", "p99", "processor_seconds"):
        every = [getattr(one, what) for one in kept]
        begin, end = np.median(every[:COMPARED]), np.median(every[-COMPARED:])
        print(f"{what}: {begin:.3f} s in the first minutes, {end:.3f} s in the last")
        if end > SLOWER * begin:
            faults.append(f"{what} is {end / begin:.2f} times that of the first minutes")
    return faults


def soak(options: argparse.Namespace) -> tuple[list[Minute], list[str]]:
    """Start server and clients, and watch them; returns the minutes, and what failed."""
    manifest = json.loads((options.model / "manifest.json").read_text())
    name, rate_hz = manifest["name"], manifest["sample_rate_hz"]
    load = Load(pieces(options.recordings, rate_hz, options.seed), rate_hz)
    with ServerProcess(name, options.model, binary=options.binary) as server:
        separators = [
            connect(f"127.0.0.1:{port}", name, rest=rest, parallel=1)
            for rest, port in enumerate((server.port, server.rest_port))
            for _ in range(options.clients)
        ]
        threads = [
            threading.Thread(target=load.run, args=(one, 5 * index))
            for index, one in enumerate(separators)
        ]
        for one in threads:
            one.start()
        try:
            minutes = watched(load, server, options.minutes)
        finally:
            load.stop.set()
            for one in threads:
                one.join()
            for one in separators:
                one.close()
    return minutes, load.faults


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--model", type=Path, default=Path("exported_models/piano"))
    parser.add_argument("--minutes", type=int, default=30)
    parser.add_argument("--recordings", type=int, default=24)
    parser.add_argument("--clients", type=int, default=1, help="with gRPC, and as many with REST")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--binary", action="store_true", help="TF Serving itself")
    parser.add_argument("--json", type=Path, help="file for the figures")
    options = parser.parse_args()
    if options.minutes < WARM_UP + 2 * COMPARED:
        parser.error(f"--minutes must be at least {WARM_UP + 2 * COMPARED}")
    minutes, faults = soak(options)
    if options.json:
        options.json.write_text(json.dumps([asdict(one) for one in minutes], indent=1))
    faults += faults_of(minutes)
    for fault in faults:
        print(f"FAULT: {fault}")
    print(f"{sum(one.recordings for one in minutes)} recordings, {len(faults)} faults")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
