"""Layers over time and frequency, `[batch, frames, positions, channels]`.

A position is a few neighbouring bins, or a band. Convolutions share their weights over both axes,
so what they learn at one pitch applies at all others. Only a dense layer across the positions, the
same for every channel, depends on frequency (the time-distributed fully connected layer of the
source).

Source: Choi et al. 2020, "Investigating U-Nets with various intermediate blocks for
spectrogram-based singing voice separation", arXiv:1912.02591, sections 3.2 and 3.3.
"""

import math

import keras
from keras import ops

from tfsepgan.errors import ConfigError
from tfsepgan.layers.configured import ConfiguredLayer, SameShapeLayer


def first_frames(signal, frames):
    """Return `signal[:, :frames]` of a tensor with four axes; its gradient is cheap."""
    return ops.slice(signal, (0, 0, 0, 0), (ops.shape(signal)[0], frames, *signal.shape[2:]))


@keras.saving.register_keras_serializable("tfsepgan")
class FrameNorm(SameShapeLayer):
    """Scales every frame to a mean square of one, over positions and channels together.

    Call: `[batch, frames, positions, channels]` -> the same shape. It has no weights, because the
    next layer can scale as well.

    Args:
      epsilon: added to the mean square.
    """

    def __init__(self, epsilon: float = 1e-3, **kwargs):
        super().__init__(**kwargs)
        self.epsilon = epsilon

    def call(self, signal):
        power = ops.mean(ops.square(ops.cast(signal, "float32")), axis=(2, 3), keepdims=True)
        return signal * ops.cast(ops.rsqrt(power + self.epsilon), signal.dtype)


@keras.saving.register_keras_serializable("tfsepgan")
class TimeFrequencyConv(ConfiguredLayer):
    """A convolution over frames and positions, as `keras.layers.Conv2D(padding="same")`.

    Call: `[batch, frames, positions, channels]` -> `[batch, frames, positions, filters]`.

    If `dilation` frames make a row, frames that are `dilation` apart are in neighbouring rows. So a
    dilated convolution is a plain convolution on a reshaped tensor, without gather operations in
    either pass.

    Args:
      filters: channels of the output.
      kernel_size: taps in time and in frequency, both odd.
      dilation: frames between taps; above 1 with a single tap in frequency only.
      activation: as in Keras.
    Raises: ConfigError for a dilated kernel that spans positions.
    """

    def __init__(
        self,
        filters: int,
        kernel_size: tuple[int, int],
        dilation: int = 1,
        activation=None,
        **kwargs,
    ):
        super().__init__(**kwargs)
        if dilation > 1 and kernel_size[1] > 1:
            raise ConfigError(
                f"a kernel of {tuple(kernel_size)} cannot have dilation {dilation}; give it one tap"
                " in frequency."
            )
        self.filters, self.kernel_size, self.dilation = filters, tuple(kernel_size), dilation
        self.activation = keras.activations.get(activation)

    def build(self, shape):
        kernel_shape = (*self.kernel_size, shape[-1], self.filters)
        self.kernel = self.add_weight(kernel_shape, "glorot_uniform", name="kernel")
        self.bias = self.add_weight((self.filters,), "zeros", name="bias")

    @property
    def reach(self) -> int:
        """Frames of context on either side."""
        return self.dilation * (self.kernel_size[0] // 2)

    @property
    def ahead(self) -> int:
        """Frames of the future that it needs: it is centred."""
        return self.reach

    def call(self, signal):
        if self.dilation == 1:
            return self._activated(ops.conv(signal, self.kernel, padding="same"))
        return self._activated(self._dilated(signal, "same", ops.shape(signal)[1]))

    def inside(self, extended):
        """Convolve a signal that has its context: `[batch, reach + frames + reach, ...]`.

        Returns: `[batch, frames, ...]`.
        """
        if self.dilation == 1:
            border = self.kernel_size[1] // 2
            extended = ops.pad(extended, [[0, 0], [0, 0], [border, border], [0, 0]])
            return self._activated(ops.conv(extended, self.kernel, padding="valid"))
        frames = ops.shape(extended)[1] - 2 * self.reach
        return self._activated(self._dilated(extended, "valid", frames))

    def _activated(self, signal):
        return self.activation(signal + self.bias)

    def _dilated(self, signal, padding: str, frames):
        """Convolve over rows of `dilation` frames; return the first `frames` frames."""
        (batch, frames_in), (positions, channels) = ops.shape(signal)[:2], signal.shape[2:]
        padded = ops.pad(signal, [[0, 0], [0, self.dilation - 1], [0, 0], [0, 0]])
        padded = first_frames(padded, frames_in + -frames_in % self.dilation)
        rows = ops.reshape(padded, (batch, -1, self.dilation * positions, channels))
        convolved = ops.conv(rows, self.kernel, padding=padding)
        convolved = ops.reshape(convolved, (batch, -1, positions, self.filters))
        return first_frames(convolved, frames)

    def compute_output_shape(self, shape):
        return (*shape[:-1], self.filters)


@keras.saving.register_keras_serializable("tfsepgan")
class FrequencyDense(SameShapeLayer):
    """Two dense layers across the positions of a frame, the same for every channel.

    Call: `[batch, frames, positions, channels]` -> the same shape.

    Args:
      narrow: width between the two layers.
    """

    def __init__(self, narrow: int, **kwargs):
        super().__init__(**kwargs)
        self.narrow = narrow

    def build(self, shape):
        positions = shape[2]
        narrowing, widening = (positions, self.narrow), (self.narrow, positions)
        self.squeeze = self.add_weight(narrowing, "glorot_uniform", name="squeeze")
        self.squeeze_bias = self.add_weight((self.narrow,), "zeros", name="squeeze_bias")
        self.expand = self.add_weight(widening, "glorot_uniform", name="expand")
        self.expand_bias = self.add_weight((positions,), "zeros", name="expand_bias")

    def call(self, signal):
        across = ops.transpose(signal, (0, 1, 3, 2))
        across = ops.relu(ops.matmul(across, self.squeeze) + self.squeeze_bias)
        return ops.transpose(ops.matmul(across, self.expand) + self.expand_bias, (0, 1, 3, 2))


@keras.saving.register_keras_serializable("tfsepgan")
class Places(SameShapeLayer):
    """Adds a separate bias to every position and channel, zero at first, so that positions differ.

    Call: `[batch, frames, positions, channels]` -> the same shape.
    """

    def build(self, shape):
        self.bias = self.add_weight(shape=tuple(shape[2:]), initializer="zeros", name="bias")

    def call(self, signal):
        return signal + self.bias


@keras.saving.register_keras_serializable("tfsepgan")
class FoldBins(ConfiguredLayer):
    """Makes one position of `patch` neighbouring bins.

    Call: `[batch, frames, features * bins]`, one feature after the other -> `[batch, frames,
    positions, features * patch]`; missing bins at the upper end are zero.

    Args:
      bins: bins of each feature.
      patch: bins of a position.
      positions: at least bins / patch.
    """

    def __init__(self, bins: int, patch: int, positions: int, **kwargs):
        super().__init__(**kwargs)
        self.bins, self.patch, self.positions = bins, patch, positions

    def call(self, features):
        (batch, frames), count = ops.shape(features)[:2], features.shape[2] // self.bins
        each = ops.reshape(features, (batch, frames, count, self.bins))
        each = ops.pad(each, [[0, 0], [0, 0], [0, 0], [0, self.patch * self.positions - self.bins]])
        if count > 1:
            each = ops.reshape(each, (batch, frames, count, self.positions, self.patch))
            each = ops.transpose(each, (0, 1, 3, 2, 4))
        return ops.reshape(each, (batch, frames, self.positions, count * self.patch))

    def compute_output_shape(self, shape):
        return (*shape[:2], self.positions, shape[2] // self.bins * self.patch)


@keras.saving.register_keras_serializable("tfsepgan")
class UnfoldBins(ConfiguredLayer):
    """The inverse of `FoldBins` for masks, one source after the other.

    Call: `[batch, frames, positions, sources * patch]` -> `[batch, frames, sources * bins]`.

    Args:
      bins: bins of each source.
      sources: number of sources.
    """

    def __init__(self, bins: int, sources: int, **kwargs):
        super().__init__(**kwargs)
        self.bins, self.sources = bins, sources

    def call(self, signal):
        batch, frames = ops.shape(signal)[:2]
        positions, patch = signal.shape[2], signal.shape[3] // self.sources
        if self.sources > 1:
            signal = ops.reshape(signal, (batch, frames, positions, self.sources, patch))
            signal = ops.transpose(signal, (0, 1, 3, 2, 4))
        signal = ops.reshape(signal, (batch, frames, self.sources, positions * patch))
        signal = ops.slice(signal, (0, 0, 0, 0), (batch, frames, self.sources, self.bins))
        return ops.reshape(signal, (batch, frames, self.sources * self.bins))

    def compute_output_shape(self, shape):
        return (*shape[:2], self.sources * self.bins)


def positions_of(bins: int, *, patch: int, levels: int) -> int:
    """Return the positions of the first level: enough for all bins, even at every level."""
    return math.ceil(bins / (patch * 2**levels)) * 2**levels
