"""Layers of a trained network on a stretch of signal that brings its own neighbourhood, so that
nothing is padded.

Each wraps a layer of the one-pass network and shares its weights. They are made for export and hold
nothing of their own, so they are not saved.
"""

import keras
from keras import ops


class Inside(keras.layers.Layer):
    """What a layer of this package gives away from the edges of a signal.

    Call: a stretch with the neighbours that the layer looks at -> the layer's output without
    theirs; see `inside` of `Analysis` and `DilatedConv1D`.

    Args:
      layer: with a method `inside`; it must be built.
    """

    def __init__(self, layer: keras.layers.Layer, **kwargs):
        super().__init__(**{"dtype": layer.dtype_policy, **kwargs})
        self.layer = layer

    def call(self, stretch):
        return self.layer.inside(stretch)


class WaveformFrames(keras.layers.Layer):
    """Frames of waveform from frames of bins, not yet added up.

    Call: `[batch, frames, 2 * bins]` -> `[batch, frames, frame]`.

    Args:
      synthesis: built `Synthesis` layer.
    """

    def __init__(self, synthesis: keras.layers.Layer, **kwargs):
        super().__init__(**{"dtype": synthesis.dtype_policy, **kwargs})
        self.synthesis = synthesis

    def call(self, spectrum):
        return self.synthesis.frames_of(spectrum)


class UnpaddedConv1D(keras.layers.Layer):
    """A convolution that was trained with zeros around its input, without them.

    Call: `[batch, stride * (frames - 1) + kernel, channels]` -> `[batch, frames, filters]`.

    Args:
      convolution: built `keras.layers.Conv1D` without dilation and groups.
    """

    def __init__(self, convolution: keras.layers.Conv1D, **kwargs):
        super().__init__(**{"dtype": convolution.dtype_policy, **kwargs})
        self.convolution = convolution

    def call(self, stretch):
        (stride,) = self.convolution.strides
        return ops.conv(stretch, self.convolution.kernel, stride, "valid") + self.convolution.bias
