"""Measures a training step beside a matrix product, and the input pipeline beside the step.

    python tools/benchmarks/bench_train_step.py [--preset piano] [--data DIR] \\
        [--precision float32] [--batch 8] [--steps 20] [--operations 12]

Counts the multiplications and additions of every layer with a kernel (dense and convolution,
forward and both gradients; not windows, transforms, masks, normalisation or the optimizers), times
the compiled step, and a matrix product before and after it. With --data it also times the input
pipeline alone. The last table is TensorFlow's profile by operation.
"""

import argparse
import os
import statistics
import time
from dataclasses import replace

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import tensorflow as tf
from multiply_adds import products_in
from rich.console import Console
from rich.table import Table

from tfsepgan import systems
from tfsepgan.data.batches.pipeline import training_batches
from tfsepgan.data.recordings.opening import open_catalogue

PEAK_SIDE = 4096  # of the square matrices whose product is the peak


def matrix_product_gflops(dtype: str, runs: int = 5) -> float:
    """Best of several large matrix products, GFLOP/s."""
    matrix = tf.cast(tf.random.normal((PEAK_SIDE, PEAK_SIDE)), dtype)
    multiply = tf.function(lambda a: tf.matmul(a, a))
    return 2 * PEAK_SIDE**3 / min(seconds(lambda: multiply(matrix).numpy(), runs)) / 1e9


def seconds(work, runs: int) -> list[float]:
    """Seconds of each run, after two uncounted ones."""
    work(), work()
    taken = []
    for _ in range(runs):
        start = time.perf_counter()
        work()
        taken.append(time.perf_counter() - start)
    return taken


def forward_gflop(network: keras.Model, windows: int, length: int) -> float:
    """Operations of one pass of a network over `windows` windows, in GFLOP."""
    return 2 * products_in(network, length) * windows / 1e9


def step_gflop(system) -> float:
    """GFLOP of one S-SepGAN step; forward pass and the two gradients cost the same each."""
    config, data = system.config, system.experiment.data
    alone = max(1, round(config.identity_share * data.batch)) if config.identity_weight else 0
    generator = 3 * forward_gflop(system.generator, data.batch + alone, data.window)
    if not system.plays:
        return generator
    scored = forward_gflop(
        system.discriminator, data.batch * len(system.sources), system.crop_length
    )
    return generator + 3 * 3 * scored * config.discriminator_steps + 2 * scored


def profile(step, batch, operations: int) -> list[tuple[str, float]]:
    """Milliseconds of a step in each operation, summed over threads, longest first."""
    import collections
    import glob
    import tempfile

    from tensorflow.tsl.profiler.protobuf import xplane_pb2

    with tempfile.TemporaryDirectory() as folder:
        tf.profiler.experimental.start(folder)
        step(batch)
        tf.profiler.experimental.stop()
        space = xplane_pb2.XSpace()
        (path,) = glob.glob(f"{folder}/**/*.xplane.pb", recursive=True)
        with open(path, "rb") as file:
            space.ParseFromString(file.read())
    spent = collections.Counter()
    for plane in space.planes:
        names = {key: value.name for key, value in plane.event_metadata.items()}
        for line in plane.lines:
            for event in line.events:
                name, colon, kind = names[event.metadata_id].rpartition(":")
                if colon and kind.isidentifier():
                    spent[kind] += event.duration_ps / 1e9
    return spent.most_common(operations)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--preset", default="piano")
    parser.add_argument("--data")
    parser.add_argument("--precision", choices=("float32", "mixed_bfloat16"))
    parser.add_argument("--batch", type=int)
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("--operations", type=int, default=12)
    options = parser.parse_args()
    console = Console()

    experiment = systems.preset("ssepgan", options.preset)
    precision = options.precision or experiment.training.precision
    experiment = replace(experiment, training=replace(experiment.training, precision=precision))
    if options.batch:
        experiment = replace(experiment, data=replace(experiment.data, batch=options.batch))
    keras.config.set_dtype_policy(precision)
    system = systems.build(experiment)
    system.compile()
    keras.config.set_dtype_policy("float32")
    data = experiment.data
    batch = {
        "mixture": 0.1 * tf.random.normal((data.batch, data.window, 1)),
        "sources": 0.1 * tf.random.normal((data.batch, len(data.sources), data.window, 1)),
    }
    step = tf.function(system.train_step)
    gflop = step_gflop(system)
    peaks = {kind: matrix_product_gflops(kind) for kind in ("float32", "bfloat16")}
    taken = statistics.median(
        seconds(lambda: [float(x) for x in step(batch).values()], options.steps)
    )
    peaks = {kind: max(peak, matrix_product_gflops(kind)) for kind, peak in peaks.items()}

    audio = data.batch * data.window / data.sample_rate_hz
    console.print(
        f"{options.preset}, {precision}, TensorFlow {tf.__version__}: "
        f"{taken * 1e3:.0f} ms per step (median of {options.steps}), "
        f"{data.batch / taken:.1f} windows/s, {audio / taken:.0f} x real time, "
        f"{gflop:.1f} GFLOP per step, "
        f"{gflop / taken:.0f} GFLOP/s"
    )
    for kind, peak in peaks.items():
        console.print(
            f"matrix product {kind}: {peak:.0f} GFLOP/s; "
            f"the step reaches {gflop / taken / peak:.0%} of it"
        )
    if options.data:
        batches = iter(training_batches(open_catalogue(options.data, data.sources), data))
        alone = statistics.median(seconds(lambda: [next(batches) for _ in range(20)], 5)) / 20
        console.print(
            f"input pipeline alone: {alone * 1e3:.1f} ms per batch, "
            f"{audio / alone:.0f} x real time, {taken / alone:.1f} x the step"
        )
    table = Table("operation", "ms per step, summed over threads", title="TensorFlow's profile")
    for name, milliseconds in profile(step, batch, options.operations):
        table.add_row(name, f"{milliseconds:.1f}")
    console.print(table)


if __name__ == "__main__":
    main()
