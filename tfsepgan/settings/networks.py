"""Settings of the networks that the systems share: generators and discriminators."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

GeneratorKind = Literal["resnet", "filterbank", "tfc_tdf", "band_split"]
UpsampleKind = Literal["transposed", "nearest"]
DiscriminatorKind = Literal[
    "wavegan", "patch", "multiperiod", "multiresolution", "projections", "instantaneous_frequency"
]


@dataclass(frozen=True, kw_only=True)
class GeneratorConfig:
    """The network that takes the sources out of the mixture."""

    kind: GeneratorKind = "resnet"
    """'resnet': the paper's; the others make masks on a short-time transform inside the network:
    'filterbank' by dense layers over all bins, 'tfc_tdf' by a U-Net over frequency, 'band_split' by
    bands that share their layers."""
    channels: int = 128
    """Width of the network; of the deepest level (tfc_tdf), each level above has half of it; of a
    band (band_split)."""
    blocks: int = 8
    """Residual blocks; of the deepest level (tfc_tdf)."""
    start: Literal["normal", "skip", "identity"] = "normal"  # the authors' code
    """How the network starts (resnet): 'normal' as the authors' does; 'skip', its blocks as their
    skip connections alone; 'identity', so that it gives back its mixture at first. Each learns
    faster than the one before."""
    frame: int = 1024
    """Length of a filterbank frame, in samples (maskers: all but resnet)."""
    hop: int = 256
    """Step between frames, in samples (maskers); it must divide the frame."""
    cutoff_hz: float | None = None
    """Frequencies above this are left to the residual (maskers)."""
    dilations: tuple[int, ...] = (1, 2, 4, 8)
    """Dilations of the blocks, repeated in turn (maskers)."""
    learnable: bool = False
    """Train the analysis and synthesis filters too, from the Fourier basis they start as (maskers)."""
    features: Literal["power", "instantaneous_frequency", "complex"] = "power"
    """What masks are made from (maskers): 'power' of each bin, or that and its
    'instantaneous_frequency', or that and its 'complex' value with the magnitude to the power 0.3."""
    level_frames: int = 0
    """Features are relative to the mean level of so many frames either side (maskers), so that the
    estimates of a recording are the same at any volume; 0: features of the level as it is."""
    mask: Literal["real", "complex"] = "real"
    """What masks may do (maskers): turn bins down, or turn their phase as well."""
    patch: int = 4  # a position is as wide as a semitone at 700 Hz (44.1 kHz, frames of 4096)
    """Neighbouring bins that make one position (tfc_tdf)."""
    # 47 positions of 345 Hz at the deepest, below 16 kHz at 44.1 kHz and frames of 4096
    levels: int = 3
    """Times that frequency is halved (tfc_tdf)."""
    bottleneck: int = 16  # Choi et al. 2020; down to 16 wide, since there are fewer positions here
    """How much narrower than positions the dense layers across them are in between, at least 16
    wide (tfc_tdf, band_split)."""
    narrowest: int = 8  # 86 Hz at 44.1 kHz and frames of 4096; BSRNN's narrowest have 100 Hz
    """Bins of the lowest bands (band_split)."""
    bands: int = 16  # 58 bands below 16 kHz at 44.1 kHz and frames of 4096
    """Bands of one width; as many twice as wide follow, and so on (band_split)."""
    dropout: float = 0.0
    """Share of what a block hears that is left out while training (maskers)."""

    def problems(self) -> Iterator[str]:
        """What no network could be built of, a sentence each."""
        if not 0 <= self.dropout < 1:
            yield f"generator.dropout is {self.dropout}; it must be in [0, 1)."
        least = {
            "channels": 2,
            "blocks": 1,
            "frame": 4,
            "hop": 1,
            "patch": 1,
            "levels": 0,
            "bottleneck": 1,
        }
        yield from _too_small(self, "generator", {**least, "narrowest": 1, "bands": 1})
        if self.level_frames < 0:
            yield f"generator.level_frames is {self.level_frames}; it must be 0 or above."
        if self.cutoff_hz is not None and not self.cutoff_hz > 0:
            yield f"generator.cutoff_hz is {self.cutoff_hz}; it must be above zero."
        if not self.dilations or min(self.dilations) < 1:
            yield f"generator.dilations is {self.dilations}; name at least one, each of at least 1."
        if self.hop > 0 and (self.frame % self.hop or self.frame // self.hop < 2 or self.frame % 2):
            yield (
                f"generator.frame is {self.frame} and generator.hop {self.hop}: the frame must be"
                " even and a multiple of the hop, twice at least."
            )


@dataclass(frozen=True, kw_only=True)
class DiscriminatorConfig:
    """The network that hears whether a window is a real source."""

    kind: DiscriminatorKind = "wavegan"
    """'wavegan' (the paper's), 'patch', 'multiperiod' (HiFi-GAN), 'multiresolution' (UnivNet),
    'projections' (Neyshabur et al.) or 'instantaneous_frequency' (GANSynth's representation)."""
    channels: int = 64
    """Width of the first layer; later ones are wider."""
    window: int | None = None
    """Samples of the training window it batch_keys, a random stretch of them at each step; all by
    default."""
    phase_shuffle: int = 2
    """Largest random shift between layers, in samples of that layer (wavegan, projections); 0 turns
    it off."""
    levels: int = 5
    """Strided convolutions, each four times shorter and twice as wide (wavegan); 6 for windows of
    65536 samples."""
    # WaveGAN's; 'normal' is that of the S-SepGAN authors' code
    start: Literal["glorot", "normal"] = "glorot"
    """How kernels start (wavegan, projections): 'glorot', or 'normal' with deviation 0.02, the last
    layer's by He et al. 2015."""
    spectral_norm: bool = False
    """Bound each layer's gain (Miyato et al. 2018)."""
    frames: tuple[int, ...] = (512, 1024, 2048)
    """Frame lengths of the spectrograms it batch_keys, in samples (multiresolution,
    instantaneous_frequency)."""
    # 43 dB below the mean bin of music at -20 dBFS; with a gradient penalty take its size, 1
    floor: float = 1e-4
    """Power that is added to every bin before the logarithm (multiresolution); the steepness of
    what it hears is 1 / sqrt(floor)."""
    periods: tuple[int, ...] = (2, 3, 5, 7, 11)
    """Periods it folds the waveform at, in samples (multiperiod)."""
    projections: int = (
        # Neyshabur et al. 2017 trained with 12, 24 and 48; at a twelfth of the rate 12 cost less
        # than one 'wavegan'
        12
    )
    """Listeners, each hearing the waveform through a random filter of its own that never changes
    (projections)."""
    # the values under a filter of Neyshabur et al. 2017: 8 x 8 pixels of 3 colours
    projection_kernel: int = 192
    """Length of those filters, in samples (projections)."""
    projection_stride: int = 12  # their ratio: of 64 x 64 x 3 values 32 x 32 are left
    """Samples of the waveform for each one of its projection (projections)."""

    def problems(self) -> Iterator[str]:
        """What no network could be built of, a sentence each."""
        least = {
            "channels": 1,
            "phase_shuffle": 0,
            "levels": 1,
            "projections": 1,
            "projection_stride": 1,
        }
        yield from _too_small(self, "discriminator", least)
        if self.window is not None and self.window < 1024:
            yield f"discriminator.window is {self.window}; it must be at least 1024 samples."
        if not self.frames or any(frame < 4 or frame % 4 for frame in self.frames):
            yield f"discriminator.frames is {self.frames}; name at least one, each a multiple of 4."
        if not self.floor > 0:
            yield f"discriminator.floor is {self.floor}; it must be above zero."
        if not self.periods or min(self.periods) < 1:
            yield f"discriminator.periods is {self.periods}; name at least one, each of at least 1."
        if self.projection_kernel < self.projection_stride:
            yield (
                f"discriminator.projection_kernel is {self.projection_kernel} and"
                f" discriminator.projection_stride {self.projection_stride}: the filter must reach"
                " from one step to the next."
            )


@dataclass(frozen=True, kw_only=True)
class SynthesizerConfig:
    """The network that makes windows of sound out of random numbers."""

    latent: int = 100  # Donahue et al. 2019, appendix
    """Random numbers that a sound is made of, each uniform in [-1, 1]."""
    channels: int = 64  # the paper's d
    """Width of the last hidden layer; each earlier one is twice as wide."""
    kernel: int = 25  # Donahue et al. 2019, section 3.1: DCGAN's 5 x 5 in one dimension
    """Length of every filter, in samples of its layer."""
    upsample: UpsampleKind = "transposed"  # the paper's
    """How a layer makes four samples of one: 'transposed' convolution, or 'nearest' neighbour, then
    convolution."""
    start: Literal["glorot", "he"] = "glorot"  # the authors' code
    """How filters start: 'glorot', which makes the first sounds 60 dB too quiet, or 'he', at the
    level of music."""
    post_filter: int = 0  # off in the paper; 512 where its appendix and code try it
    """Length of a filter learned over the finished waveform, in samples; 0 leaves it out."""

    def problems(self) -> Iterator[str]:
        """What no network could be built of, a sentence each."""
        yield from _too_small(
            self, "generator", {"latent": 1, "channels": 1, "kernel": 4, "post_filter": 0}
        )


def _too_small(config, prefix: str, least: dict[str, int]) -> Iterator[str]:
    for name, low in least.items():
        value = getattr(config, name)
        if value < low:
            yield f"{prefix}.{name} is {value}; it must be at least {low}."
