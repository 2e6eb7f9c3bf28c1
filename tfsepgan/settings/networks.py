"""Settings of the networks that the systems share: generators and discriminators."""

from dataclasses import dataclass
from typing import Literal

GeneratorKind = Literal["resnet", "filterbank"]
DiscriminatorKind = Literal["wavegan", "patch", "multiperiod", "multiresolution"]


@dataclass(frozen=True, kw_only=True)
class GeneratorConfig:
    """The network that takes the sources out of the mixture."""

    kind: GeneratorKind = "resnet"
    """'resnet': the paper's; 'filterbank': masks on a short-time transform inside the network."""
    channels: int = 128
    """Width of the network."""
    blocks: int = 8
    """Residual blocks."""
    frame: int = 1024
    """Length of a filterbank frame, in samples (filterbank)."""
    hop: int = 256
    """Step between frames, in samples (filterbank); it must divide the frame."""
    cutoff_hz: float | None = None
    """Frequencies above this are left to the residual (filterbank)."""
    dilations: tuple[int, ...] = (1, 2, 4, 8)
    """Dilations of the blocks, repeated in turn (filterbank)."""
    learnable: bool = False
    """Train the analysis and synthesis filters too, from the Fourier basis they start as (filterbank)."""


@dataclass(frozen=True, kw_only=True)
class DiscriminatorConfig:
    """The network that hears whether a window is a real source."""

    kind: DiscriminatorKind = "wavegan"
    """'wavegan' (the paper's), 'patch', 'multiperiod' (HiFi-GAN) or 'multiresolution' (UnivNet)."""
    channels: int = 64
    """Width of the first layer; later ones are wider."""
    window: int | None = None
    """Samples of the training window it hears, a random stretch of them at each step; all by default."""
    phase_shuffle: int = 2
    """Largest random shift between layers, in samples of that layer (wavegan); 0 turns it off."""
    spectral_norm: bool = False
    """Bound each layer's gain (Miyato et al. 2018)."""
    frames: tuple[int, ...] = (512, 1024, 2048)
    """Frame lengths of the spectrograms it hears, in samples (multiresolution)."""
    periods: tuple[int, ...] = (2, 3, 5, 7, 11)
    """Periods it folds the waveform at, in samples (multiperiod)."""
