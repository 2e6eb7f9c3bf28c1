"""Discriminators: what hears a window and says how real it sounds, layer by layer.

Each is a Functional Keras model, `[batch, window, 1]` -> `{"scores": [...], "features": [...]}`: one score tensor for each
listener (one number or a map of them, no activation), and every layer's output, first layer first, for feature matching.

Sources: `wavegan`, Donahue et al. 2018 (arXiv:1802.04208) as the paper uses it; `patch`, Isola et al. 2017
(arXiv:1611.07004); `multiperiod`, HiFi-GAN, Kong et al. 2020 (arXiv:2010.05646); `multiresolution`, UnivNet, Jang et al.
2021 (arXiv:2106.07889).
Departs from them: `multiresolution` convolves over frames with the bins as channels, not over both, which costs a tenth on a CPU.
"""

import keras
from keras import layers, ops

from tfsepgan.layers.framing import PadToMultiple
from tfsepgan.layers.phase_shuffle import PhaseShuffle
from tfsepgan.layers.spectrogram import LogSpectrogram
from tfsepgan.settings.networks import DiscriminatorConfig

SLOPE = 0.2  # leaky ReLU, all sources above but HiFi-GAN (0.1)


def _maybe_bounded(layer: keras.Layer, config: DiscriminatorConfig) -> keras.Layer:
    return layers.SpectralNormalization(layer) if config.spectral_norm else layer


def _leaky(signal):
    return layers.LeakyReLU(negative_slope=SLOPE)(signal)


def wavegan(config: DiscriminatorConfig, *, window: int, seed: int) -> keras.Model:
    """Five strided convolutions over the waveform with phase shuffle between them, then one score for the window."""
    waveform = keras.Input((window, 1), name="waveform")
    signal, features = waveform, []
    for level in range(5):
        channels = config.channels * 2**level
        convolve = _maybe_bounded(layers.Conv1D(channels, 25, 4, padding="same", name=f"conv{level}"), config)
        signal = _leaky(convolve(signal))
        features.append(signal)
        if level < 4:
            signal = PhaseShuffle(config.phase_shuffle, seed=seed + level, name=f"shuffle{level}")(signal)
    score = _maybe_bounded(layers.Dense(1, name="score"), config)(layers.Flatten()(signal))
    return keras.Model(waveform, _heard([score], features), name="wavegan")


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
    """Writes a waveform in rows of `period` samples: `[batch, time, 1]` -> `[batch, time / period, period, 1]`."""

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
    waveform = keras.Input((None, 1), name="waveform")
    scores, features = [], []
    for frame in config.frames:
        signal = LogSpectrogram(frame)(PadToMultiple(frame // 4)(waveform))
        for level, (multiple, kernel, stride) in enumerate(((2, 3, 1), (4, 5, 2), (4, 5, 2))):
            name = f"frame{frame}_conv{level}"
            convolve = layers.Conv1D(config.channels * multiple, kernel, stride, padding="same", name=name)
            signal = _leaky(_maybe_bounded(convolve, config)(signal))
            features.append(signal)
        listen = layers.Conv1D(1, 3, padding="same", name=f"frame{frame}_score")
        scores.append(_maybe_bounded(listen, config)(signal))
    return keras.Model(waveform, _heard(scores, features), name="multiresolution")


def _heard(scores, features):
    as_float = layers.Activation("linear", dtype="float32")
    return {"scores": [as_float(score) for score in scores], "features": features}
