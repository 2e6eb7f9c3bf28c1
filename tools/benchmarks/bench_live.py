"""Measures how long a block takes while music plays, at the pace of a device.

    python tools/benchmarks/bench_live.py --model piano-live --minutes 60

Between blocks the program sleeps, so caches are as cold as in live use. `late` counts blocks whose
time exceeds their length. Times are those of the clock, and those of the processor, which other
work disturbs less. A virtual machine loses its processor to others now and then; the clock of
the processor cannot tell this from work. So the ten slowest blocks are listed with the time that
the host reports as stolen from all cores meanwhile (Linux, in steps of 10 ms). `--control` runs no
network: it only reads the clock for 3 ms in each block. Its slowest blocks show what the machine
itself takes away.
"""

import argparse
import json
import platform
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import psutil

from tfsepgan.separation.blas import shared_by
from tfsepgan.separation.live import open_stream

CONTROL_SECONDS = 0.003


def main(arguments: list[str] | None = None) -> None:
    """Measure one model and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", default="piano-live")
    parser.add_argument("--minutes", type=float, default=1.0)
    parser.add_argument("--channels", type=int, default=2)
    parser.add_argument("--block", type=int)
    parser.add_argument("--control", action="store_true", help="read the clock; no network")
    parser.add_argument("--output", type=Path)
    options = parser.parse_args(arguments)
    separator = open_stream(options.model, channels=options.channels, block=options.block)
    lasts = separator.block_samples / separator.sample_rate_hz
    shape = (separator.block_samples, separator.channels)
    noise = np.random.default_rng(0).normal(0, 0.1, shape).astype(np.float32)
    work = read_the_clock if options.control else lambda: separator.push(noise)
    with shared_by(1 << 16):
        wall, processor, stolen = times_of(work, lasts, minutes=options.minutes)
    slowest = np.argsort(wall)[::-1][:10]
    figures = {
        "model": "control" if options.control else options.model,
        "channels": options.channels,
        "block_samples": separator.block_samples,
        "block_ms": 1000 * lasts,
        "latency_ms": separator.latency_ms,
        "blocks": len(wall),
        "wall_ms": summary(wall),
        "processor_ms": summary(processor),
        "times_real_time": lasts / float(np.median(wall)),
        "late": int(np.count_nonzero(wall > lasts)),
        "slowest_ms": [
            {
                "minute": round(block * lasts / 60, 1),
                "wall": round(1000 * wall[block], 1),
                "processor": round(1000 * processor[block], 1),
                "stolen": round(1000 * stolen[block]),
            }
            for block in slowest
        ],
        "machine": platform.processor() or platform.machine(),
    }
    text = json.dumps(figures, indent=1)
    if options.output:
        options.output.write_text(text + "\n")
    print(text)


def read_the_clock() -> None:
    """Take the time of a block, with nothing to compute and nothing to load."""
    end = time.perf_counter() + CONTROL_SECONDS
    while time.perf_counter() < end:
        pass


def times_of(
    work: Callable[[], object], lasts: float, *, minutes: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return seconds of the clock, of the processor and stolen by the host, for each block."""
    count = max(1, round(60 * minutes / lasts))
    for _ in range(8):  # the first calls load libraries
        work()
    wall, processor, stolen = np.zeros(count), np.zeros(count), np.zeros(count)
    begun = time.perf_counter()
    for block in range(count):
        time.sleep(max(0.0, begun + block * lasts - time.perf_counter()))
        start_stolen = stolen_seconds()
        start, start_processor = time.perf_counter(), time.process_time()
        work()
        processor[block] = time.process_time() - start_processor
        wall[block] = time.perf_counter() - start
        stolen[block] = stolen_seconds() - start_stolen
    return wall, processor, stolen


def stolen_seconds() -> float:
    """Return how long the host has kept the cores of this virtual machine from it, so far."""
    return getattr(psutil.cpu_times(), "steal", 0.0)


def summary(seconds: np.ndarray) -> dict[str, float]:
    """Median, 99th percentile and longest time in milliseconds."""
    values = {"p50": np.median(seconds), "p99": np.percentile(seconds, 99), "worst": seconds.max()}
    return {name: round(1000 * float(value), 3) for name, value in values.items()}


if __name__ == "__main__":
    main()
