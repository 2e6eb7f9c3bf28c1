"""A small perceptron for each source, side by side in one model: generator and critic of frames.

The perceptrons share no weights. They are in one model so that one player trains them all in one
pass.

Source: Subakan & Smaragdis 2018, arXiv:1710.10779: two layers each, softplus in the generator, tanh
in the critic, no normalisation. Sizes and the start "uniform" are those of its authors' code.
"""

from typing import Literal

import keras
from keras import layers, ops

Start = Literal["glorot", "uniform"]


def generator(
    *, parts: int, latent: int, hidden: int, bins: int, start: Start = "glorot"
) -> keras.Model:
    """Build the generator: latents `[frames, parts, latent]` to magnitudes `[frames, parts, bins]`.

    Magnitudes are above zero. `start` sets the initial weights, see `starts`.
    """
    latents = keras.Input((parts, latent), name="latents", dtype="float32")
    made = []
    for part in range(parts):
        widen = _dense(hidden, "softplus", f"part{part}_hidden", starts(start, latent))
        frame = _dense(bins, "softplus", f"part{part}_magnitudes", starts(start, hidden))
        made.append(frame(widen(latents[:, part])))
    return keras.Model(latents, ops.stack(made, axis=1), name="generator")


def critic(*, parts: int, bins: int, hidden: int, start: Start = "glorot") -> keras.Model:
    """Build the critic: magnitudes `[frames, parts, bins]` to scores `[frames, parts]`.

    Scores have no bounds; high is real. The score has no bias: only differences of scores enter a
    Wasserstein objective, so a bias would have no gradient. `start` sets the initial weights, see
    `starts`.
    """
    magnitudes = keras.Input((parts, bins), name="magnitudes", dtype="float32")
    scores = []
    for part in range(parts):
        narrow = _dense(hidden, "tanh", f"part{part}_hidden", starts(start, bins))
        options = starts(start, hidden) | {"use_bias": False}
        score = _dense(1, None, f"part{part}_score", options)
        scores.append(score(narrow(magnitudes[:, part])))
    return keras.Model(magnitudes, ops.concatenate(scores, axis=1), name="critic")


def starts(start: Start, inputs: int) -> dict[str, keras.initializers.Initializer]:
    """Return the initializers of the kernel and the bias of a layer.

    Args:
      start: "glorot", Keras' default: a uniform kernel by Glorot & Bengio 2010, a bias of zero; or
        "uniform", PyTorch's default for linear layers: both uniform within 1 / sqrt(inputs).
      inputs: number of inputs of a unit.
    """
    names = ("kernel_initializer", "bias_initializer")
    if start == "glorot":
        zeros = keras.initializers.Zeros()
        return dict(zip(names, (keras.initializers.GlorotUniform(), zeros), strict=True))
    bound = inputs**-0.5
    return {name: keras.initializers.RandomUniform(-bound, bound) for name in names}


def _dense(units: int, activation: str | None, name: str, options: dict) -> keras.Layer:
    return layers.Dense(units, activation, dtype="float32", name=name, **options)
