"""Two maskers that share their weights across frequency: `tfc_tdf`, a U-Net over frequency, and
`band_split`.

A dense layer over all bins has weights for every frequency and can learn the instruments of its
training by heart. Here convolutions and dense layers over channels are the same at every frequency,
and only narrow dense layers across positions tell one from another.

`tfc_tdf`: `patch` neighbouring bins make a position; frequency is halved `levels` times on the way
down and doubled on the way up, time stays at the rate of the frames. A block is norm, 3 x 3
convolution, dense layers across positions, 1 x 1 convolution, added to what came in; at the deepest
level, where most of the context is, the convolutions look along time only, dilated.
`band_split`: bands of a few widths, each projected on the same channels by weights of its own; the
deepest blocks of `tfc_tdf` over bands; then two dense layers of each band's own give its masks.

Source: Choi et al. 2020 (TFC-TDF), arXiv:1912.02591, sections 3.2 to 3.4; light descendants are
DTTNet (arXiv:2309.08684) and Moises-Light (arXiv:2510.06785). Bands: BSRNN (arXiv:2209.15174) and
SCNet (arXiv:2401.13276).
Departs from them: nothing recurrent and nothing that attends, so that the context is finite; one
convolution a block in place of a dense stack of them; halving is a dense layer on pairs, in place
of a strided convolution, and skips are added; a frame's mean square normalises in place of batch
statistics (of an instance, of groups), so that blocks of a long file are exact and streaming is;
SCNet's bands are compressed by different amounts, which here the widths do.
"""

import math

import keras
from keras import layers

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
from tfsepgan.networks.masking import context_of, dilation_of, hear, masked
from tfsepgan.settings.networks import GeneratorConfig

KERNEL = 3  # frames, and positions where a convolution looks at them
LANES = 16  # channels that a processor computes at once: widths are multiples
HEAD = 2  # width of each band's own layer, in widths of the network


def width_at(config: GeneratorConfig, level: int) -> int:
    """Channels of a level of `tfc_tdf`: half of those below it, in multiples of 16 where there are
    as many."""
    lanes = min(LANES, config.channels)
    return lanes * math.ceil(config.channels / 2 ** (config.levels - level) / lanes)


def tfc_tdf_context(config: GeneratorConfig) -> int:
    """Samples either side of an output sample that it depends on, a multiple of the hop."""
    return context_of(config, (2 * config.levels + _reach_of_blocks(config)) * (KERNEL // 2))


def band_split_context(config: GeneratorConfig) -> int:
    """Samples either side of an output sample that it depends on, a multiple of the hop."""
    return context_of(config, _reach_of_blocks(config) * (KERNEL // 2))


def _reach_of_blocks(config: GeneratorConfig) -> int:
    return sum(dilation_of(config, block) for block in range(config.blocks))


def tfc_tdf(config: GeneratorConfig, *, sources: int, sample_rate_hz: int) -> keras.Model:
    """Build the U-Net over frequency, `[batch, time, 1]` -> `[batch, sources, time, 1]`."""
    heard = hear(config, sample_rate_hz)
    positions = positions_of(heard.bins, patch=config.patch, levels=config.levels)
    signal = FoldBins(heard.bins, config.patch, positions, name="fold")(heard.features)
    signal = Places(name="places")(layers.Dense(width_at(config, 0), name="enter")(signal))
    skips = []
    for level in range(config.levels):
        signal = _block(signal, config, kernel=(KERNEL, KERNEL), name=f"down{level}")
        skips.append(signal)
        signal = layers.Reshape(
            (-1, signal.shape[2] // 2, 2 * signal.shape[3]), name=f"halve{level}_pair"
        )(signal)
        signal = layers.Dense(width_at(config, level + 1), name=f"halve{level}")(signal)
    for block in range(config.blocks):
        signal = _block(
            signal,
            config,
            kernel=(KERNEL, 1),
            dilation=dilation_of(config, block),
            name=f"block{block}",
        )
    for level in reversed(range(config.levels)):
        signal = layers.Dense(2 * width_at(config, level), name=f"double{level}")(signal)
        signal = layers.Reshape(
            (-1, 2 * signal.shape[2], signal.shape[3] // 2), name=f"double{level}_part"
        )(signal)
        signal = layers.Add(name=f"skip{level}")([skips[level], signal])
        signal = _block(signal, config, kernel=(KERNEL, KERNEL), name=f"up{level}")
    signal = FrameNorm(name="norm")(signal)

    def head(name: str, activation: str):
        outputs = layers.Dense(sources * config.patch, activation=activation, name=name)(signal)
        return UnfoldBins(heard.bins, sources, name=f"unfold_{name}")(outputs)

    masks = head("masks", "sigmoid")
    return masked(
        config,
        heard,
        masks,
        head("turns", "tanh") if config.mask == "complex" else None,
        sources=sources,
    )


def band_split(config: GeneratorConfig, *, sources: int, sample_rate_hz: int) -> keras.Model:
    """Build the band-split network, `[batch, time, 1]` -> `[batch, sources, time, 1]`."""
    heard = hear(config, sample_rate_hz)
    groups = band_groups(heard.bins, narrowest=config.narrowest, a_width=config.bands)
    signal = BandSplit(groups, heard.bins, config.channels, name="enter")(heard.features)
    for block in range(config.blocks):
        signal = _block(
            signal,
            config,
            kernel=(KERNEL, 1),
            dilation=dilation_of(config, block),
            name=f"block{block}",
        )
    signal = FrameNorm(name="norm")(signal)
    signal = BandDense(HEAD * config.channels, activation="relu", name="own")(signal)
    masks, turns = (
        BandMerge(groups, heard.bins, sources, activation="sigmoid", name="masks")(signal),
        None,
    )
    if config.mask == "complex":
        turns = BandMerge(groups, heard.bins, sources, activation="tanh", name="turns")(signal)
    return masked(config, heard, masks, turns, sources=sources)


def _block(
    signal, config: GeneratorConfig, *, kernel: tuple[int, int], dilation: int = 1, name: str
):
    """Normalise, look around, exchange across positions, add what was found."""
    positions, channels = signal.shape[2:]
    branch = FrameNorm(name=f"{name}_norm")(signal)
    if config.dropout:
        branch = layers.SpatialDropout2D(config.dropout, name=f"{name}_drop")(branch)
    branch = TimeFrequencyConv(channels, kernel, dilation, activation="relu", name=f"{name}_look")(
        branch
    )
    narrow = max(min(LANES, positions), math.ceil(positions / config.bottleneck))
    across = FrequencyDense(narrow, name=f"{name}_across")(branch)
    branch = layers.Add(name=f"{name}_join")([branch, across])
    branch = layers.Dense(channels, name=f"{name}_mix")(branch)
    return layers.Add(name=f"{name}_add")([signal, branch])
