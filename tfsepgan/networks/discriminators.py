"""Discriminators: what hears a window and says how real it sounds, layer by layer.

Each is a Functional Keras model, `[batch, window, 1]` -> `{"scores": [...], "features": [...]}`:
one score tensor for each listener (one number or a map of them, no activation), and every layer's
output, first layer first, for feature matching.

Sources: `wavegan`, Donahue et al. 2018 (arXiv:1802.04208) as the paper uses it; `patch`, Isola et
al. 2017 (arXiv:1611.07004); `multiperiod`, HiFi-GAN, Kong et al. 2020 (arXiv:2010.05646);
`multiresolution`, UnivNet, Jang et al. 2021 (arXiv:2106.07889); `projections`, Neyshabur et al.
2017 (arXiv:1705.07831); `instantaneous_frequency`, the representation of GANSynth, Engel et al.
2019 (arXiv:1902.08710).
Departs from them: `multiresolution` and `instantaneous_frequency` convolve over frames with the
bins as channels, not over both, which costs a tenth on a CPU. A listener of `projections` is
WaveGAN's discriminator less its first two layers, whose sixteenth of the rate the projection's
twelfth stands for; in the authors' images it stands for the first layer, and kernels of 4 start
uniform within sqrt(3 / inputs). One Adam trains them all; the authors' K differ from it only where
gradients are clipped by their norm. `instantaneous_frequency` has UnivNet's discriminators at
several frame lengths, and neither GANSynth's one that grows with its generator (leaky ReLU,
equalised rates, deviation within the batch) nor its classifier of pitch: no pitch is known here.
"""

from collections.abc import Callable
from functools import partial

import keras
from keras import layers, ops

from tfsepgan.layers.framing import PadToMultiple
from tfsepgan.layers.instantaneous_frequency import FrequencySpectrogram
from tfsepgan.layers.phase_shuffle import PhaseShuffle
from tfsepgan.layers.random_projection import RandomProjection
from tfsepgan.layers.spectrogram import LogSpectrogram
from tfsepgan.settings.networks import DiscriminatorConfig

SLOPE = 0.2  # leaky ReLU, all sources above but HiFi-GAN (0.1)
LISTENER_LAYERS = 3  # of `projections`

# How the kernels of the convolutions start, and that of the last layer.
STARTS = {
    "glorot": (keras.initializers.GlorotUniform, keras.initializers.GlorotUniform),
    "normal": (
        partial(keras.initializers.RandomNormal, stddev=0.02),
        partial(keras.initializers.VarianceScaling, 2.0, "fan_in", "untruncated_normal"),
    ),
}


def _maybe_bounded(layer: keras.Layer, config: DiscriminatorConfig) -> keras.Layer:
    return layers.SpectralNormalization(layer) if config.spectral_norm else layer


def _leaky(signal):
    return layers.LeakyReLU(negative_slope=SLOPE)(signal)


def wavegan(config: DiscriminatorConfig, *, window: int, seed: int) -> keras.Model:
    """Strided convolutions over the waveform with phase shuffle between them, then one score for
    the window."""
    waveform = keras.Input((window, 1), name="waveform")
    score, features = _wavegan_listener(waveform, config, layer_count=config.levels, seed=seed)
    return keras.Model(waveform, _heard([score], features), name="wavegan")


def projections(config: DiscriminatorConfig, *, window: int, seed: int) -> keras.Model:
    """One listener for each frozen random projection of the waveform: three strided convolutions,
    then one score."""
    waveform = keras.Input((window, 1), name="waveform")
    project = RandomProjection(
        config.projections,
        config.projection_kernel,
        config.projection_stride,
        seed=seed,
        name="projections",
    )
    projected = project(PadToMultiple(config.projection_stride)(waveform))
    views = ops.split(projected, config.projections, axis=-1)
    scores, features = [], []
    for index, view in enumerate(views):
        shuffles = seed + LISTENER_LAYERS * index  # a seed for each layer of each listener
        score, heard = _wavegan_listener(
            view, config, layer_count=LISTENER_LAYERS, seed=shuffles, name=f"projection{index}_"
        )
        scores.append(score)
        features += heard
    return keras.Model(waveform, _heard(scores, features), name="projections")


def _wavegan_listener(
    signal, config: DiscriminatorConfig, *, layer_count: int, seed: int, name: str = ""
):
    """Strided convolutions with phase shuffle between them: the score of the whole window, and
    every layer's output."""
    kernels, last = STARTS[config.start]
    features = []
    for level in range(layer_count):
        channels = config.channels * 2**level
        convolve = layers.Conv1D(
            channels, 25, 4, padding="same", kernel_initializer=kernels(), name=f"{name}conv{level}"
        )
        signal = _leaky(_maybe_bounded(convolve, config)(signal))
        features.append(signal)
        if level < layer_count - 1:
            signal = PhaseShuffle(
                config.phase_shuffle, seed=seed + level, name=f"{name}shuffle{level}"
            )(signal)
    listen = _maybe_bounded(layers.Dense(1, kernel_initializer=last(), name=f"{name}score"), config)
    return listen(layers.Flatten()(signal)), features


def patch(config: DiscriminatorConfig, *, window: int, seed: int) -> keras.Model:
    """Strided convolutions over the waveform, one score for each patch of about 340 samples."""
    waveform = keras.Input((None, 1), name="waveform")
    signal, features = waveform, []
    for level, (kernel, stride) in enumerate(((15, 4), (15, 4), (15, 4), (5, 1))):
        channels = config.channels * 2 ** min(level, 3)
        convolve = layers.Conv1D(channels, kernel, stride, padding="same", name=f"conv{level}")
        signal = _leaky(_maybe_bounded(convolve, config)(signal))
        features.append(signal)
    score = _maybe_bounded(layers.Conv1D(1, 3, padding="same", name="score"), config)(signal)
    return keras.Model(waveform, _heard([score], features), name="patch")


@keras.saving.register_keras_serializable("tfsepgan")
class Fold(keras.layers.Layer):
    """Writes a waveform in rows of `period` samples: `[batch, time, 1]` -> `[batch, time / period,
    period, 1]`."""

    def __init__(self, period: int, **kwargs):
        super().__init__(**kwargs)
        self.period = period

    def call(self, waveform):
        return ops.reshape(waveform, (ops.shape(waveform)[0], -1, self.period, 1))

    def compute_output_shape(self, shape):
        return (shape[0], None if shape[1] is None else shape[1] // self.period, self.period, 1)

    def get_config(self):
        return {**super().get_config(), "period": self.period}


def multiperiod(config: DiscriminatorConfig, *, window: int, seed: int) -> keras.Model:
    """One listener for each period, hearing every period-th sample."""
    waveform = keras.Input((None, 1), name="waveform")
    scores, features = [], []
    for period in config.periods:
        signal = Fold(period)(PadToMultiple(period)(waveform))
        for level in range(4):
            channels = config.channels * 2 ** min(level, 3)
            name = f"period{period}_conv{level}"
            convolve = layers.Conv2D(channels, (5, 1), (3, 1), padding="same", name=name)
            signal = _leaky(_maybe_bounded(convolve, config)(signal))
            features.append(signal)
        listen = layers.Conv2D(1, (3, 1), padding="same", name=f"period{period}_score")
        scores.append(_maybe_bounded(listen, config)(signal))
    return keras.Model(waveform, _heard(scores, features), name="multiperiod")


def multiresolution(config: DiscriminatorConfig, *, window: int, seed: int) -> keras.Model:
    """One listener for each frame length, hearing the log spectrogram."""
    return _over_frames(config, partial(LogSpectrogram, floor=config.floor), name="multiresolution")


def instantaneous_frequency(config: DiscriminatorConfig, *, window: int, seed: int) -> keras.Model:
    """One listener for each frame length, hearing the log spectrogram and how every bin's phase
    turns."""
    return _over_frames(config, FrequencySpectrogram, name="instantaneous_frequency")


def _over_frames(
    config: DiscriminatorConfig, spectrogram: Callable[[int], keras.layers.Layer], *, name: str
) -> keras.Model:
    """Convolutions over the frames of a spectrogram, for each frame length."""
    waveform = keras.Input((None, 1), name="waveform")
    scores, features = [], []
    for frame in config.frames:
        signal = spectrogram(frame)(PadToMultiple(frame // 4)(waveform))
        for level, (multiple, kernel, stride) in enumerate(((2, 3, 1), (4, 5, 2), (4, 5, 2))):
            convolve = layers.Conv1D(
                config.channels * multiple,
                kernel,
                stride,
                padding="same",
                name=f"frame{frame}_conv{level}",
            )
            signal = _leaky(_maybe_bounded(convolve, config)(signal))
            features.append(signal)
        listen = layers.Conv1D(1, 3, padding="same", name=f"frame{frame}_score")
        scores.append(_maybe_bounded(listen, config)(signal))
    return keras.Model(waveform, _heard(scores, features), name=name)


def _heard(scores, features):
    as_float = layers.Activation("linear", dtype="float32")
    return {"scores": [as_float(score) for score in scores], "features": features}
