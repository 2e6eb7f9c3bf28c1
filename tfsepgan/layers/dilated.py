"""A dilated convolution over frames as one matrix product.

With a few hundred channels and three taps, a processor spends most of a convolution's time outside
its arithmetic. Gathering the taps side by side costs little and leaves one large matrix product in
each direction. Measured in docs/benchmarks.md.
"""

import keras
from keras import ops


def side_by_side(extended, taps: int, dilation: int = 1):
    """Return the inputs of each tap of a convolution, side by side.

    Args:
      extended: `[batch, frames + (taps - 1) * dilation, channels]`.
      taps: number of taps.
      dilation: frames between them.
    Returns: `[batch, frames, taps * channels]`, the first tap first.
    """
    batch, frames, channels = (
        ops.shape(extended)[0],
        ops.shape(extended)[1] - (taps - 1) * dilation,
        extended.shape[2],
    )
    gathered = [
        ops.slice(extended, (0, tap * dilation, 0), (batch, frames, channels))
        for tap in range(taps)
    ]
    return ops.concatenate(gathered, axis=-1)


@keras.saving.register_keras_serializable("tfsepgan")
class DilatedConv1D(keras.layers.Layer):
    """Convolves over frames `dilation` apart, as `keras.layers.Conv1D(padding="same")`.

    The weights are those of that Keras layer.

    Call: `[batch, frames, channels]` -> `[batch, frames, filters]`.

    Args:
      filters: channels of the output.
      kernel_size: taps, odd.
      dilation: frames between taps.
      activation: as in Keras.
    """

    def __init__(
        self, filters: int, kernel_size: int, dilation: int = 1, activation=None, **kwargs
    ):
        super().__init__(**kwargs)
        self.filters, self.kernel_size, self.dilation = filters, kernel_size, dilation
        self.activation = keras.activations.get(activation)

    def build(self, shape):
        kernel_shape = (self.kernel_size, shape[-1], self.filters)
        self.kernel = self.add_weight(
            shape=kernel_shape, initializer="glorot_uniform", name="kernel"
        )
        self.bias = self.add_weight(shape=(self.filters,), initializer="zeros", name="bias")

    def call(self, signal):
        return self.inside(ops.pad(signal, [[0, 0], [self.reach, self.reach], [0, 0]]))

    @property
    def reach(self) -> int:
        """Frames of context on either side."""
        return self.dilation * (self.kernel_size // 2)

    def inside(self, extended):
        """Convolve a signal that has its context: `[batch, reach + frames + reach, channels]`.

        Returns: `[batch, frames, filters]`.
        """
        matrix = ops.reshape(self.kernel, (self.kernel_size * extended.shape[2], self.filters))
        return self.activation(
            ops.matmul(side_by_side(extended, self.kernel_size, self.dilation), matrix) + self.bias
        )

    def compute_output_shape(self, shape):
        return (*shape[:-1], self.filters)

    def get_config(self):
        settings = {name: getattr(self, name) for name in ("filters", "kernel_size", "dilation")}
        return {
            **super().get_config(),
            **settings,
            "activation": keras.activations.serialize(self.activation),
        }
