"""Layers that pad signals to a multiple of the hop, cut estimates to length and arrange sources."""

import keras
from keras import ops

from tfsepgan.layers.configured import ConfiguredLayer


@keras.saving.register_keras_serializable("tfsepgan")
class PadToMultiple(ConfiguredLayer):
    """Adds zeros at the end until the length is a multiple of `multiple`.

    Call: `[batch, time, channels]` -> `[batch, time rounded up, channels]`, in float32 under any
    policy: a waveform in half precision has noise that covers its quiet frequencies.
    """

    def __init__(self, multiple: int, **kwargs):
        super().__init__(**{"dtype": "float32", **kwargs})
        self.multiple = multiple

    def call(self, signal):
        time = ops.shape(signal)[1]
        # Pad by a constant amount, then cut: the channel axis stays known, as TFLite's converter
        # needs it.
        padded = ops.pad(signal, [[0, 0], [0, self.multiple - 1], [0, 0]])
        return padded[:, : time + -time % self.multiple]

    def compute_output_shape(self, shape):
        time = None if shape[1] is None else shape[1] + -shape[1] % self.multiple
        return (shape[0], time, shape[2])


@keras.saving.register_keras_serializable("tfsepgan")
class TrimLike(keras.layers.Layer):
    """Cuts the estimates to the length of the input signal.

    Call: `[batch, sources, time, channels]`, `[batch, shorter time, channels]` -> `[batch, sources,
    shorter time, channels]`.
    """

    def call(self, estimates, signal):
        return estimates[:, :, : ops.shape(signal)[1], :]

    def compute_output_shape(self, estimates_shape, signal_shape):
        return (*estimates_shape[:2], signal_shape[1], estimates_shape[3])


@keras.saving.register_keras_serializable("tfsepgan")
class SplitSources(keras.layers.Layer):
    """Moves the channels of the network's output to an axis of sources.

    Call: `[batch, time, sources]` -> `[batch, sources, time, 1]`.
    """

    def call(self, signal):
        return ops.expand_dims(ops.transpose(signal, (0, 2, 1)), -1)

    def compute_output_shape(self, shape):
        return (shape[0], shape[2], shape[1], 1)


@keras.saving.register_keras_serializable("tfsepgan")
class FirstSources(ConfiguredLayer):
    """Keeps the first `count` sources.

    Call: `[batch, more sources, time, channels]` -> `[batch, count, time, channels]`.
    """

    def __init__(self, count: int, **kwargs):
        super().__init__(**kwargs)
        self.count = count

    def call(self, estimates):
        return estimates[:, : self.count]

    def compute_output_shape(self, shape):
        return (shape[0], self.count, *shape[2:])
