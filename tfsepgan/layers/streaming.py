"""Layers of a trained network without padding, for signals that have their context.

Each wraps a layer of the one-pass network and shares its weights. They are built for export and
have no weights of their own, so they are not saved.
"""

import keras
from keras import ops


class Inside(keras.layers.Layer):
    """The output of a layer of this package without the edges of the signal.

    Call: a signal with the context of the layer -> the layer's output, without the context; see
    `inside` of `Analysis` and `DilatedConv1D`.

    Args:
      layer: a built layer with a method `inside`.
    """

    def __init__(self, layer: keras.layers.Layer, **kwargs):
        super().__init__(**{"dtype": layer.dtype_policy, **kwargs})
        self.layer = layer

    def call(self, extended):
        return self.layer.inside(extended)


class WaveformFrames(keras.layers.Layer):
    """Frames of waveform from frames of bins, before overlap-add.

    Call: `[batch, frames, 2 * bins]` -> `[batch, frames, frame]`.

    Args:
      synthesis: a built `Synthesis` layer.
    """

    def __init__(self, synthesis: keras.layers.Layer, **kwargs):
        super().__init__(**{"dtype": synthesis.dtype_policy, **kwargs})
        self.synthesis = synthesis

    def call(self, spectrum):
        return self.synthesis.frames_of(spectrum)


class UnpaddedConv1D(keras.layers.Layer):
    """A convolution that was trained with zeros around its input, without these zeros.

    Call: `[batch, stride * (frames - 1) + kernel, channels]` -> `[batch, frames, filters]`.

    Args:
      convolution: a built `keras.layers.Conv1D` without dilation and groups.
    """

    def __init__(self, convolution: keras.layers.Conv1D, **kwargs):
        super().__init__(**{"dtype": convolution.dtype_policy, **kwargs})
        self.convolution = convolution

    def call(self, extended):
        (stride,) = self.convolution.strides
        return ops.conv(extended, self.convolution.kernel, stride, "valid") + self.convolution.bias
