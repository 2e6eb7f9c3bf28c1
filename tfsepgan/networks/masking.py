"""What all maskers share: from the waveform to what they hear, and from masks back to waveforms.

A mask in [0, 1] turns a bin down and keeps its phase. With the setting `mask` 'complex' it may turn
the phase as well, by up to half a circle either way; a bin is never made louder, but 0 Hz and half
the rate, which have no phase to turn: by 3 dB at most.

Source: the mask is that of Huang et al. 2015 (arXiv:1502.04149) and SVSGAN (arXiv:1710.11428); the
complex one is Williamson, Wang & Wang 2016, "Complex ratio masking for monaural speech separation",
IEEE/ACM TASLP 24(3), section III.
Departs from it: theirs is a real and an imaginary part without a bound, squeezed for training; here
a magnitude in [0, 1] and an angle. The features 'complex' take the power 0.3 of magnitudes, as
Wilson et al. 2018 do in their loss (arXiv:1811.08521, section 2).
"""

import math
from typing import NamedTuple

import keras
from keras import layers, ops

from tfsepgan.layers.filterbank import Analysis, Synthesis
from tfsepgan.layers.framing import PadToMultiple, TrimLike
from tfsepgan.layers.instantaneous_frequency import PhaseAdvance
from tfsepgan.settings.networks import GeneratorConfig

FLOOR = (
    2.0**-22
)  # power of a bin that counts as silence; half precision holds it exactly, where 2e-7 would be a tenth off
# Amplitudes are multiplied by so much before their level is taken: FLOOR is then 190 dB below a
# sine at full scale. Half precision holds both numbers.
AMPLIFIED = 2.0**12
COMPRESSION = 0.3  # power that magnitudes are taken to


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
class AtOneLevel(keras.layers.Layer):
    """The spectrum divided by the level of the frames around it: the same for a recording at any
    volume.

    Call: spectrum `[batch, frames, 2 * bins]` as `Analysis` gives it -> the same shape, the mean
    power of a bin near 1.

    Args:
      reach: frames either side that the level is the mean of; beyond the signal they are silent.
    """

    def __init__(self, reach: int, **kwargs):
        super().__init__(**{"dtype": "float32", **kwargs})
        self.reach = reach

    def call(self, spectrum):
        return self.inside(ops.pad(spectrum, [[0, 0], [self.reach, self.reach], [0, 0]]))

    def inside(self, spectrum):
        """The same for frames that bring `reach` frames either side with them."""
        amplified = AMPLIFIED * spectrum
        power = ops.mean(ops.square(amplified), axis=-1, keepdims=True)
        power = ops.average_pool(power, 2 * self.reach + 1, strides=1, padding="valid")
        frames = (ops.shape(spectrum)[0], ops.shape(spectrum)[1] - 2 * self.reach)
        own = ops.slice(amplified, (0, self.reach, 0), (*frames, spectrum.shape[-1]))
        return own * ops.rsqrt(power + FLOOR)

    def compute_output_shape(self, shape):
        return shape

    def get_config(self):
        return {**super().get_config(), "reach": self.reach}


@keras.saving.register_keras_serializable("tfsepgan")
class Compressed(keras.layers.Layer):
    """The spectrum with its magnitudes to the power 0.3, phases kept.

    Call: spectrum `[batch, frames, 2 * bins]` as `Analysis` gives it -> the same shape, about [-1,
      1] for music.
    """

    def call(self, spectrum):
        lower, upper = ops.split(spectrum, 2, axis=-1)
        twice_power = ops.square(lower) + ops.square(upper) + FLOOR
        gain = 0.5 * ops.exp((COMPRESSION - 1) / 2 * ops.log(twice_power))
        return ops.concatenate([lower * gain, upper * gain], axis=-1)

    def compute_output_shape(self, shape):
        return shape


@keras.saving.register_keras_serializable("tfsepgan")
class MaskSource(keras.layers.Layer):
    """One source's share of every bin: its mask times the mixture's spectrum, turned where turns
    are given.

    Call: masks `[batch, frames, sources * bins]`, spectrum `[batch, frames, 2 * bins]`, turns like
    the masks in half circles (None: not turned) -> like the spectrum.
    """

    def __init__(self, source: int, bins: int, **kwargs):
        super().__init__(**{"dtype": "float32", **kwargs})
        self.source, self.bins = source, bins

    def call(self, masks, spectrum, turns=None):
        mask = self._own(masks)
        if turns is None:
            return spectrum * ops.concatenate([mask, mask], axis=-1)
        lower, upper = ops.split(spectrum, 2, axis=-1)
        angle = math.pi * self._own(turns)
        # A - B and A + B of a bin turn as its real and imaginary part do.
        along, beside = mask * ops.cos(angle), mask * ops.sin(angle)
        return ops.concatenate(
            [along * lower - beside * upper, along * upper + beside * lower], axis=-1
        )

    def _own(self, of_all):
        return ops.split(of_all, of_all.shape[-1] // self.bins, axis=-1)[self.source]

    def compute_output_shape(self, masks_shape, spectrum_shape, turns_shape=None):
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


class Heard(NamedTuple):
    """The entrance of a masker."""

    mixture: keras.KerasTensor  # [batch, time, 1], the network's input
    spectrum: keras.KerasTensor  # [batch, frames, 2 * bins]
    features: keras.KerasTensor  # [batch, frames, features * bins], one feature after the other
    bins: int


def hear(config: GeneratorConfig, sample_rate_hz: int) -> Heard:
    """Build what stands before the masks: transform and features."""
    bins = bins_below(config, sample_rate_hz)
    mixture = keras.Input((None, 1), name="mixture")
    padded = PadToMultiple(config.hop)(mixture)
    spectrum = Analysis(config.frame, config.hop, bins, config.learnable, name="analysis")(padded)

    # Music falls by 60 dB from low to high bins: without that constant taken off, there is little
    # else in the first layer.
    levelled = spectrum
    if config.level_frames:
        levelled = AtOneLevel(config.level_frames, name="at_one_level")(spectrum)
    levels = layers.BatchNormalization(center=False, scale=False, name="levels")(
        Loudness(dtype="float32")(levelled)
    )
    features = levels
    if config.features == "instantaneous_frequency":
        turning = PhaseAdvance(config.frame, config.hop, name="phase_advance")(levelled)
        features = layers.Concatenate(name="features")([levels, turning])
    elif config.features == "complex":
        compressed = Compressed(dtype="float32", name="compressed")(levelled)
        features = layers.Concatenate(name="features")([levels, compressed])
    return Heard(mixture, spectrum, features, bins)


def masked(
    config: GeneratorConfig, heard: Heard, masks, turns=None, *, sources: int
) -> keras.Model:
    """Build what stands behind the masks, and with it the network.

    Args:
      masks: `[batch, frames, sources * bins]`, in [0, 1].
      turns: the same in half circles, or None.
    Returns: `[batch, time, 1]` -> `[batch, sources, time, 1]`, with the name of its kind.
    """
    synthesis = Synthesis(config.frame, config.hop, config.learnable, name="synthesis")
    shares = [
        MaskSource(source, heard.bins)(masks, heard.spectrum, turns) for source in range(sources)
    ]
    waveforms = [synthesis(share) for share in shares]
    estimates = TrimLike(dtype="float32")(StackSources(dtype="float32")(waveforms), heard.mixture)
    return keras.Model(heard.mixture, estimates, name=config.kind)


def bins_below(config: GeneratorConfig, sample_rate_hz: int) -> int:
    """How many bins of a frame lie below the cutoff."""
    all_bins = config.frame // 2 + 1
    if config.cutoff_hz is None:
        return all_bins
    return min(all_bins, math.ceil(config.cutoff_hz * config.frame / sample_rate_hz))


def dilation_of(config: GeneratorConfig, block: int) -> int:
    """Frames between the taps of a block."""
    return config.dilations[block % len(config.dilations)]


def context_of(config: GeneratorConfig, frames: int) -> int:
    """Samples either side that an output sample depends on, a multiple of the hop.

    Args:
      frames: that the masks depend on, either side.
    """
    frames += config.features == "instantaneous_frequency"  # a phase turns from the frame before
    frames += config.level_frames
    return (frames + 1) * config.hop + config.frame
