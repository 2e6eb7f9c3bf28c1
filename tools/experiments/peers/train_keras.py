"""Trains a network of this package as `train_torch.py` trains those of the peers.

    python tools/experiments/peers/train_keras.py --preset piano --minutes 60 \\
        --windows data/alike --output runs/alike/piano [--generator.channels 256 ...]

The network is that of a preset of S-SepGAN, as are its `--generator` flags; trained without an
adversary. The training can be interrupted, and goes on when it is started again.
"""

import argparse
import os
from dataclasses import replace

import keras
import numpy as np
import tensorflow as tf
import yaml
from alike import (
    CLIP_NORM,
    LOSS_WEIGHT,
    Budget,
    Windows,
    common_flags,
    train_until_spent,
    write_estimates,
)

from tfsepgan.networks.table import build_generator
from tfsepgan.settings.ssepgan import PRESETS

BATCH, RATE_HZ = 8, 44100


def build(options: argparse.Namespace, flags: list[str]) -> keras.Model:
    """The generator of a preset, with the settings of `--generator.NAME VALUE` flags."""
    config = PRESETS[options.preset].model.generator
    for name, value in zip(flags[::2], flags[1::2], strict=True):
        if not name.startswith("--generator."):
            raise SystemExit(f"got {name}; wanted --generator.NAME VALUE")
        config = replace(
            config, **{name.removeprefix("--generator.").replace("-", "_"): yaml.safe_load(value)}
        )
    return build_generator(config, sources=1, sample_rate_hz=RATE_HZ)


def train(options: argparse.Namespace, flags: list[str]) -> None:
    """Train a network until its time is over; then separate."""
    keras.utils.set_random_seed(options.seed)
    tf.config.threading.set_intra_op_parallelism_threads(options.threads)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    windows, network = Windows(options.windows, batch=BATCH), build(options, flags)
    optimizer = keras.optimizers.Adam(global_clipnorm=CLIP_NORM)
    optimizer.build(network.trainable_variables)
    options.output.mkdir(parents=True, exist_ok=True)
    saved, step, spent = options.output / "state.npz", 0, 0.0
    variables = [*network.variables, *optimizer.variables]
    if saved.exists():
        with np.load(saved) as state:
            step, spent = int(state["step"]), float(state["spent"])
            for number, variable in enumerate(variables):
                variable.assign(state[f"variable_{number}"])

    def save(step: int, spent: float) -> None:
        arrays = {f"variable_{at}": one.numpy() for at, one in enumerate(variables)}
        partial = saved.with_suffix(".partial.npz")
        np.savez(partial, **arrays, step=step, spent=spent)
        os.replace(partial, saved)

    @tf.function
    def update(mixture, source):
        with tf.GradientTape() as tape:
            estimate = network(mixture[..., None], training=True)[:, 0, :, 0]
            loss = LOSS_WEIGHT * tf.reduce_mean(tf.square(estimate - source))
        gradients = tape.gradient(loss, network.trainable_variables)
        optimizer.apply_gradients(zip(gradients, network.trainable_variables, strict=True))
        return loss

    def learn(mixture: np.ndarray, source: np.ndarray, learning_rate: float) -> float:
        optimizer.learning_rate = learning_rate
        return float(update(tf.constant(mixture), tf.constant(source)))

    facts = {
        "network": options.name or options.preset,
        "seed": options.seed,
        "parameters": network.count_params(),
        **train_until_spent(learn, save, windows, Budget(options.minutes, spent), step),
    }
    run = tf.function(lambda mixtures: network(mixtures[..., None], training=False)[:, 0, :, 0])
    write_estimates(
        options.windows, options.output, lambda some: run(tf.constant(some)).numpy(), facts
    )


def main() -> None:
    """Read the command line and train."""
    parser = common_flags(__doc__)
    parser.add_argument("--preset", choices=PRESETS, default="piano")
    parser.add_argument("--name", help="in the table; default: the preset")
    train(*parser.parse_known_args())


if __name__ == "__main__":
    main()
