"""WaveGAN's generator: a one-dimensional DCGAN, from random numbers to a window of sound.

A dense layer gives a few wide frames. Every level after it gives four times as many, half as wide,
down to a waveform: `window = first * 4 ** levels`. 16384 samples are made from 16 frames in five
levels, 65536 in six, 32768 from 32 frames in five.

Source: Donahue, McAuley & Puckette 2019, "Adversarial audio synthesis", arXiv:1802.04208, section
3.1 and the tables of its appendix; `upsample` and the post-filter are in its appendix on artifacts.
Departs from it:
- 32768 samples start from 32 frames; the authors' code ends in a level of stride two.
- The post-filter starts as an identity, theirs as noise, so it does no harm before it is trained.
"""

import keras
import numpy as np
from keras import layers

from tfsepgan.errors import ConfigError
from tfsepgan.settings.networks import SynthesizerConfig

FACTOR = 4  # upsampling of a level
FIRST_RMS = 0.1  # RMS of the first sounds with start 'he': -20 dBFS, a usual level of music
# Frames after the dense layer; with these limits a window can be made in one way only.
FEWEST_FRAMES, MOST_FRAMES = 16, 63


def levels_of(window: int) -> tuple[int, int]:
    """Return how a window is made: frames of the dense layer, and levels after it.

    Args:
      window: samples.
    Returns: first, levels; `first * 4 ** levels` is the window, first in 16 to 63.
    Raises: ConfigError for a window that cannot be made; the message names the nearest ones.
    """
    first, levels = window, 0
    while first > MOST_FRAMES and first % FACTOR == 0:
        first, levels = first // FACTOR, levels + 1
    if levels and FEWEST_FRAMES <= first <= MOST_FRAMES:
        return first, levels
    near = ", ".join(map(str, _nearest_windows(window)))
    raise ConfigError(
        f"window is {window}; a synthesizer makes {FEWEST_FRAMES} to {MOST_FRAMES} frames and four"
        " times as many at each level. Use 16384, 32768 or 65536 as the paper does, or the"
        f" nearest: {near}."
    )


def _nearest_windows(window: int) -> list[int]:
    """Return the next shorter and the next longer window that can be made; above 64 samples."""
    made = [
        frames * FACTOR**level
        for level in range(1, 12)
        for frames in range(FEWEST_FRAMES, MOST_FRAMES + 1)
    ]
    shorter, longer = [one for one in made if one < window], [one for one in made if one > window]
    return ([max(shorter)] if shorter else []) + ([min(longer)] if longer else [])


def wavegan_generator(config: SynthesizerConfig, *, window: int) -> keras.Model:
    """Build WaveGAN's generator.

    Args:
      config: its settings.
      window: length of its output, in samples, see `levels_of`.
    Returns: `[batch, latent]` in [-1, 1] -> `[batch, window, 1]`, float32; in (-1, 1) before a
      post-filter.
    Raises: ConfigError for a window that no number of levels makes.
    """
    first, levels = levels_of(window)
    widest = config.channels * 2 ** (levels - 1)
    latent = keras.Input((config.latent,), name="latent")
    start = _start(config, config.latent / 3)  # a uniform number in [-1, 1] has a power of 1/3
    enter = layers.Dense(first * widest, activation="relu", kernel_initializer=start, name="enter")
    signal = layers.Reshape((first, widest), name="frames")(enter(latent))
    for level in range(levels - 1):
        signal = _upsample(signal, widest // 2 ** (level + 1), config, name=f"up{level}")
        signal = layers.ReLU(name=f"relu{level}")(signal)
    signal = _upsample(signal, 1, config, name=f"up{levels - 1}", gain=FIRST_RMS / np.sqrt(2))
    waveform = layers.Activation("tanh", dtype="float32", name="waveform")(signal)
    if config.post_filter:
        waveform = post_filter(config.post_filter)(waveform)
    return keras.Model(latent, waveform, name="wavegan_generator")


def _upsample(signal, channels: int, config: SynthesizerConfig, *, name: str, gain: float = 1.0):
    """Upsample by four: a transposed convolution, or a repetition and a convolution."""
    fan_in = config.kernel * signal.shape[-1]  # inputs of one output sample
    if config.upsample == "transposed":
        start = _start(config, fan_in / FACTOR, gain=gain)
        options = {"padding": "same", "kernel_initializer": start, "name": name}
        return layers.Conv1DTranspose(channels, config.kernel, FACTOR, **options)(signal)
    signal = layers.UpSampling1D(FACTOR, name=f"{name}_repeat")(signal)
    options = {"padding": "same", "kernel_initializer": _start(config, fan_in, gain=gain)}
    return layers.Conv1D(channels, config.kernel, name=name, **options)(signal)


def _start(config: SynthesizerConfig, fan_in: float, *, gain: float = 1.0):
    """Return the initializer of a filter.

    Args:
      fan_in: number of inputs of power one that each output is a sum of.
    """
    if config.start == "glorot":
        return "glorot_uniform"
    # He et al. 2015, arXiv:1502.01852, eq. 10: compensates for the power that ReLU halves.
    return keras.initializers.RandomNormal(stddev=gain * float(np.sqrt(2 / fan_in)))


def post_filter(length: int) -> keras.Layer:
    """Build a linear filter on the finished waveform, `[batch, time, 1]` -> the same shape.

    It starts as an identity. Upsampling leaves a constant tone at every multiple of its step; the
    filter can learn to remove it.

    Args:
      length: samples.
    """
    start = {"use_bias": False, "kernel_initializer": Impulse()}
    return layers.Conv1D(1, length, padding="same", dtype="float32", name="post_filter", **start)


@keras.saving.register_keras_serializable("tfsepgan")
class Impulse(keras.initializers.Initializer):
    """Initializer of a filter that passes its input: 1 at `(length - 1) // 2`, 0 elsewhere."""

    def __call__(self, shape, dtype=None):
        kernel = np.zeros(shape, "float32")
        kernel[(shape[0] - 1) // 2] = 1.0
        return keras.ops.convert_to_tensor(kernel, dtype=dtype)
