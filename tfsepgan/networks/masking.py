"""The first and last layers of all maskers: from waveform to features, and from masks to waveforms.

A mask in [0, 1] attenuates a bin and keeps its phase. With the setting `mask` 'complex' it also
changes the phase, by up to 180 degrees in either direction. A bin is never amplified, except 0 Hz
and half the sample rate, which have no phase to change: by 3 dB at most.

Source: the mask is that of Huang et al. 2015 (arXiv:1502.04149) and SVSGAN (arXiv:1710.11428); the
complex one is Williamson, Wang & Wang 2016, "Complex ratio masking for monaural speech separation",
IEEE/ACM TASLP 24(3), section III.
Departs from it: theirs has an unbounded real and imaginary part, compressed for training; here it
has a magnitude in [0, 1] and an angle. The features 'complex' take magnitudes to the power 0.3, as
Wilson et al. 2018 do in their loss (arXiv:1811.08521, section 2).
"""

import math
from collections.abc import Callable
from typing import NamedTuple

import keras
from keras import layers, ops

from tfsepgan.dsp.filterbank import (
    AMPLIFIED,
    FLOOR,
    KERNEL,
    LOG_OFFSET,
    LOG_SCALE,
    frames_ahead,
)
from tfsepgan.layers.configured import ConfiguredLayer, SameShapeLayer
from tfsepgan.layers.filterbank import Analysis, Synthesis
from tfsepgan.layers.framing import PadToMultiple, TrimLike
from tfsepgan.layers.instantaneous_frequency import PhaseAdvance
from tfsepgan.settings.networks import GeneratorConfig

COMPRESSION = 0.3  # exponent of magnitudes


@keras.saving.register_keras_serializable("tfsepgan")
class Loudness(keras.layers.Layer):
    """Log power of each bin, scaled to about [-1, 1] for music.

    Call: spectrum `[batch, frames, 2 * bins]` of `Analysis` -> `[batch, frames, bins]`.
    """

    def call(self, spectrum):
        lower, upper = ops.split(spectrum, 2, axis=-1)
        twice_power = ops.square(lower) + ops.square(upper)
        return LOG_SCALE * ops.log(twice_power + FLOOR) + LOG_OFFSET

    def compute_output_shape(self, shape):
        return (*shape[:-1], shape[-1] // 2)


@keras.saving.register_keras_serializable("tfsepgan")
class AtOneLevel(SameShapeLayer):
    """The spectrum divided by the level around each frame: the same at any volume.

    Call: spectrum `[batch, frames, 2 * bins]` of `Analysis` -> the same shape; the mean power of a
    bin is near 1.

    Args:
      reach: frames before each frame over which the level is averaged; frames outside of the
        signal count as silence.
      ahead: frames after it; None: `reach`.
    """

    def __init__(self, reach: int, ahead: int | None = None, **kwargs):
        super().__init__(**{"dtype": "float32", **kwargs})
        self.reach, self.ahead = reach, reach if ahead is None else ahead

    def call(self, spectrum):
        return self.inside(ops.pad(spectrum, [[0, 0], [self.reach, self.ahead], [0, 0]]))

    def inside(self, spectrum):
        """Return the same for a spectrum with `reach` more frames before and `ahead` after."""
        amplified = AMPLIFIED * spectrum
        power = ops.mean(ops.square(amplified), axis=-1, keepdims=True)
        context = self.reach + self.ahead
        power = ops.average_pool(power, context + 1, strides=1, padding="valid")
        frames = (ops.shape(spectrum)[0], ops.shape(spectrum)[1] - context)
        own = ops.slice(amplified, (0, self.reach, 0), (*frames, spectrum.shape[-1]))
        return own * ops.rsqrt(power + FLOOR)


@keras.saving.register_keras_serializable("tfsepgan")
class Compressed(SameShapeLayer):
    """The spectrum with magnitudes to the power 0.3 and unchanged phases.

    Call: spectrum `[batch, frames, 2 * bins]` of `Analysis` -> the same shape, about [-1, 1] for
    music.
    """

    def call(self, spectrum):
        lower, upper = ops.split(spectrum, 2, axis=-1)
        twice_power = ops.square(lower) + ops.square(upper) + FLOOR
        gain = 0.5 * ops.exp((COMPRESSION - 1) / 2 * ops.log(twice_power))
        return ops.concatenate([lower * gain, upper * gain], axis=-1)


@keras.saving.register_keras_serializable("tfsepgan")
class MaskSource(ConfiguredLayer):
    """Multiplies the mixture's spectrum by the mask of one source, and turns its phase where given.

    Call: masks `[batch, frames, sources * bins]`, spectrum `[batch, frames, 2 * bins]`, turns like
    the masks in half circles (None: phases stay) -> the shape of the spectrum.
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
        # A - B and A + B of a bin rotate like its real and imaginary part.
        cosine, sine = mask * ops.cos(angle), mask * ops.sin(angle)
        turned = [cosine * lower - sine * upper, cosine * upper + sine * lower]
        return ops.concatenate(turned, axis=-1)

    def _own(self, of_all):
        if of_all.shape[-1] == self.bins:  # LiteRT's WebGPU runtime aborts on a split into one
            return of_all
        return ops.split(of_all, of_all.shape[-1] // self.bins, axis=-1)[self.source]

    def compute_output_shape(self, masks_shape, spectrum_shape, turns_shape=None):
        return spectrum_shape


@keras.saving.register_keras_serializable("tfsepgan")
class StackSources(keras.layers.Layer):
    """Stacks the sources: a list of `[batch, time, 1]` -> `[batch, sources, time, 1]`."""

    def call(self, waveforms):
        return ops.stack(waveforms, axis=1)

    def compute_output_shape(self, shapes):
        return (shapes[0][0], len(shapes), *shapes[0][1:])


class MaskerInputs(NamedTuple):
    """The layers of a masker before its mask network."""

    mixture: keras.KerasTensor  # [batch, time, 1], the network's input
    spectrum: keras.KerasTensor  # [batch, frames, 2 * bins]
    features: keras.KerasTensor  # [batch, frames, features * bins], one feature after the other
    bins: int


def masker_inputs(config: GeneratorConfig, sample_rate_hz: int) -> MaskerInputs:
    """Build the layers before the mask network: transform and features."""
    bins = bins_below(config, sample_rate_hz)
    mixture = keras.Input((None, 1), name="mixture")
    padded = PadToMultiple(config.hop)(mixture)
    short = {"synthesis_frame": config.synthesis_frame}
    analysis = Analysis(config.frame, config.hop, bins, config.learnable, **short, name="analysis")
    spectrum = analysis(padded)

    levelled = spectrum
    if config.level_frames:
        ahead = level_frames_ahead(config)
        levelled = AtOneLevel(config.level_frames, ahead, name="at_one_level")(spectrum)
    features = levels = loudness_levels(levelled)
    if config.features == "instantaneous_frequency":
        turning = PhaseAdvance(config.frame, config.hop, name="phase_advance")(levelled)
        features = layers.Concatenate(name="features")([levels, turning])
    elif config.features == "complex":
        compressed = Compressed(dtype="float32", name="compressed")(levelled)
        features = layers.Concatenate(name="features")([levels, compressed])
    return MaskerInputs(mixture, spectrum, features, bins)


def loudness_levels(spectrum):
    """Return the loudness of each bin of a spectrum of `Analysis`, normalised bin by bin.

    Music falls by 60 dB from low to high bins. Unless this constant is subtracted, it dominates the
    first layer.
    """
    loudness = Loudness(dtype="float32")(spectrum)
    return layers.BatchNormalization(center=False, scale=False, name="levels")(loudness)


def masked(
    config: GeneratorConfig, inputs: MaskerInputs, head: Callable, *, sources: int
) -> keras.Model:
    """Build the layers after the mask network, and with them the model.

    Args:
      head: builds the last layer from its name and activation: `[batch, frames, sources * bins]`,
        the masks in [0, 1] or the turns in half circles.
    Returns: `[batch, time, 1]` -> `[batch, sources, time, 1]`; its name is its kind.
    """
    masks = head("masks", "sigmoid")
    turns = head("turns", "tanh") if config.mask == "complex" else None
    short = {"synthesis_frame": config.synthesis_frame}
    synthesis = Synthesis(config.frame, config.hop, config.learnable, **short, name="synthesis")
    masking = [MaskSource(source, inputs.bins) for source in range(sources)]
    shares = [mask(masks, inputs.spectrum, turns) for mask in masking]
    waveforms = [synthesis(share) for share in shares]
    estimates = TrimLike(dtype="float32")(StackSources(dtype="float32")(waveforms), inputs.mixture)
    return keras.Model(inputs.mixture, estimates, name=config.kind)


def bins_below(config: GeneratorConfig, sample_rate_hz: int) -> int:
    """Return the number of bins of a frame below the cutoff."""
    all_bins = config.frame // 2 + 1
    if config.cutoff_hz is None:
        return all_bins
    return min(all_bins, math.ceil(config.cutoff_hz * config.frame / sample_rate_hz))


def dilation_of(config: GeneratorConfig, block: int) -> int:
    """Return the frames between the taps of a block."""
    return config.dilations[block % len(config.dilations)]


def level_frames_ahead(config: GeneratorConfig) -> int:
    """Return the frames of the future over which a level is measured."""
    return config.level_frames if config.look_ahead_frames is None else 0


def masker_context(config: GeneratorConfig, further: int = 0) -> int:
    """Return how many samples on each side an output sample depends on; a multiple of the hop.

    Args:
      further: convolutions without dilation, beside those of the blocks.
    """
    taps_apart = further + sum(dilation_of(config, block) for block in range(config.blocks))
    both_sides = 2 * taps_apart * (KERNEL // 2)
    after = frames_after(config, further)
    frames = max(both_sides - after, after)
    frames += config.features == "instantaneous_frequency"  # a phase advance needs the frame before
    frames += config.level_frames
    return (frames + 1) * config.hop + config.frame


def frames_after(config: GeneratorConfig, further: int = 0) -> int:
    """Return the frames that the convolutions of a masker look into the future.

    Args:
      further: convolutions without dilation, beside those of the blocks.
    """
    ahead = frames_ahead(config.dilations, config.blocks, config.look_ahead_frames)
    return further * (KERNEL // 2) + sum(ahead)


def masker_latency(config: GeneratorConfig, further: int = 0) -> int:
    """Return the algorithmic latency in samples: an output sample depends on this many after it.

    It is the length of the synthesis window and the frames that the network looks ahead. The time
    for computation is not part of it.
    """
    look_ahead = frames_after(config, further) + level_frames_ahead(config)
    return (config.synthesis_frame or config.frame) + config.hop * look_ahead
