"""Settings of the networks that the systems share: generators and discriminators."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from tfsepgan.config.limits import above_zero, at_least, at_most
from tfsepgan.settings.base import frame_and_hop

GeneratorKind = Literal["resnet", "filterbank", "tfc_tdf", "band_split"]
UpsampleKind = Literal["transposed", "nearest"]
DiscriminatorKind = Literal[
    "wavegan", "patch", "multiperiod", "multiresolution", "projections", "instantaneous_frequency"
]


@dataclass(frozen=True, kw_only=True)
class GeneratorConfig:
    """The network that estimates the sources of a mixture."""

    kind: GeneratorKind = "resnet"
    """'resnet': the paper's, on the waveform. The others (maskers) compute masks on a short-time
    transform inside the network: 'filterbank' by dense layers over all bins, 'tfc_tdf' by a U-Net
    over frequency, 'band_split' by frequency bands that share their layers."""
    channels: int = 128
    """Width of the network; larger is better and slower. In tfc_tdf the width of the deepest level
    (each level above has half of it), in band_split the width of a band."""
    blocks: int = 8
    """Residual blocks; more have a longer context. In tfc_tdf those of the deepest level."""
    start: Literal["normal", "skip", "identity"] = "normal"  # the authors' code
    """Initial weights (resnet): 'normal', as in the authors' code; 'skip', each block starts as its
    skip connection; 'identity', the network starts by returning the mixture. Each learns faster
    than the one before."""
    frame: int = 1024
    """Length of a filterbank frame, in samples (maskers); longer ones resolve pitch better and time
    worse."""
    hop: int = 256
    """Step between frames, in samples (maskers); it must divide the frame. Larger is faster."""
    synthesis_frame: int | None = None
    """Length of the window under which frames are added up again, in samples (maskers), at least
    twice the hop; None: that of a frame. The latency is at least as long."""
    look_ahead_frames: int | None = None
    """Frames that all convolutions together look into the future (filterbank); 0: none. The level
    of `level_frames` is then that of the past. None: every convolution is centred."""
    cutoff_hz: float | None = None
    """Frequencies above this, in Hz, go to the residual (maskers); None: all are masked."""
    dilations: tuple[int, ...] = (1, 2, 4, 8)
    """Dilations of the blocks, in frames, repeated in turn (maskers); larger ones have a longer
    context."""
    learnable: bool = False
    """Train the analysis and synthesis filters too, starting from the Fourier basis (maskers)."""
    features: Literal["power", "instantaneous_frequency", "complex"] = "power"
    """Input of the mask network (maskers): the 'power' of each bin, or the power with the
    'instantaneous_frequency', or the power with the 'complex' value, its magnitude to the power
    0.3."""
    level_frames: int = 0
    """Frames on either side over which a mean level is measured (maskers); with `look_ahead_frames`
    those before only. Features are relative to it, so the estimates are the same at any volume. 0:
    features depend on the level."""
    mask: Literal["real", "complex"] = "real"
    """'real' masks scale each bin; 'complex' masks turn its phase as well (maskers)."""
    patch: int = 4  # a position is as wide as a semitone at 700 Hz (44.1 kHz, frames of 4096)
    """Neighbouring bins that make one position (tfc_tdf); more are faster and coarser."""
    # 47 positions of 345 Hz at the deepest, below 16 kHz at 44.1 kHz and frames of 4096
    levels: int = 3
    """How many times frequency is halved (tfc_tdf)."""
    bottleneck: int = 16  # Choi et al. 2020; down to 16 wide, since there are fewer positions here
    """Factor by which the dense layers across positions are narrower in between, at least 16 wide
    (tfc_tdf, band_split)."""
    narrowest: int = 8  # 86 Hz at 44.1 kHz and frames of 4096; BSRNN's narrowest have 100 Hz
    """Bins of the lowest bands (band_split)."""
    bands: int = 16  # 58 bands below 16 kHz at 44.1 kHz and frames of 4096
    """Bands of one width; as many of twice that width follow, and so on (band_split)."""
    dropout: float = 0.0
    """Share of each block's inputs that is set to zero in training, 0 to 1 (maskers)."""

    def problems(self, prefix: str = "generator") -> Iterator[str]:
        """Yield one sentence for each setting that no network can have."""
        if not 0 <= self.dropout < 1:
            yield f"{prefix}.dropout is {self.dropout}; it must be in [0, 1)."
        dotted = f"{prefix}."
        yield from at_least(self, dotted, channels=2, blocks=1, frame=4, hop=1, patch=1, levels=0)
        yield from at_least(self, dotted, bottleneck=1, narrowest=1, bands=1, level_frames=0)
        yield from at_most(self, dotted, channels=1 << 13, blocks=1 << 10, frame=1 << 16, levels=12)
        if self.cutoff_hz is not None:
            yield from above_zero(self, "cutoff_hz", prefix=dotted)
        if not self.dilations or min(self.dilations) < 1:
            yield f"{prefix}.dilations is {self.dilations}; name at least one, each of at least 1."
        if self.hop > 0:
            yield from frame_and_hop(self, dotted)
            yield from self._short_latency(dotted)

    def _short_latency(self, prefix: str) -> Iterator[str]:
        """Yield a sentence for each setting of the latency that no network can have."""
        short, ahead = self.synthesis_frame, self.look_ahead_frames
        if short is not None and (
            short % self.hop or short % 2 or not 2 * self.hop <= short <= self.frame
        ):
            yield (
                f"{prefix}synthesis_frame is {short}, {prefix}frame {self.frame} and {prefix}hop"
                f" {self.hop}: the synthesis frame must be even, a multiple of the hop, at least"
                " twice the hop and at most the frame."
            )
        if ahead is not None and (ahead < 0 or self.kind != "filterbank"):
            yield (
                f"{prefix}look_ahead_frames is {ahead} and {prefix}kind {self.kind!r}: it must be"
                " at least 0, and only 'filterbank' has it; leave it out of others."
            )


@dataclass(frozen=True, kw_only=True)
class DiscriminatorConfig:
    """The network that scores whether a window is a real source."""

    kind: DiscriminatorKind = "wavegan"
    """'wavegan' (the paper's), 'patch', 'multiperiod' (HiFi-GAN), 'multiresolution' (UnivNet),
    'projections' (Neyshabur et al.) or 'instantaneous_frequency' (GANSynth's representation)."""
    channels: int = 64
    """Width of the first layer; later ones are wider."""
    window: int | None = None
    """Length of its input, in samples: a random crop of the training window at each step; None: the
    whole window. Shorter is faster."""
    phase_shuffle: int = 2
    """Largest random shift between layers, in samples of that layer (wavegan, projections); 0 turns
    it off."""
    levels: int = 5
    """Strided convolutions, each four times shorter and twice as wide (wavegan); 6 for windows of
    65536 samples."""
    # WaveGAN's; 'normal' is that of the S-SepGAN authors' code
    start: Literal["glorot", "normal"] = "glorot"
    """Initial kernels (wavegan, projections): 'glorot'; or 'normal', with deviation 0.02, and the
    last layer by He et al. 2015."""
    spectral_norm: bool = False
    """Bound the gain of each layer (Miyato et al. 2018)."""
    frames: tuple[int, ...] = (512, 1024, 2048)
    """Frame lengths of the input spectrograms, in samples (multiresolution,
    instantaneous_frequency)."""
    # 43 dB below the mean bin of music at -20 dBFS; use 1 with a gradient penalty
    floor: float = 1e-4
    """Power that is added to every bin before the logarithm (multiresolution). The slope of the
    logarithm is at most 1 / sqrt(floor); larger ignores quiet bins."""
    periods: tuple[int, ...] = (2, 3, 5, 7, 11)
    """Periods at which the waveform is folded, in samples (multiperiod)."""
    # Neyshabur et al. 2017 trained with 12, 24 and 48; at a twelfth of the rate 12 cost less than
    # one 'wavegan'
    projections: int = 12
    """Discriminators, each with a fixed random filter on its input (projections)."""
    # the values under a filter of Neyshabur et al. 2017: 8 x 8 pixels of 3 colours
    projection_kernel: int = 192
    """Length of those filters, in samples (projections)."""
    projection_stride: int = 12  # their ratio: of 64 x 64 x 3 values 32 x 32 are left
    """Step of those filters, in samples (projections)."""

    def problems(self, prefix: str = "discriminator") -> Iterator[str]:
        """Yield one sentence for each setting that no network can have."""
        dotted = f"{prefix}."
        yield from at_least(self, dotted, channels=1, phase_shuffle=0, levels=1)
        yield from at_least(self, dotted, projections=1, projection_stride=1)
        if self.window is not None and self.window < 1024:
            yield f"{prefix}.window is {self.window}; it must be at least 1024 samples."
        if not self.frames or any(frame < 4 or frame % 4 for frame in self.frames):
            yield f"{prefix}.frames is {self.frames}; name at least one, each a multiple of 4."
        yield from above_zero(self, "floor", prefix=dotted)
        if not self.periods or min(self.periods) < 1:
            yield f"{prefix}.periods is {self.periods}; name at least one, each of at least 1."
        if self.projection_kernel < self.projection_stride:
            yield (
                f"{prefix}.projection_kernel is {self.projection_kernel} and"
                f" {prefix}.projection_stride {self.projection_stride}: the filter must be at least"
                " as long as its step."
            )


@dataclass(frozen=True, kw_only=True)
class SynthesizerConfig:
    """The network that generates windows of sound from random numbers."""

    latent: int = 100  # Donahue et al. 2019, appendix
    """Random numbers that a sound is generated from, each uniform in [-1, 1]."""
    channels: int = 64  # the paper's d
    """Width of the last hidden layer; each earlier one is twice as wide."""
    kernel: int = 25  # Donahue et al. 2019, section 3.1: DCGAN's 5 x 5 in one dimension
    """Length of every filter, in samples of its layer."""
    upsample: UpsampleKind = "transposed"  # the paper's
    """How a layer makes four samples of one: 'transposed' convolution, or 'nearest' neighbour, then
    convolution."""
    start: Literal["glorot", "he"] = "glorot"  # the authors' code
    """Initial filters: 'glorot', with which the first sounds are 60 dB too quiet; or 'he', with
    which they have the level of music."""
    post_filter: int = 0  # off in the paper; 512 where its appendix and code try it
    """Length of a learned filter on the finished waveform, in samples; 0 leaves it out."""

    def problems(self, prefix: str = "generator") -> Iterator[str]:
        """Yield one sentence for each setting that no network can have."""
        yield from at_least(self, f"{prefix}.", latent=1, channels=1, kernel=4, post_filter=0)
