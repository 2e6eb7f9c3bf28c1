"""The functions that exported models offer, in TensorFlow only: no class of this package is needed to run them.

`separate`: `mixture [batch, time, channels]` to a dictionary with every source and "residual", each shaped like the
mixture. The stems sum to the mixture.
"""

from collections.abc import Sequence

RESIDUAL = "residual"
MIXTURE = "mixture"
SIGNATURES = (
    "serving_default",
    "separate",
)  # the same function: TF Serving's default name, and a telling one


def separation_function(generator, sources: Sequence[str]):
    """Wrap a mono generator for any number of channels.

    Args:
      generator: `keras.Model`, `[batch, time, 1]` to `[batch, sources, time, 1]`.
      sources: names of what it gives, in order.
    Returns: function of `mixture [batch, time, channels]`, float32.
    """
    import tensorflow as tf

    def separate(mixture):
        shape = tf.shape(mixture)
        batch, time, channels = shape[0], shape[1], shape[2]
        mono = tf.reshape(tf.transpose(mixture, (0, 2, 1)), (batch * channels, time, 1))
        estimates = generator(mono, training=False)
        apart = tf.reshape(estimates, (batch, channels, len(sources), time))
        stems = {name: tf.transpose(apart[:, :, index], (0, 2, 1)) for index, name in enumerate(sources)}
        return _with_residual(mixture, stems)

    return separate


def mono_separation_function(generator, sources: Sequence[str]):
    """The same for one channel, without the reshapes that a phone's converter would have to carry.

    Returns: function of `mixture [1, time, 1]`, float32.
    """

    def separate(mixture):
        estimates = generator(mixture, training=False)
        return _with_residual(mixture, {name: estimates[:, index] for index, name in enumerate(sources)})

    return separate


def _with_residual(mixture, stems: dict) -> dict:
    residual = mixture
    for estimate in stems.values():
        residual = residual - estimate
    return {**stems, RESIDUAL: residual}
