"""Frozen random projections of a waveform: the inputs of an array of discriminators.

Source: Neyshabur, Bhojanapalli & Chakrabarti, "Stabilizing GAN training with multiple random
projections", arXiv:1705.07831, and the filters that its authors released: 8 x 8 pixels of 3 colours
to one value, every 2nd pixel each way, Gaussian, each filter of unit length.
Departs from it:
- One dimension: a filter has 192 samples, as many values as 8 x 8 x 3, and gives one value for
  every 12 samples, the ratio of 64 x 64 x 3 to 32 x 32.
- Filters are drawn from the run's seed and saved in its checkpoints. The authors draw them once,
  without a seed, into a file.

Zeros are added as there: half of (filter length - stride) on either side.
"""

import keras
import numpy as np
from keras import ops

from tfsepgan.errors import ConfigError
from tfsepgan.layers.configured import ConfiguredLayer


def random_filters(count: int, length: int, seed: int) -> np.ndarray:
    """Draw directions uniformly from the sphere: Gaussian numbers, scaled to unit length.

    Args:
      count: number of filters; a larger number keeps the first ones.
      length: samples of a filter.
      seed: the same seed draws the same filters.
    Returns: `[length, count]` float32.
    """
    streams = [np.random.SeedSequence(seed, spawn_key=(index,)) for index in range(count)]
    drawn = [np.random.default_rng(stream).standard_normal(length) for stream in streams]
    return np.stack([one / np.linalg.norm(one) for one in drawn], axis=1).astype("float32")


@keras.saving.register_keras_serializable("tfsepgan")
class RandomProjection(ConfiguredLayer):
    """Filters a waveform with fixed random filters, one channel for each.

    Call: `[batch, time, 1]`, time a multiple of `stride` -> `[batch, time / stride, count]`.

    A filter of unit length keeps the power of white noise, and the mean over all filters keeps the
    power of any signal: for w uniform on the sphere of n dimensions, E (w . x)^2 = |x|^2 / n.

    Args:
      count: projections.
      kernel_size: samples of a filter.
      stride: samples from one value to the next, at most `kernel_size`.
      seed: seed of the filters. They are weights that are not trained, so a resumed run has the
        same ones.
    Raises: ConfigError when the filters would skip samples.
    """

    def __init__(self, count: int, kernel_size: int, stride: int, seed: int = 0, **kwargs):
        super().__init__(**{"dtype": "float32", **kwargs})
        if not 1 <= stride <= kernel_size:
            raise ConfigError(
                f"the filters of a random projection are {kernel_size} samples long and {stride}"
                " apart; their distance must be at least 1 and at most their length."
            )
        self.count, self.kernel_size, self.stride, self.seed = count, kernel_size, stride, seed

    def build(self, shape):
        filters = random_filters(self.count, self.kernel_size, self.seed)[:, None, :]
        self.filters = self.add_weight(shape=filters.shape, trainable=False, name="filters")
        self.filters.assign(filters)

    def call(self, waveform):
        padding = self.kernel_size - self.stride
        padded = ops.pad(waveform, [[0, 0], [padding // 2, padding - padding // 2], [0, 0]])
        return ops.conv(padded, self.filters, strides=self.stride, padding="valid")

    def compute_output_shape(self, shape):
        return (shape[0], None if shape[1] is None else shape[1] // self.stride, self.count)
