"""Measures the input pipeline with each reader: seconds of mixtures per second, and processor time.

    python tools/benchmarks/bench_pipeline.py [--data DIR] [--sample-rate-hz 44100] \\
        [--window 131072] [--batch 8] [--batches 60] [--augment none|cached|light|full]

Without --data it writes noise as one target and six other instruments into a temporary folder. For
comparison there is the simplest loop: soundfile reads one window after the other, without mixing or
batching. Each is run three times, in turn, so that other load on the machine affects all of them;
the fastest run counts.
"""

import argparse
import dataclasses
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import soundfile
from rich.console import Console
from rich.table import Table

from tfsepgan.config import AUGMENTATIONS, AugmentConfig, DataConfig
from tfsepgan.data.batches.draws import draw_plan
from tfsepgan.data.batches.pipeline import PARALLEL_BATCHES, PREFETCHED_BATCHES, training_batches
from tfsepgan.data.batches.readers import READERS, choose_reader
from tfsepgan.data.batches.streams import open_pool
from tfsepgan.data.recordings.catalogue import scan
from tfsepgan.errors import ConfigError

REPEATS = 3
AUGMENTED = {
    "none": {},
    "cached": {
        "variants": 4,
        "augment": AugmentConfig(polarity=0.5),
    },  # speed, equaliser, room, limits: once, in the cache
    "light": {"augment": AugmentConfig(polarity=0.5, equaliser=0.5)},
    "full": {
        "augment": AugmentConfig(**dict.fromkeys(AUGMENTATIONS, 1.0))
    },  # everything, on every window
}


def write_noise(directory: Path, sample_rate_hz: int) -> None:
    """Write four minutes of noise for a target and for each of six other instruments."""
    rng = np.random.default_rng(0)
    for folder in ("piano", *(f"rest/instrument{number}" for number in range(6))):
        (directory / "train" / folder).mkdir(parents=True)
        noise = rng.normal(scale=0.1, size=240 * sample_rate_hz)
        soundfile.write(directory / "train" / folder / "noise.wav", noise, sample_rate_hz)


def measure(work: Callable[[], None], seconds: float) -> tuple[float, float]:
    """Time the work for some seconds of audio: x real time, and processor s per hour of audio."""
    wall, processor = time.perf_counter(), time.process_time()
    work()
    wall, processor = time.perf_counter() - wall, time.process_time() - processor
    return seconds / wall, processor / seconds * 3600


def take(batches, count: int) -> Callable[[], Callable[[], None]]:
    """Take the batches that a started pipeline made ahead; gives the work: to take some more."""
    iterator = iter(batches)
    next(iterator)

    def draw(number: int) -> None:
        for _ in range(number):
            next(iterator)

    def prepare() -> Callable[[], None]:
        draw(PREFETCHED_BATCHES + PARALLEL_BATCHES)
        return lambda: draw(count)

    return prepare


def plain_loop(pool, config: DataConfig, count: int) -> Callable[[], Callable[[], None]]:
    """The same for a loop that reads the windows with soundfile, one after the other."""

    def work() -> None:
        for step in range(count):
            draws = draw_plan(pool, config, step).draws
            for number, start, frames in zip(
                draws.recording, draws.start, draws.count, strict=True
            ):
                path = str(pool.recordings[number].path)
                soundfile.read(path, start=int(start), frames=int(frames), dtype="float32")

    return lambda: work


def main() -> None:
    """Measure every reader that works on this machine and show a table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--data", help="data folder; default: noise in a temporary folder")
    parser.add_argument("--cache", help="cache folder; default: a temporary one")
    parser.add_argument("--sample-rate-hz", type=int, default=44100)
    parser.add_argument("--window", type=int, default=131072)
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--batches", type=int, default=60)
    parser.add_argument(
        "--augment", choices=tuple(AUGMENTED), default="none", help="augmentation of the windows"
    )
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        data = Path(options.data or temporary)
        if not options.data:
            write_noise(data, options.sample_rate_hz)
        config = DataConfig(
            data=str(data),
            cache=options.cache or f"{temporary}/cache",
            sample_rate_hz=options.sample_rate_hz,
            window=options.window,
            batch=options.batch,
            law="snr",
            **AUGMENTED[options.augment],
        )
        show(bench(config, options.batches), config)


def bench(config: DataConfig, count: int) -> dict[str, list[tuple[float, float]]]:
    """Measure every reader that works on this machine, and the plain loop."""
    catalogue = scan(config.data, sources=config.sources)
    works = {"plain loop, soundfile": plain_loop(open_pool(catalogue, config), config, count)}
    for reader in READERS:
        try:
            choose_reader(reader)
        except ConfigError:
            continue
        works[f"pipeline, {reader}"] = take(
            training_batches(catalogue, dataclasses.replace(config, reader=reader)), count
        )
    seconds = count * config.batch * config.window / config.sample_rate_hz
    results: dict[str, list[tuple[float, float]]] = {name: [] for name in works}
    for _ in range(REPEATS):
        for name, prepare in works.items():
            results[name].append(measure(prepare(), seconds))
            time.sleep(1)  # until no thread works ahead during the next measurement
    return results


def show(results: dict[str, list[tuple[float, float]]], config: DataConfig) -> None:
    """Print the table."""
    title = (
        f"{config.batch} windows of {config.window} samples at {config.sample_rate_hz} Hz, "
        "1 to 3 others"
    )
    table = Table("", "x real time", "processor s per hour of mixtures", title=title)
    for name, runs in results.items():
        table.add_row(
            name, f"{max(run[0] for run in runs):.0f}", f"{min(run[1] for run in runs):.2f}"
        )
    Console(width=110).print(table)


if __name__ == "__main__":
    main()
