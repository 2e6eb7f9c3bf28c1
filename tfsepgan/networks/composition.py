"""What makes a mixture of its parts: their sum, or something learnt that starts as the sum.

Source: the composition function c of Harn, Chen & Jojic 2019, "Composition and decomposition of
GANs", arXiv:1901.07667. Theirs is of images and of text.
Departs from it: sound is added up. What a mixing desk does beyond that is a filter for each part
(level, equalisation, a short delay) and something that bends the whole sample by sample
(saturation), so that is all that is learnt.
"""

import keras
from keras import layers, ops

from tfsepgan.networks.wavegan import Impulse
from tfsepgan.settings.decomposition import CompositionConfig


def composition(config: CompositionConfig, *, parts: int) -> keras.Model:
    """Build a composition.

    Args:
      config: its settings.
      parts: how many there are, the rest among them.
    Returns: `[batch, parts, time, 1]` -> `[batch, time, 1]`, any time; a learned one gives the sum
      exactly, until it has learnt.
    """
    heard = keras.Input((parts, None, 1), name="parts")
    if config.kind == "sum":
        return keras.Model(heard, ops.sum(heard, axis=1), name="composition")
    in_time = layers.Permute((2, 1, 3), dtype="float32", name="in_time")(heard)
    side_by_side = layers.Reshape((-1, parts), dtype="float32", name="side_by_side")(in_time)
    filters = {"padding": "same", "use_bias": False, "kernel_initializer": Impulse()}
    mixture = layers.Conv1D(1, config.taps, dtype="float32", name="filters", **filters)(
        side_by_side
    )
    if config.channels:
        bent = layers.Dense(config.channels, activation="tanh", dtype="float32", name="bend")(
            side_by_side
        )
        bent = layers.Dense(
            1, use_bias=False, kernel_initializer="zeros", dtype="float32", name="bent"
        )(bent)
        mixture = layers.Add(dtype="float32", name="mixture")([mixture, bent])
    return keras.Model(heard, mixture, name="composition")
