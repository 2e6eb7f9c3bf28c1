"""A dilated convolution over frames as one matrix product.

With a few hundred channels and three taps, a processor spends most of a convolution's time outside
its arithmetic. Gathering the taps side by side costs little and leaves one large matrix product in
each direction. Measured in docs/benchmarks.md.
"""

import keras
from keras import ops

from tfsepgan.layers.configured import ConfiguredLayer


def side_by_side(extended, taps: int, dilation: int = 1):
    """Return the inputs of each tap of a convolution, side by side.

    Args:
      extended: `[batch, frames + (taps - 1) * dilation, channels]`.
      taps: number of taps.
      dilation: frames between them.
    Returns: `[batch, frames, taps * channels]`, the first tap first.
    """
    batch, extended_frames = ops.shape(extended)[:2]
    size = (batch, extended_frames - (taps - 1) * dilation, extended.shape[2])
    gathered = [ops.slice(extended, (0, tap * dilation, 0), size) for tap in range(taps)]
    return ops.concatenate(gathered, axis=-1)


@keras.saving.register_keras_serializable("tfsepgan")
class DilatedConv1D(ConfiguredLayer):
    """Convolves over frames `dilation` apart, as `keras.layers.Conv1D(padding="same")`.

    The weights are those of that Keras layer.

    Call: `[batch, frames, channels]` -> `[batch, frames, filters]`.

    Args:
      filters: channels of the output.
      kernel_size: taps, odd.
      dilation: frames between taps.
      activation: as in Keras.
      ahead: frames of the future that the last tap is at, at most `reach`; None: `reach`, a centred
        convolution; 0: a causal one.
    """

    def __init__(
        self,
        filters: int,
        kernel_size: int,
        dilation: int = 1,
        activation=None,
        ahead: int | None = None,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.filters, self.kernel_size, self.dilation = filters, kernel_size, dilation
        self.ahead = self.reach if ahead is None else ahead
        self.activation = keras.activations.get(activation)

    def build(self, shape):
        kernel_shape = (self.kernel_size, shape[-1], self.filters)
        self.kernel = self.add_weight(kernel_shape, "glorot_uniform", name="kernel")
        self.bias = self.add_weight((self.filters,), "zeros", name="bias")

    def call(self, signal):
        before = 2 * self.reach - self.ahead
        return self.inside(ops.pad(signal, [[0, 0], [before, self.ahead], [0, 0]]))

    @property
    def reach(self) -> int:
        """Half of the frames of context; on either side in a centred convolution."""
        return self.dilation * (self.kernel_size // 2)

    def inside(self, extended):
        """Convolve a signal that has its context: `[batch, 2 * reach + frames, channels]`.

        Returns: `[batch, frames, filters]`.
        """
        matrix = ops.reshape(self.kernel, (self.kernel_size * extended.shape[2], self.filters))
        taps = side_by_side(extended, self.kernel_size, self.dilation)
        return self.activation(ops.matmul(taps, matrix) + self.bias)

    def compute_output_shape(self, shape):
        return (*shape[:-1], self.filters)
