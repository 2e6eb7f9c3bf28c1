"""A dilated convolution over frames as one matrix product.

For a few hundred channels and three taps a processor spends most of a convolution's time around its
arithmetic; gathering the taps side by side costs little and leaves one large matrix product each
way. Measured in docs/benchmarks.md.
"""

import keras
from keras import ops


def side_by_side(stretch, taps: int, dilation: int = 1):
    """What each tap of a convolution meets, one beside the other.

    Args:
      stretch: `[batch, frames + (taps - 1) * dilation, channels]`.
      taps: how many.
      dilation: frames between them.
    Returns: `[batch, frames, taps * channels]`, the first tap first.
    """
    batch, frames, channels = (
        ops.shape(stretch)[0],
        ops.shape(stretch)[1] - (taps - 1) * dilation,
        stretch.shape[2],
    )
    gathered = [
        ops.slice(stretch, (0, tap * dilation, 0), (batch, frames, channels)) for tap in range(taps)
    ]
    return ops.concatenate(gathered, axis=-1)


@keras.saving.register_keras_serializable("tfsepgan")
class DilatedConv1D(keras.layers.Layer):
    """Looks at frames `dilation` apart, as `keras.layers.Conv1D(filters, kernel_size,
    padding="same")` does, with the same weights.

    Call: `[batch, frames, channels]` -> `[batch, frames, filters]`.

    Args:
      filters: channels out.
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
        """Frames that it looks to either side."""
        return self.dilation * (self.kernel_size // 2)

    def inside(self, stretch):
        """The same of a stretch that brings its neighbours: `[batch, reach + frames + reach,
        channels]` -> `[batch, frames, filters]`."""
        matrix = ops.reshape(self.kernel, (self.kernel_size * stretch.shape[2], self.filters))
        return self.activation(
            ops.matmul(side_by_side(stretch, self.kernel_size, self.dilation), matrix) + self.bias
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
