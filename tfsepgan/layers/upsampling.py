"""Nearest-neighbour upsampling and a convolution as one matrix product at the lower rate.

After upsampling, `stride` neighbouring frames are equal, so the taps on them can be added up. For
example, a kernel of 25 taps after an upsampling by four becomes four kernels of seven taps on the
frames before upsampling, one for each phase of the output. That needs a quarter of the arithmetic,
and the long signal is never computed.
"""

import keras
import numpy as np
from keras import ops

from tfsepgan.layers.configured import ConfiguredLayer
from tfsepgan.layers.dilated import side_by_side


@keras.saving.register_keras_serializable("tfsepgan")
class UpsampledConv1D(ConfiguredLayer):
    """Repeats each frame `stride` times, then convolves.

    It equals `UpSampling1D(stride)` and `Conv1D(filters, kernel_size, padding="same")`, with the
    weights of that convolution.

    Call: `[batch, frames, channels]` -> `[batch, stride * frames, filters]`.

    Args:
      filters: channels of the output.
      kernel_size: taps at the higher rate, odd.
      stride: repetitions of a frame.
      kernel_initializer: as in Keras.
    """

    def __init__(
        self,
        filters: int,
        kernel_size: int,
        stride: int,
        kernel_initializer="glorot_uniform",
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.filters, self.kernel_size, self.stride = filters, kernel_size, stride
        self.kernel_initializer = keras.initializers.get(kernel_initializer)

    def build(self, shape):
        kernel_shape = (self.kernel_size, shape[-1], self.filters)
        self.kernel = self.add_weight(kernel_shape, self.kernel_initializer, name="kernel")
        self.bias = self.add_weight((self.filters,), "zeros", name="bias")

    @property
    def reach(self) -> int:
        """Frames of context on either side, before upsampling."""
        return -(-(self.kernel_size // 2) // self.stride)

    def call(self, signal):
        return self.inside(ops.pad(signal, [[0, 0], [self.reach, self.reach], [0, 0]]))

    def inside(self, extended):
        """Upsample frames that have their context.

        Args:
          extended: `[batch, reach + frames + reach, channels]`.
        Returns: `[batch, stride * frames, filters]`.
        """
        channels, taps = extended.shape[2], 2 * self.reach + 1
        # [phase * tap, kernel_size] @ [kernel_size, channels * filters]: a short kernel for each
        # phase.
        phases = ops.matmul(
            ops.convert_to_tensor(self._taps_of_phases(), dtype=self.compute_dtype),
            ops.reshape(self.kernel, (self.kernel_size, channels * self.filters)),
        )
        phases = ops.reshape(phases, (self.stride, taps * channels, self.filters))
        matrix = ops.transpose(phases, (1, 0, 2))
        matrix = ops.reshape(matrix, (taps * channels, self.stride * self.filters))
        frames = ops.matmul(side_by_side(extended, taps), matrix)
        # the phases of a frame follow each other
        frames = ops.reshape(frames, (ops.shape(frames)[0], -1, self.filters))
        return frames + self.bias

    def _taps_of_phases(self) -> np.ndarray:
        """Return which taps of the kernel are on which frame, phase by phase.

        `[stride * taps, kernel_size]` of zeros and ones.
        """
        phase, tap, place = np.ogrid[
            : self.stride, -self.reach : self.reach + 1, : self.kernel_size
        ]
        on_frame = (phase + place - self.kernel_size // 2) // self.stride == tap
        return on_frame.astype("float32").reshape(-1, self.kernel_size)

    def compute_output_shape(self, shape):
        return (shape[0], None if shape[1] is None else self.stride * shape[1], self.filters)
