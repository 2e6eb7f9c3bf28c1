"""Layers with weights for each frequency band: narrow bands at low frequencies, wider ones above.

Bands of equal width form a group, which is one batched matrix product. Each bin has its own column
of weights.

Source: Luo & Yu 2023, "Music source separation with band-split RNN" (BSRNN), arXiv:2209.15174,
section II.
"""

import math
from typing import NamedTuple

import keras
from keras import ops

from tfsepgan.layers.configured import ConfiguredLayer


class Group(NamedTuple):
    """Neighbouring bands of one width."""

    bands: int
    width: int  # bins

    @property
    def bins(self) -> int:
        """Bins of all its bands."""
        return self.bands * self.width


def band_groups(bins: int, *, narrowest: int, a_width: int) -> tuple[Group, ...]:
    """Split bins into bands, from 0 Hz up, in groups of doubling width.

    The first `a_width` bands have the narrowest width, the next `a_width` bands have twice that
    width, and so on, until every bin is in a band.

    Args:
      bins: number of bins; the last band may reach beyond them.
      narrowest: bins of the lowest bands.
      a_width: bands of one width.
    """
    groups: list[Group] = []
    covered, width = 0, narrowest
    while covered < bins:
        groups.append(Group(min(a_width, math.ceil((bins - covered) / width)), width))
        covered += groups[-1].bins
        width *= 2
    return tuple(groups)


def bins_in(groups: tuple[Group, ...]) -> int:
    """Return the number of bins of all bands."""
    return sum(group.bins for group in groups)


class _InBands(ConfiguredLayer):
    """Base of layers on bands; keeps the groups in its configuration."""

    def __init__(self, groups, **kwargs):
        super().__init__(**kwargs)
        self.groups = tuple(Group(*group) for group in groups)

    @property
    def bands(self) -> int:
        """Number of bands."""
        return sum(group.bands for group in self.groups)

    def get_config(self):
        return {**super().get_config(), "groups": [list(group) for group in self.groups]}


@keras.saving.register_keras_serializable("tfsepgan")
class BandSplit(_InBands):
    """Projects each band to channels, by a separate dense layer.

    Call: `[batch, frames, features * bins]`, one feature after the other -> `[batch, frames, bands,
    channels]`.

    Args:
      groups: from `band_groups`.
      bins: bins of each feature.
      channels: channels of a band.
    """

    def __init__(self, groups, bins: int, channels: int, **kwargs):
        super().__init__(groups, **kwargs)
        self.bins, self.channels = bins, channels

    def build(self, shape):
        features = shape[-1] // self.bins
        # The initial deviation of a dense layer on a band of mean width.
        spread = math.sqrt(2 / (features * bins_in(self.groups) / self.bands + self.channels))
        start = keras.initializers.RandomNormal(stddev=spread)
        kernel_shape = (features, self.bins, self.channels)
        self.kernel = self.add_weight(kernel_shape, start, name="kernel")
        self.bias = self.add_weight((self.bands, self.channels), "zeros", name="bias")

    def call(self, features):
        (batch, frames), count = ops.shape(features)[:2], features.shape[2] // self.bins
        missing = bins_in(self.groups) - self.bins
        each = ops.reshape(features, (batch * frames, count, self.bins))
        each = ops.pad(each, [[0, 0], [0, 0], [0, missing]])
        kernel = ops.pad(self.kernel, [[0, 0], [0, missing], [0, 0]])
        split, first = [], 0
        for bands, width in self.groups:
            last = first + bands * width
            inputs = ops.reshape(each[:, :, first:last], (batch * frames, count, bands, width))
            inputs = ops.transpose(inputs, (2, 0, 1, 3))
            inputs = ops.reshape(inputs, (bands, batch * frames, count * width))
            matrix = ops.reshape(kernel[:, first:last], (count, bands, width, self.channels))
            matrix = ops.transpose(matrix, (1, 0, 2, 3))
            matrix = ops.reshape(matrix, (bands, count * width, self.channels))
            split.append(ops.matmul(inputs, matrix))
            first = last
        signal = ops.transpose(ops.concatenate(split, axis=0), (1, 0, 2)) + self.bias
        return ops.reshape(signal, (batch, frames, self.bands, self.channels))

    def compute_output_shape(self, shape):
        return (*shape[:2], self.bands, self.channels)


@keras.saving.register_keras_serializable("tfsepgan")
class BandDense(ConfiguredLayer):
    """A separate dense layer for each band.

    Call: `[batch, frames, bands, channels]` -> `[batch, frames, bands, units]`.

    Args:
      units: channels of the output.
      activation: as in Keras.
    """

    def __init__(self, units: int, activation=None, **kwargs):
        super().__init__(**kwargs)
        self.units, self.activation = units, keras.activations.get(activation)

    def build(self, shape):
        bands, channels = shape[2:]
        # Glorot's deviation for one band
        start = keras.initializers.RandomNormal(stddev=math.sqrt(2 / (channels + self.units)))
        self.kernel = self.add_weight((bands, channels, self.units), start, name="kernel")
        self.bias = self.add_weight((bands, self.units), "zeros", name="bias")

    def call(self, signal):
        (batch, frames), (bands, channels) = ops.shape(signal)[:2], signal.shape[2:]
        by_band = ops.transpose(ops.reshape(signal, (batch * frames, bands, channels)), (1, 0, 2))
        outputs = ops.transpose(ops.matmul(by_band, self.kernel), (1, 0, 2)) + self.bias
        return ops.reshape(self.activation(outputs), (batch, frames, bands, self.units))

    def compute_output_shape(self, shape):
        return (*shape[:3], self.units)


@keras.saving.register_keras_serializable("tfsepgan")
class BandMerge(_InBands):
    """Gives a number for each bin and source, from the channels of the bin's band.

    Call: `[batch, frames, bands, channels]` -> `[batch, frames, sources * bins]`, one source after
    the other. Its weights are a kernel `[channels, sources * bins]` and a bias `[sources * bins]`,
    as in a dense layer.

    Args:
      groups: from `band_groups`.
      bins: bins of each source.
      sources: number of sources.
      activation: as in Keras.
    """

    def __init__(self, groups, bins: int, sources: int, activation=None, **kwargs):
        super().__init__(groups, **kwargs)
        self.bins, self.sources, self.activation = bins, sources, keras.activations.get(activation)

    def build(self, shape):
        outputs = self.sources * self.bins
        # outputs of variance one
        start = keras.initializers.RandomNormal(stddev=math.sqrt(1 / shape[-1]))
        self.kernel = self.add_weight(shape=(shape[-1], outputs), initializer=start, name="kernel")
        self.bias = self.add_weight(shape=(outputs,), initializer="zeros", name="bias")

    def call(self, signal):
        (batch, frames), channels = ops.shape(signal)[:2], signal.shape[3]
        by_frame = ops.reshape(signal, (batch * frames, self.bands, channels))
        by_band = ops.transpose(by_frame, (1, 0, 2))
        kernel = ops.reshape(self.kernel, (channels, self.sources, self.bins))
        kernel = ops.pad(kernel, [[0, 0], [0, 0], [0, bins_in(self.groups) - self.bins]])
        merged, band, first = [], 0, 0
        for bands, width in self.groups:
            last = first + bands * width
            matrix = ops.reshape(kernel[..., first:last], (channels, self.sources, bands, width))
            matrix = ops.transpose(matrix, (2, 0, 1, 3))
            matrix = ops.reshape(matrix, (bands, channels, self.sources * width))
            inputs = ops.slice(by_band, (band, 0, 0), (bands, batch * frames, channels))
            outputs = ops.matmul(inputs, matrix)
            outputs = ops.reshape(outputs, (bands, batch * frames, self.sources, width))
            outputs = ops.transpose(outputs, (1, 2, 0, 3))
            merged.append(ops.reshape(outputs, (batch * frames, self.sources, bands * width)))
            band, first = band + bands, last
        outputs = ops.concatenate(merged, axis=-1)
        outputs = ops.slice(outputs, (0, 0, 0), (batch * frames, self.sources, self.bins))
        outputs = ops.reshape(outputs, (batch, frames, self.sources * self.bins))
        return self.activation(outputs + self.bias)

    def compute_output_shape(self, shape):
        return (*shape[:2], self.sources * self.bins)
