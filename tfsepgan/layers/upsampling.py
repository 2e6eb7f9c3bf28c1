"""Nearest-neighbour upsampling and a convolution as one matrix product at the lower rate.

Of `stride` equal neighbours a convolution's taps add up, so a kernel of 25 taps behind an
upsampling by four is, for each of the four phases of the output, one of seven taps on the frames
before upsampling: a quarter of the arithmetic, and the long signal is never made.
"""

import keras
import numpy as np
from keras import ops

from tfsepgan.layers.dilated import side_by_side


@keras.saving.register_keras_serializable("tfsepgan")
class UpsampledConv1D(keras.layers.Layer):
    """Repeats each frame `stride` times, then convolves: `UpSampling1D(stride)` and
    `Conv1D(filters, kernel_size, padding="same")`.

    Call: `[batch, frames, channels]` -> `[batch, stride * frames, filters]`. The weights are those
      of that convolution.

    Args:
      filters: channels out.
      kernel_size: taps at the higher rate, odd.
      stride: times that each frame is repeated.
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
        self.kernel = self.add_weight(
            shape=(self.kernel_size, shape[-1], self.filters),
            initializer=self.kernel_initializer,
            name="kernel",
        )
        self.bias = self.add_weight(shape=(self.filters,), initializer="zeros", name="bias")

    @property
    def reach(self) -> int:
        """Frames before upsampling that it looks to either side."""
        return -(-(self.kernel_size // 2) // self.stride)

    def call(self, signal):
        return self.inside(ops.pad(signal, [[0, 0], [self.reach, self.reach], [0, 0]]))

    def inside(self, stretch):
        """The same of frames that bring their neighbours.

        Args:
          stretch: `[batch, reach + frames + reach, channels]`.
        Returns: `[batch, stride * frames, filters]`.
        """
        channels, taps = stretch.shape[2], 2 * self.reach + 1
        # [phase * tap, kernel_size] @ [kernel_size, channels * filters]: each phase's own short
        # kernel.
        phases = ops.matmul(
            ops.convert_to_tensor(self._taps_of_phases(), dtype=self.compute_dtype),
            ops.reshape(self.kernel, (self.kernel_size, channels * self.filters)),
        )
        phases = ops.reshape(phases, (self.stride, taps * channels, self.filters))
        matrix = ops.reshape(
            ops.transpose(phases, (1, 0, 2)), (taps * channels, self.stride * self.filters)
        )
        frames = ops.matmul(side_by_side(stretch, taps), matrix)
        frames = ops.reshape(
            frames, (ops.shape(frames)[0], -1, self.filters)
        )  # the phases of a frame follow each other
        return frames + self.bias

    def _taps_of_phases(self) -> np.ndarray:
        """Which taps of the kernel meet which frame: `[stride * taps, kernel_size]` of zeros and
        ones, phase by phase."""
        phase, tap, place = np.ogrid[
            : self.stride, -self.reach : self.reach + 1, : self.kernel_size
        ]
        meets = (phase + place - self.kernel_size // 2) // self.stride == tap
        return meets.astype("float32").reshape(-1, self.kernel_size)

    def compute_output_shape(self, shape):
        return (shape[0], None if shape[1] is None else self.stride * shape[1], self.filters)

    def get_config(self):
        settings = {name: getattr(self, name) for name in ("filters", "kernel_size", "stride")}
        start = keras.initializers.serialize(self.kernel_initializer)
        return {**super().get_config(), **settings, "kernel_initializer": start}
