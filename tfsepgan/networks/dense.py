"""A small perceptron for each part, side by side in one model: what makes a frame's magnitudes, and what judges them.

Parts share no weight; they stand in one model so that one player trains them all in one pass.

Source: Subakan & Smaragdis 2018, arXiv:1710.10779: two layers each, softplus in the generator, tanh in the critic.
"""

import keras
from keras import layers, ops


def generator(*, parts: int, latent: int, hidden: int, bins: int) -> keras.Model:
    """Latents to magnitudes, `[frames, parts, latent]` -> `[frames, parts, bins]`, above zero."""
    latents = keras.Input((parts, latent), name="latents", dtype="float32")
    made = []
    for part in range(parts):
        inner = _dense(hidden, "softplus", f"part{part}_hidden")(latents[:, part])
        made.append(_dense(bins, "softplus", f"part{part}_magnitudes")(inner))
    return keras.Model(latents, ops.stack(made, axis=1), name="generator")


def critic(*, parts: int, bins: int, hidden: int) -> keras.Model:
    """Magnitudes to scores, `[frames, parts, bins]` -> `[frames, parts]`, without bound; high is real.

    The score has no bias: a Wasserstein critic is judged by differences, and it would get no gradient.
    """
    magnitudes = keras.Input((parts, bins), name="magnitudes", dtype="float32")
    scores = []
    for part in range(parts):
        inner = _dense(hidden, "tanh", f"part{part}_hidden")(magnitudes[:, part])
        scores.append(layers.Dense(1, use_bias=False, dtype="float32", name=f"part{part}_score")(inner))
    return keras.Model(magnitudes, ops.concatenate(scores, axis=1), name="critic")


def _dense(units: int, activation: str, name: str) -> keras.Layer:
    return layers.Dense(units, activation, dtype="float32", name=name)
