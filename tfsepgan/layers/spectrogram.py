"""The log spectrogram as a layer: the input of spectral discriminators."""

import keras
from keras import ops

from tfsepgan.dsp.filterbank import root_hann
from tfsepgan.layers.configured import ConfiguredLayer
from tfsepgan.layers.filterbank import cut_frames


@keras.saving.register_keras_serializable("tfsepgan")
class LogSpectrogram(ConfiguredLayer):
    """Log power of each bin of each frame.

    Call: `[batch, time, 1]`, time a multiple of frame / 4 -> `[batch, frames, frame / 2 + 1]`.

    Args:
      frame: samples.
      floor: power that is added to every bin. The slope of the output with respect to a bin is at
        most 1 / sqrt(floor).
    """

    def __init__(self, frame: int, floor: float = 1e-4, **kwargs):
        super().__init__(**{"dtype": "float32", **kwargs})
        self.frame, self.floor = frame, floor
        self.window = root_hann(frame) ** 2

    def call(self, signal):
        frames = cut_frames(ops.cast(signal[..., 0], "float32"), self.frame, self.frame // 4)
        real, imaginary = ops.rfft(frames * self.window)
        return ops.log(ops.square(real) + ops.square(imaginary) + self.floor)

    def compute_output_shape(self, shape):
        frames = None if shape[1] is None else shape[1] // (self.frame // 4) + 3
        return (shape[0], frames, self.frame // 2 + 1)
