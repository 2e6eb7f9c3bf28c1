"""Memory and processor time of a process and of its workers, from /proc."""

import resource
import time
from collections.abc import Iterator
from pathlib import Path

LEAST_SECONDS = 60.0  # of a process whose memory is compared


class Memory:
    """Resident memory of a process and of its children, sampled while they live."""

    def __init__(self) -> None:
        self.samples: dict[int, list[tuple[float, float]]] = {}

    def sample(self, number: int) -> list[int]:
        """Note the memory now; returns the numbers of the children."""
        children = children_of(number)
        for one in (number, *children):
            status = status_of(one)
            if "VmRSS" in status:
                megabytes = int(status["VmRSS"].split()[0]) / 1024
                self.samples.setdefault(one, []).append((time.monotonic(), megabytes))
        return children

    def halves(self) -> Iterator[tuple[float, float]]:
        """The highest memory in the first and in the second half of each life, in MB."""
        for samples in self.samples.values():
            (first, _), (last, _) = samples[0], samples[-1]
            if last - first >= LEAST_SECONDS:
                middle = (first + last) / 2
                early, late = (
                    max(size for at, size in samples if (at <= middle) == is_early)
                    for is_early in (True, False)
                )
                yield early, late


def status_of(number: int) -> dict[str, str]:
    """The facts of /proc on a process; empty when it is gone."""
    try:
        text = Path(f"/proc/{number}/status").read_text()
    except OSError:
        return {}
    return dict(line.split(":\t", 1) for line in text.splitlines() if ":\t" in line)


def children_of(number: int) -> list[int]:
    """Worker processes of a process: its children that spawned to work."""
    found = []
    for place in Path("/proc").glob("[0-9]*"):
        status = status_of(int(place.name))
        if status.get("PPid", "").strip() == str(number):
            try:
                called = (place / "cmdline").read_bytes()
                is_worker = b"spawn_main" in called or b"sdk_worker" in called
            except OSError:
                continue
            found += [int(place.name)] if is_worker else []
    return found


def children_seconds() -> float:
    """Processor time of all processes that were started here and have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
