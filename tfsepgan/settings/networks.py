"""Settings of the networks that the systems share: generators and discriminators."""

from collections.abc import Iterator
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

    def problems(self) -> Iterator[str]:
        """What no network could be built of, a sentence each."""
        yield from _too_small(self, "generator", {"channels": 2, "blocks": 1, "frame": 4, "hop": 1})
        if self.cutoff_hz is not None and not self.cutoff_hz > 0:
            yield f"generator.cutoff_hz is {self.cutoff_hz}; it must be above zero."
        if not self.dilations or min(self.dilations) < 1:
            yield f"generator.dilations is {self.dilations}; name at least one, each of at least 1."
        if self.hop > 0 and (self.frame % self.hop or self.frame // self.hop < 2 or self.frame % 2):
            yield (
                f"generator.frame is {self.frame} and generator.hop {self.hop}: the frame must be even and a multiple of the "
                "hop, twice at least."
            )


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

    def problems(self) -> Iterator[str]:
        """What no network could be built of, a sentence each."""
        yield from _too_small(self, "discriminator", {"channels": 1, "phase_shuffle": 0})
        if self.window is not None and self.window < 1024:
            yield f"discriminator.window is {self.window}; it must be at least 1024 samples."
        if not self.frames or any(frame < 4 or frame % 4 for frame in self.frames):
            yield f"discriminator.frames is {self.frames}; name at least one, each a multiple of 4."
        if not self.periods or min(self.periods) < 1:
            yield f"discriminator.periods is {self.periods}; name at least one, each of at least 1."


def _too_small(config, prefix: str, least: dict[str, int]) -> Iterator[str]:
    for name, low in least.items():
        value = getattr(config, name)
        if value < low:
            yield f"{prefix}.{name} is {value}; it must be at least {low}."
