"""Settings, frames and NumPy arithmetic that the tests of GASS share."""

from dataclasses import replace

import numpy as np
import tensorflow as tf

from tfsepgan import systems
from tfsepgan.layers.spectra import level

FRAME, HOP, BINS = 128, 32, 65


def experiment(*, data=None, training=None, **model):
    """The preset `tiny` on short windows, with settings changed by name."""
    base = systems.preset("gass", "tiny")
    return replace(
        base,
        model=replace(
            base.model, **{"frame": FRAME, "hop": HOP, "latent": 3, "hidden": 5, **model}
        ),
        data=replace(base.data, **{"window": 1024, "batch": 2, **(data or {})}),
        training=replace(base.training, **(training or {})),
    )


def noise(*shape, seed=0):
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)


def solos(seed=0):
    return {"solo": tf.constant(0.1 * noise(2, 2, 1024, 1, seed=seed))}


def gamma(*shape, seed=0):
    return np.random.default_rng(seed).gamma(1.0, 1.0, shape).astype(np.float32)


def scores_of(system, frames):
    """The critics in NumPy: scores `[frames, parts]`, and the length of each one's gradient."""
    scores, slopes = [], []
    for part in range(2):
        inner, bias = system.critic.get_layer(f"part{part}_hidden").get_weights()
        (outer,) = system.critic.get_layer(f"part{part}_score").get_weights()
        units = np.tanh(frames[:, part] @ inner + bias)
        scores.append((units @ outer)[:, 0])
        slopes.append(np.linalg.norm(((1 - units**2) * outer[:, 0]) @ inner.T, axis=1))
    return np.stack(scores, axis=1), np.stack(slopes, axis=1)


def varied(system, *, halves=False):
    """Make generated frames vary a lot; with `halves`, parts have the lower and the upper bins."""
    for part in range(2):
        kept = (np.arange(BINS) < BINS // 2) == (part == 0)
        bias = np.where(kept | (not halves), 0.0, -12.0).astype(np.float32)
        inner, outer = 2 * noise(3, 5, seed=part), noise(5, BINS, seed=2 + part) * (bias == 0)
        for network in (system.generator, system.ema_generator):
            network.get_layer(f"part{part}_hidden").set_weights([inner, np.zeros(5, np.float32)])
            network.get_layer(f"part{part}_magnitudes").set_weights([outer, bias])
    return system


def made_of(system, seed=0, frames=20):
    """Magnitudes that the generators can make, `[1, frames, parts, bins]`, and their points."""
    points = np.concatenate(
        [noise(1, frames, 2, 3, seed=seed), -0.7 + 0.3 * noise(1, frames, 2, 1, seed=9)], axis=-1
    )
    levels = np.ones((1, frames, 1), np.float32)
    return np.asarray(system.magnitudes(system.generated(points), points, levels)), points


def found_points(system, magnitudes):
    """Points after the search of a mixture."""
    return tf.function(system.found_points)(tf.constant(magnitudes), level(magnitudes))


def searched(system, parts):
    """What the search finds in the sum of the parts."""
    return np.asarray(system.searched(tf.constant(parts.sum(axis=2))))
