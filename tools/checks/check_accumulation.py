"""Checks that a batch computed in parts gives the weights of the whole batch, for every system.

    python tools/checks/check_accumulation.py [SYSTEM ...] [--steps 20] [--batch 16] [--parts 4]

Each system's `tiny` preset trains on random windows, once with the whole batch and once in parts.
Batch normalisation uses its moving statistics, so that no statistics of a batch are involved. The
variables must agree to 1e-5.
"""

import argparse
import sys
from dataclasses import replace

import numpy as np
import tensorflow as tf

from tfsepgan import systems
from tfsepgan.settings.presets import TINY_GENERATOR
from tfsepgan.systems.statistics import batch_normalisations

LIMIT = 1e-5
SETTINGS = {
    "ssepgan": {"objective": "wgan-gp", "discriminator_steps": 2},
    # the training of the preset's mixer amplifies rounding, see docs/scaling_training.md
    "cyclegan": {"mixer": TINY_GENERATOR, "pool": 4},
    "semisupervised": {"unlabelled_share": 0.5},
    "decomposition": {},
    "wavegan": {"discriminator_steps": 2},
}


def batch_of(experiment, seed: int) -> dict[str, tf.Tensor]:
    data, random = experiment.data, np.random.default_rng(seed)

    def noise(*shape):
        shape = (data.batch, *shape, data.window, 1)
        return 0.1 * random.standard_normal(shape).astype(np.float32)

    sources = noise(len(data.sources))
    batch = {"mixture": sources.sum(axis=1) + noise(), "sources": sources}
    batch |= {"solo": noise(len(data.sources) + 1), "unlabelled": noise()}
    return {name: tf.constant(value) for name, value in batch.items()}


def trained(name: str, options: argparse.Namespace, accumulate: int) -> dict[str, np.ndarray]:
    """All variables after training, by number and name."""
    base = systems.preset(name, "tiny")
    experiment = replace(
        base,
        data=replace(base.data, batch=options.batch, window=1024),
        model=replace(base.model, **SETTINGS[name]),
        training=replace(base.training, accumulate=accumulate, ema=0.9, clip_norm=1.0),
    )
    system = systems.build(experiment)
    for network in (*system.players.values(), system.ema_generator):
        for norm in batch_normalisations(network):
            norm.trainable = False
    system.compile()
    step = tf.function(system.train_step, autograph=False)
    for number in range(options.steps):
        batch = batch_of(experiment, number)
        step({key: batch[key] for key in system.batch_keys})
    logged = {id(variable) for tracker in system.metrics for variable in tracker.variables}
    kept = [variable for variable in system.variables if id(variable) not in logged]
    return {f"{n:03d} {one.name}": np.asarray(one) for n, one in enumerate(kept) if one.shape}


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("systems", nargs="*", help="default: all")
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--parts", type=int, default=4)
    options, failed = parser.parse_args(), 0
    for name in options.systems or SETTINGS:
        whole, parts = trained(name, options, 1), trained(name, options, options.parts)
        apart = {place: np.abs(whole[place] - parts[place]).max() for place in whole}
        worst = max(apart, key=apart.get)
        print(f"{name}: at most {apart[worst]:.1e} apart ({worst}), limit {LIMIT:.0e}", flush=True)
        failed += apart[worst] > LIMIT
    return int(failed > 0)


if __name__ == "__main__":
    sys.exit(main())
