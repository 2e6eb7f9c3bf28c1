"""The filterbank masker: a generator that turns frequencies up and down, inside a short-time transform, keeping their phase.

Waveform in, waveform out: analysis, a mask in [0, 1] for each source, frame and bin from a stack of dilated
convolutions over time, synthesis.

Source: the mask is that of Huang et al. 2015 (arXiv:1502.04149) and SVSGAN (arXiv:1710.11428); the dilated residual
stack is Conv-TasNet's idea (arXiv:1809.07454) with dense convolutions, which two CPU cores like better than separable ones.
Departs from them: normalisation by frame and nothing global, so that long files can be cut into exact blocks. With the
features 'instantaneous_frequency' it also hears how the phase of each bin turns (GANSynth's representation, arXiv:1902.08710).
"""

import math

import keras
from keras import layers, ops

from tfsepgan.layers.dilated import DilatedConv1D
from tfsepgan.layers.filterbank import Analysis, Synthesis
from tfsepgan.layers.framing import PadToMultiple, TrimLike
from tfsepgan.layers.instantaneous_frequency import PhaseAdvance
from tfsepgan.settings.networks import GeneratorConfig

KERNEL = 3  # frames
FLOOR = (
    2.0**-22
)  # power of a bin that counts as silence; half precision holds it exactly, where 2e-7 would be a tenth off


@keras.saving.register_keras_serializable("tfsepgan")
class Loudness(keras.layers.Layer):
    """Log power of each bin, scaled to about [-1, 1] for music.

    Call: spectrum `[batch, frames, 2 * bins]` as `Analysis` gives it -> `[batch, frames, bins]`.
    """

    def call(self, spectrum):
        lower, upper = ops.split(spectrum, 2, axis=-1)
        twice_power = ops.square(lower) + ops.square(upper)
        return 0.1 * ops.log(twice_power + FLOOR) + 0.4

    def compute_output_shape(self, shape):
        return (*shape[:-1], shape[-1] // 2)


@keras.saving.register_keras_serializable("tfsepgan")
class MaskSource(keras.layers.Layer):
    """One source's share of every bin: its mask times the mixture's spectrum.

    Call: masks `[batch, frames, sources * bins]`, spectrum `[batch, frames, 2 * bins]` -> like the spectrum.
    """

    def __init__(self, source: int, bins: int, **kwargs):
        super().__init__(**{"dtype": "float32", **kwargs})
        self.source, self.bins = source, bins

    def call(self, masks, spectrum):
        mask = ops.split(masks, masks.shape[-1] // self.bins, axis=-1)[self.source]
        return spectrum * ops.concatenate([mask, mask], axis=-1)

    def compute_output_shape(self, masks_shape, spectrum_shape):
        return spectrum_shape

    def get_config(self):
        return {**super().get_config(), "source": self.source, "bins": self.bins}


@keras.saving.register_keras_serializable("tfsepgan")
class StackSources(keras.layers.Layer):
    """Puts the sources side by side: a list of `[batch, time, 1]` -> `[batch, sources, time, 1]`."""

    def call(self, waveforms):
        return ops.stack(waveforms, axis=1)

    def compute_output_shape(self, shapes):
        return (shapes[0][0], len(shapes), *shapes[0][1:])


def bins_below(config: GeneratorConfig, sample_rate_hz: int) -> int:
    """How many bins of a frame lie below the cutoff."""
    all_bins = config.frame // 2 + 1
    if config.cutoff_hz is None:
        return all_bins
    return min(all_bins, math.ceil(config.cutoff_hz * config.frame / sample_rate_hz))


def filterbank_context(config: GeneratorConfig) -> int:
    """Samples either side of an output sample that it depends on, a multiple of the hop."""
    reach = sum(config.dilations[block % len(config.dilations)] for block in range(config.blocks))
    frames = reach * (KERNEL - 1) // 2
    frames += config.features == "instantaneous_frequency"  # a phase turns from the frame before
    return (frames + 1) * config.hop + config.frame


def filterbank(config: GeneratorConfig, *, sources: int, sample_rate_hz: int) -> keras.Model:
    """Build the filterbank masker, `[batch, time, 1]` -> `[batch, sources, time, 1]`."""
    bins = bins_below(config, sample_rate_hz)
    mixture = keras.Input((None, 1), name="mixture")
    padded = PadToMultiple(config.hop)(mixture)
    spectrum = Analysis(config.frame, config.hop, bins, config.learnable, name="analysis")(padded)

    # Music falls by 60 dB from low to high bins: without that constant taken off, there is little else in the first layer.
    levels = layers.BatchNormalization(center=False, scale=False, name="levels")(Loudness(dtype="float32")(spectrum))
    heard = levels
    if config.features == "instantaneous_frequency":
        turning = PhaseAdvance(config.frame, config.hop, name="phase_advance")(spectrum)
        heard = layers.Concatenate(name="features")([levels, turning])
    signal = layers.Dense(config.channels, name="enter")(heard)
    for block in range(config.blocks):
        dilation = config.dilations[block % len(config.dilations)]
        signal = residual_block(signal, config.channels, dilation, dropout=config.dropout, name=f"block{block}")
    signal = layers.LayerNormalization(epsilon=1e-3, name="norm")(signal)
    masks = layers.Dense(sources * bins, activation="sigmoid", name="masks")(signal)

    synthesis = Synthesis(config.frame, config.hop, config.learnable, name="synthesis")
    waveforms = [synthesis(MaskSource(source, bins)(masks, spectrum)) for source in range(sources)]
    estimates = TrimLike(dtype="float32")(StackSources(dtype="float32")(waveforms), mixture)
    return keras.Model(mixture, estimates, name="filterbank")


def residual_block(signal, channels: int, dilation: int, *, dropout: float = 0.0, name: str):
    """Normalise, look `dilation` frames around, add what was found."""
    branch = layers.LayerNormalization(epsilon=1e-3, name=f"{name}_norm")(signal)
    if dropout:
        branch = layers.SpatialDropout1D(dropout, name=f"{name}_drop")(branch)
    branch = DilatedConv1D(channels, KERNEL, dilation, activation="relu", name=f"{name}_look")(branch)
    branch = layers.Dense(channels, name=f"{name}_mix")(branch)
    return layers.Add(name=f"{name}_add")([signal, branch])
