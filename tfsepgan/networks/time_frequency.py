"""Two maskers that share weights across frequency: `tfc_tdf`, a U-Net over frequency; `band_split`.

A dense layer over all bins has weights for every frequency and can memorise the instruments of its
training data. Here convolutions and dense layers over channels are the same at every frequency;
only narrow dense layers across positions distinguish frequencies.

`tfc_tdf`: `patch` neighbouring bins make a position. Frequency is halved `levels` times on the way
down and doubled on the way up; time keeps the rate of the frames. A block is a norm, a 3 x 3
convolution, dense layers across positions and a 1 x 1 convolution, added to its input. At the
deepest level, which has most of the context, convolutions are along time only, dilated.

`band_split`: bands of a few widths, each projected to the same channels by its own weights; the
deepest blocks of `tfc_tdf` over bands; then two dense layers for each band give its masks.

Source: Choi et al. 2020 (TFC-TDF), arXiv:1912.02591, sections 3.2 to 3.4; light descendants are
DTTNet (arXiv:2309.08684) and Moises-Light (arXiv:2510.06785). Bands: BSRNN (arXiv:2209.15174) and
SCNet (arXiv:2401.13276).
Departs from them:
- No recurrence and no attention, so that the context is finite.
- One convolution in a block instead of a dense stack of them.
- Halving is a dense layer on pairs instead of a strided convolution, and skips are added.
- Each frame is normalised by its mean square instead of statistics of a batch, instance or group,
  so that blocks of a long file and streaming are exact.
- SCNet compresses its bands by different amounts; here bands differ in width.
"""

import math

import keras
from keras import layers

from tfsepgan.dsp.filterbank import KERNEL
from tfsepgan.layers.bands import BandDense, BandMerge, BandSplit, band_groups
from tfsepgan.layers.time_frequency import (
    FoldBins,
    FrameNorm,
    FrequencyDense,
    Places,
    TimeFrequencyConv,
    UnfoldBins,
    positions_of,
)
from tfsepgan.networks.masking import dilation_of, masked, masker_context, masker_inputs
from tfsepgan.settings.networks import GeneratorConfig

LANES = 16  # channels that a processor computes at once; widths are multiples of it
HEAD = 2  # width of each band's dense layer, relative to the network's width


def width_at(config: GeneratorConfig, level: int) -> int:
    """Return the channels of a level of `tfc_tdf`: half of those of the level below.

    They are multiples of 16 where the network has at least 16 channels.
    """
    lanes = min(LANES, config.channels)
    return lanes * math.ceil(config.channels / 2 ** (config.levels - level) / lanes)


def tfc_tdf_context(config: GeneratorConfig) -> int:
    """Return how many samples on each side an output sample depends on; a multiple of the hop."""
    return masker_context(config, 2 * config.levels)


def tfc_tdf(config: GeneratorConfig, *, sources: int, sample_rate_hz: int) -> keras.Model:
    """Build the U-Net over frequency, `[batch, time, 1]` -> `[batch, sources, time, 1]`."""
    inputs = masker_inputs(config, sample_rate_hz)
    positions = positions_of(inputs.bins, patch=config.patch, levels=config.levels)
    signal = FoldBins(inputs.bins, config.patch, positions, name="fold")(inputs.features)
    signal = Places(name="places")(layers.Dense(width_at(config, 0), name="enter")(signal))
    skips = []
    for level in range(config.levels):
        signal = _block(signal, config, kernel=(KERNEL, KERNEL), name=f"down{level}")
        skips.append(signal)
        pairs = (-1, signal.shape[2] // 2, 2 * signal.shape[3])
        signal = layers.Reshape(pairs, name=f"halve{level}_pair")(signal)
        signal = layers.Dense(width_at(config, level + 1), name=f"halve{level}")(signal)
    signal = _blocks_along_time(signal, config)
    for level in reversed(range(config.levels)):
        signal = layers.Dense(2 * width_at(config, level), name=f"double{level}")(signal)
        parts = (-1, 2 * signal.shape[2], signal.shape[3] // 2)
        signal = layers.Reshape(parts, name=f"double{level}_part")(signal)
        signal = layers.Add(name=f"skip{level}")([skips[level], signal])
        signal = _block(signal, config, kernel=(KERNEL, KERNEL), name=f"up{level}")
    signal = FrameNorm(name="norm")(signal)

    def head(name: str, activation: str):
        outputs = layers.Dense(sources * config.patch, activation=activation, name=name)(signal)
        return UnfoldBins(inputs.bins, sources, name=f"unfold_{name}")(outputs)

    return masked(config, inputs, head, sources=sources)


def band_split(config: GeneratorConfig, *, sources: int, sample_rate_hz: int) -> keras.Model:
    """Build the band-split network, `[batch, time, 1]` -> `[batch, sources, time, 1]`."""
    inputs = masker_inputs(config, sample_rate_hz)
    groups = band_groups(inputs.bins, narrowest=config.narrowest, a_width=config.bands)
    signal = BandSplit(groups, inputs.bins, config.channels, name="enter")(inputs.features)
    signal = FrameNorm(name="norm")(_blocks_along_time(signal, config))
    signal = BandDense(HEAD * config.channels, activation="relu", name="own")(signal)

    def head(name: str, activation: str):
        return BandMerge(groups, inputs.bins, sources, activation=activation, name=name)(signal)

    return masked(config, inputs, head, sources=sources)


def _blocks_along_time(signal, config: GeneratorConfig):
    """Apply the dilated blocks, whose convolutions are along time only."""
    for block in range(config.blocks):
        options = {"dilation": dilation_of(config, block), "name": f"block{block}"}
        signal = _block(signal, config, kernel=(KERNEL, 1), **options)
    return signal


def _block(
    signal, config: GeneratorConfig, *, kernel: tuple[int, int], dilation: int = 1, name: str
):
    """Add a branch to the signal: norm, convolution, dense layers across positions, dense layer."""
    positions, channels = signal.shape[2:]
    branch = FrameNorm(name=f"{name}_norm")(signal)
    if config.dropout:
        branch = layers.SpatialDropout2D(config.dropout, name=f"{name}_drop")(branch)
    look = TimeFrequencyConv(channels, kernel, dilation, activation="relu", name=f"{name}_look")
    branch = look(branch)
    narrow = max(min(LANES, positions), math.ceil(positions / config.bottleneck))
    across = FrequencyDense(narrow, name=f"{name}_across")(branch)
    branch = layers.Add(name=f"{name}_join")([branch, across])
    branch = layers.Dense(channels, name=f"{name}_mix")(branch)
    return layers.Add(name=f"{name}_add")([signal, branch])
