"""Counts the multiply-adds of a generator's layers per second of audio, from their weights.

    python tools/benchmarks/multiply_adds.py [--preset piano2d] [--generator.kind band_split] \\
        [any setting of ssepgan's generator]

A layer's kernel is used once per frame, and once per position of a frame where positions share it.
Transforms, norms, masks and activations are left out. A multiply-add is two operations: 0.4 G
multiply-adds are 0.8 GFLOP.
"""

import math
import os
import sys
from typing import NamedTuple

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np

from tfsepgan.layers.bands import BandDense, BandMerge, BandSplit
from tfsepgan.layers.time_frequency import FrequencyDense
from tfsepgan.layers.upsampling import UpsampledConv1D


class Count(NamedTuple):
    """One layer."""

    name: str
    shape: tuple  # of its output, without the batch
    weights: int
    products: int  # for each frame of its output


def products_of(layer: keras.layers.Layer, shape: tuple) -> int:
    """Multiply-adds of a layer per frame (or sample) of its output; 0 without a kernel.

    Args:
      shape: of its output.
    """
    if isinstance(layer, FrequencyDense):
        return 2 * math.prod(layer.squeeze.shape) * shape[-1]
    kernel = getattr(layer, "kernel", None)
    if kernel is None:
        return 0
    if isinstance(layer, UpsampledConv1D):  # computed at the lower rate
        return (2 * layer.reach + 1) * math.prod(kernel.shape[1:])
    if isinstance(
        layer, (BandSplit, BandDense, BandMerge)
    ):  # a kernel for each band, which a frame uses once
        return math.prod(kernel.shape)
    return math.prod(kernel.shape) * math.prod(shape[2:-1])


def counts(generator: keras.Model) -> list[Count]:
    """Every layer with a kernel, in the order of use."""
    found = []
    for layer in generator.layers:
        products = products_of(layer, layer.output.shape) if layer.weights else 0
        if products:
            found.append(
                Count(layer.name, tuple(layer.output.shape[1:]), layer.count_params(), products)
            )
    return found


def products_in(network: keras.Model, length: int) -> int:
    """Multiply-adds of one pass of a network over a window of `length` samples."""
    kernels = ("kernel", "squeeze")
    layers = [
        layer
        for layer in network.layers
        if any(getattr(layer, name, None) is not None for name in kernels)
    ]
    outputs = keras.Model(network.inputs, [layer.output for layer in layers])(
        np.zeros((1, length, 1), "float32"), training=False
    )
    outputs = outputs if isinstance(outputs, list) else [outputs]
    frames = [output.shape[1] if len(output.shape) > 2 else 1 for output in outputs]
    shapes = [output.shape for output in outputs]
    return sum(
        products_of(layer, shape) * count
        for layer, shape, count in zip(layers, shapes, frames, strict=True)
    )


def main() -> None:
    """Print the table."""
    from rich.console import Console
    from rich.table import Table

    from tfsepgan.cli.settings import parse
    from tfsepgan.cli.train import TrainOptions
    from tfsepgan.networks.table import build_generator, generator_entry

    arguments = sys.argv[1:] if "--preset" in sys.argv else ["--preset", "piano2d", *sys.argv[1:]]
    experiment, _ = parse(arguments, TrainOptions, program="multiply_adds.py", about=__doc__)
    config, rate = experiment.model.generator, experiment.data.sample_rate_hz
    generator = build_generator(config, sources=1, sample_rate_hz=rate)
    # of all layers but resnet's outer ones
    frames = rate / generator_entry(config.kind).hop(config)
    rows = counts(generator)
    total = sum(row.products for row in rows)
    title = (
        f"{config.kind}: {generator.count_params():,} weights, "
        f"{total / 1e6:.2f} M multiply-adds per frame, "
        f"{2 * total * frames / 1e9:.2f} GFLOP per second"
    )
    table = Table(title=title)
    for head in ("layer", "output", "weights", "M multiply-adds per frame", "share"):
        table.add_column(head, justify="left" if head == "layer" else "right")
    for row in rows:
        gives = " x ".join("frames" if size is None else str(size) for size in row.shape)
        table.add_row(
            row.name,
            gives,
            f"{row.weights:,}",
            f"{row.products / 1e6:.3f}",
            f"{row.products / total:.0%}",
        )
    Console(width=110).print(table)


if __name__ == "__main__":
    main()
