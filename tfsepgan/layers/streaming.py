"""Layers of a trained network without padding, for signals that have their context.

Each wraps a layer of the one-pass network and shares its weights. They are built for export and
have no weights of their own, so they are not saved.
"""

import keras
from keras import ops


class Sharing(keras.layers.Layer):
    """A layer that uses the weights of another."""

    def __init__(self, layer: keras.layers.Layer, **kwargs):
        super().__init__(**{"dtype": layer.dtype_policy, **kwargs})
        self.layer = layer


class Inside(Sharing):
    """The output of a layer of this package without the edges of the signal.

    Call: a signal with the context of the layer -> the layer's output, without the context; see
    `inside` of `Analysis` and `DilatedConv1D`.

    Args:
      layer: a built layer with a method `inside`.
    """

    def call(self, extended):
        return self.layer.inside(extended)


class WaveformFrames(Sharing):
    """Frames of waveform from frames of bins, before overlap-add.

    Call: `[batch, frames, 2 * bins]` -> `[batch, frames, synthesis_frame]`.

    Args:
      layer: a built `Synthesis` layer.
    """

    def call(self, spectrum):
        return self.layer.frames_of(spectrum)


class UnpaddedConv1D(Sharing):
    """A convolution that was trained with zeros around its input, without these zeros.

    Call: `[batch, stride * (frames - 1) + kernel, channels]` -> `[batch, frames, filters]`.

    Args:
      layer: a built `keras.layers.Conv1D` without dilation and groups.
    """

    def call(self, extended):
        (stride,) = self.layer.strides
        return ops.conv(extended, self.layer.kernel, stride, "valid") + self.layer.bias
