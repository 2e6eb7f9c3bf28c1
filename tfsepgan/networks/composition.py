"""The network that makes a mixture from sources: their sum, or a learned network close to it.

Source: the composition function c of Harn, Chen & Jojic 2019, "Composition and decomposition of
GANs", arXiv:1901.07667, which composes images and text.
Departs from it: sound is a sum. A mixing desk also filters each source (level, equalisation, a
short delay) and saturates the sum sample by sample, so only these two are learned.
"""

import keras
from keras import layers, ops

from tfsepgan.networks.wavegan import Impulse
from tfsepgan.settings.decomposition import CompositionConfig


def composition(config: CompositionConfig, *, parts: int) -> keras.Model:
    """Build a composition.

    Args:
      config: its settings.
      parts: number of sources, the residual included.
    Returns: `[batch, parts, time, 1]` -> `[batch, time, 1]`, any time. Before training, a learned
      composition gives the exact sum.
    """
    sources = keras.Input((parts, None, 1), name="parts")
    if config.kind == "sum":
        return keras.Model(sources, ops.sum(sources, axis=1), name="composition")
    in_time = layers.Permute((2, 1, 3), dtype="float32", name="in_time")(sources)
    side_by_side = layers.Reshape((-1, parts), dtype="float32", name="side_by_side")(in_time)
    filters = {"padding": "same", "use_bias": False, "kernel_initializer": Impulse()}
    filtered = layers.Conv1D(1, config.taps, dtype="float32", name="filters", **filters)
    mixture = filtered(side_by_side)
    if config.channels:
        bend = layers.Dense(config.channels, activation="tanh", dtype="float32", name="bend")
        zero = {"use_bias": False, "kernel_initializer": "zeros"}
        bent = layers.Dense(1, dtype="float32", name="bent", **zero)(bend(side_by_side))
        mixture = layers.Add(dtype="float32", name="mixture")([mixture, bent])
    return keras.Model(sources, mixture, name="composition")
