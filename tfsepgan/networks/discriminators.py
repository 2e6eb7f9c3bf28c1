"""Discriminators: networks that score how real a window is, and return the output of every layer.

Each is a Functional Keras model, `[batch, window, 1]` -> `{"scores": [...], "features": [...]}`. It
has one or more branches. `scores` has one tensor for each branch: one number or a map of them,
without an activation. `features` has the output of every layer, first layer first, for feature
matching.

Sources:
- `wavegan`: Donahue et al. 2018 (arXiv:1802.04208), as the paper uses it.
- `patch`: Isola et al. 2017 (arXiv:1611.07004).
- `multiperiod`: HiFi-GAN, Kong et al. 2020 (arXiv:2010.05646).
- `multiresolution`: UnivNet, Jang et al. 2021 (arXiv:2106.07889).
- `projections`: Neyshabur et al. 2017 (arXiv:1705.07831).
- `instantaneous_frequency`: the representation of GANSynth, Engel et al. 2019 (arXiv:1902.08710).

Departs from them:
- `multiresolution` and `instantaneous_frequency` convolve over frames with the bins as channels,
  not over both, which costs a tenth on a CPU.
- A branch of `projections` is WaveGAN's discriminator without its first two layers: the projection,
  which divides the rate by 12, replaces these layers, which divide it by 16. In the authors' code
  for images it replaces the first layer, and kernels of 4 start uniform within sqrt(3 / inputs).
- One Adam trains all branches of `projections`. The authors' K optimizers differ from it only where
  gradients are clipped by their norm.
- `instantaneous_frequency` has UnivNet's discriminators at several frame lengths. It has neither
  GANSynth's growing discriminator (leaky ReLU, equalised rates, deviation within the batch) nor its
  classifier of pitch, because no pitch labels exist here.
"""

from collections.abc import Callable
from functools import partial

import keras
from keras import layers, ops

from tfsepgan.layers.configured import ConfiguredLayer
from tfsepgan.layers.framing import PadToMultiple
from tfsepgan.layers.instantaneous_frequency import FrequencySpectrogram
from tfsepgan.layers.phase_shuffle import PhaseShuffle
from tfsepgan.layers.random_projection import RandomProjection
from tfsepgan.layers.spectrogram import LogSpectrogram
from tfsepgan.settings.networks import DiscriminatorConfig

SLOPE = 0.2  # leaky ReLU, all sources above but HiFi-GAN (0.1)
BRANCH_LAYERS = 3  # of `projections`

# Initializers of the convolutions' kernels and of the last layer's kernel.
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
    """Build WaveGAN's discriminator: strided convolutions with phase shuffle, one score."""
    waveform = keras.Input((window, 1), name="waveform")
    score, features = _wavegan_branch(waveform, config, layer_count=config.levels, seed=seed)
    return keras.Model(waveform, _outputs([score], features), name="wavegan")


def projections(config: DiscriminatorConfig, *, window: int, seed: int) -> keras.Model:
    """Build one branch for each frozen random projection: three strided convolutions, one score."""
    waveform = keras.Input((window, 1), name="waveform")
    count, stride = config.projections, config.projection_stride
    project = RandomProjection(
        count, config.projection_kernel, stride, seed=seed, name="projections"
    )
    views = ops.split(project(PadToMultiple(stride)(waveform)), count, axis=-1)
    scores, features = [], []
    for index, view in enumerate(views):
        shuffles = seed + BRANCH_LAYERS * index  # a seed for each layer of each branch
        score, branch_features = _wavegan_branch(
            view, config, layer_count=BRANCH_LAYERS, seed=shuffles, name=f"projection{index}_"
        )
        scores.append(score)
        features += branch_features
    return keras.Model(waveform, _outputs(scores, features), name="projections")


def _wavegan_branch(
    signal, config: DiscriminatorConfig, *, layer_count: int, seed: int, name: str = ""
):
    """Return the score of the window and every layer's output of WaveGAN's discriminator."""
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
            options = {"seed": seed + level, "name": f"{name}shuffle{level}"}
            signal = PhaseShuffle(config.phase_shuffle, **options)(signal)
    scoring = layers.Dense(1, kernel_initializer=last(), name=f"{name}score")
    return _maybe_bounded(scoring, config)(layers.Flatten()(signal)), features


def patch(config: DiscriminatorConfig, *, window: int, seed: int) -> keras.Model:
    """Build a discriminator with one score for each patch of about 340 samples."""
    waveform = keras.Input((None, 1), name="waveform")
    signal, features = waveform, []
    for level, (kernel, stride) in enumerate(((15, 4), (15, 4), (15, 4), (5, 1))):
        channels = config.channels * 2 ** min(level, 3)
        convolve = layers.Conv1D(channels, kernel, stride, padding="same", name=f"conv{level}")
        signal = _leaky(_maybe_bounded(convolve, config)(signal))
        features.append(signal)
    score = _maybe_bounded(layers.Conv1D(1, 3, padding="same", name="score"), config)(signal)
    return keras.Model(waveform, _outputs([score], features), name="patch")


@keras.saving.register_keras_serializable("tfsepgan")
class Fold(ConfiguredLayer):
    """Folds a waveform into rows: `[batch, time, 1]` -> `[batch, time / period, period, 1]`."""

    def __init__(self, period: int, **kwargs):
        super().__init__(**kwargs)
        self.period = period

    def call(self, waveform):
        return ops.reshape(waveform, (ops.shape(waveform)[0], -1, self.period, 1))

    def compute_output_shape(self, shape):
        return (shape[0], None if shape[1] is None else shape[1] // self.period, self.period, 1)


def multiperiod(config: DiscriminatorConfig, *, window: int, seed: int) -> keras.Model:
    """Build one branch for each period, which convolves over every period-th sample."""
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
        scoring = layers.Conv2D(1, (3, 1), padding="same", name=f"period{period}_score")
        scores.append(_maybe_bounded(scoring, config)(signal))
    return keras.Model(waveform, _outputs(scores, features), name="multiperiod")


def multiresolution(config: DiscriminatorConfig, *, window: int, seed: int) -> keras.Model:
    """Build one branch for each frame length, on the log spectrogram."""
    return _over_frames(config, partial(LogSpectrogram, floor=config.floor), name="multiresolution")


def instantaneous_frequency(config: DiscriminatorConfig, *, window: int, seed: int) -> keras.Model:
    """Build one branch for each frame length, on log spectrogram and phase advance."""
    return _over_frames(config, FrequencySpectrogram, name="instantaneous_frequency")


def _over_frames(
    config: DiscriminatorConfig, spectrogram: Callable[[int], keras.layers.Layer], *, name: str
) -> keras.Model:
    """Build convolutions over the frames of a spectrogram, for each frame length."""
    waveform = keras.Input((None, 1), name="waveform")
    scores, features = [], []
    for frame in config.frames:
        signal = spectrogram(frame)(PadToMultiple(frame // 4)(waveform))
        for level, (multiple, kernel, stride) in enumerate(((2, 3, 1), (4, 5, 2), (4, 5, 2))):
            options = {"padding": "same", "name": f"frame{frame}_conv{level}"}
            convolve = layers.Conv1D(config.channels * multiple, kernel, stride, **options)
            signal = _leaky(_maybe_bounded(convolve, config)(signal))
            features.append(signal)
        scoring = layers.Conv1D(1, 3, padding="same", name=f"frame{frame}_score")
        scores.append(_maybe_bounded(scoring, config)(signal))
    return keras.Model(waveform, _outputs(scores, features), name=name)


def _outputs(scores, features):
    as_float = layers.Activation("linear", dtype="float32")
    return {"scores": [as_float(score) for score in scores], "features": features}
