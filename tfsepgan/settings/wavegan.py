"""Settings and presets of WaveGAN (Donahue, McAuley & Puckette 2019, arXiv:1802.04208)."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal

from tfsepgan.config import DataConfig, TrainingConfig
from tfsepgan.config.limits import at_least
from tfsepgan.settings.base import SystemConfig, presets_of
from tfsepgan.settings.networks import DiscriminatorConfig, SynthesizerConfig
from tfsepgan.settings.search import MEANS, WIDTHS, Around, Multiples

Objective = Literal["wgan-gp", "hinge", "vanilla", "lsgan"]


@dataclass(frozen=True, kw_only=True)
class WaveGANConfig(SystemConfig):
    """WaveGAN: its networks and its objective. It learns the first of `sources` alone."""

    generator: SynthesizerConfig = field(default_factory=SynthesizerConfig)
    discriminator: DiscriminatorConfig = field(default_factory=DiscriminatorConfig)
    objective: Objective = "wgan-gp"  # the paper's
    """Adversarial objective."""
    penalty_weight: float = 10.0  # the paper's, from Gulrajani et al. 2017
    """Weight of the gradient penalty (objective 'wgan-gp')."""
    diversity_weight: float = 0.0  # not in the paper; after Mao et al. 2019
    """Weight of the generator's diversity loss: larger values push generated sounds apart where
    they vary less than the recordings."""
    discriminator_steps: int = 5  # the paper's
    """Discriminator steps for each generator step; each uses its own share of the batch."""
    # the paper's; recordings differ by 30 dB, and quiet ones contribute little
    level_dbfs: float | None = None
    """RMS level in dBFS to which windows of the recordings are scaled; None: not scaled."""

    def own_problems(self) -> Iterator[str]:
        """Yield one sentence for each setting of WaveGAN alone that no run can use."""
        yield from at_least(self, discriminator_steps=1)
        if self.level_dbfs is not None and not self.level_dbfs < 0:
            yield (
                f"level_dbfs is {self.level_dbfs}; it must be below zero, as 0 is full scale, the"
                " highest level there is."
            )


# Learns a timbre in minutes on two cores: a sixteenth of the paper's arithmetic in the generator,
# and a discriminator on spectra.
_QUICK = WaveGANConfig(
    generator=SynthesizerConfig(channels=16, start="he"),
    discriminator=DiscriminatorConfig(kind="multiresolution", channels=32, frames=(512, 1024)),
    # log spectra are steep where it is quiet; at 10 the discriminator learns little, and generated
    # sounds lose diversity
    penalty_weight=0.1,
    discriminator_steps=1,
    level_dbfs=-20.0,
)

PRESETS = presets_of(
    "wavegan",
    # For tests; takes seconds, not minutes.
    tiny={
        "model": WaveGANConfig(
            generator=SynthesizerConfig(latent=8, channels=2),
            discriminator=DiscriminatorConfig(kind="wavegan", channels=2, levels=2),
            objective="vanilla",  # under 'wgan-gp' the critic's last bias never has a gradient
            discriminator_steps=2,
        ),
        "data": DataConfig(window=1024, batch=4, law="snr"),
        "training": TrainingConfig(
            steps=8,
            steps_per_epoch=4,
            validation_mixtures=4,
            validation_seconds=1.0,
            learning_rate=1e-3,
        ),
    },
    # As in the paper. A batch of 320 is five critic steps of 64 windows each.
    paper={
        "model": WaveGANConfig(),
        "data": DataConfig(sample_rate_hz=16000, window=16384, batch=320, law="snr"),
        "training": TrainingConfig(
            steps=200_000,  # the paper's, for its speech
            learning_rate=1e-4,
            discriminator_learning_rate=1e-4,
            betas=(0.5, 0.9),
            ema=0.0,
            keep="last",
        ),
    },
    demo={
        "model": _QUICK,
        "data": DataConfig(data="demo", sample_rate_hz=16000, window=16384, batch=8, law="snr"),
        "training": TrainingConfig(
            steps=3000,
            steps_per_epoch=300,
            minutes=4.0,
            learning_rate=5e-4,
            # two learning rates (Heusel et al. 2017) instead of five critic steps
            discriminator_learning_rate=1e-3,
            schedule="cosine",
            ema=0.99,
        ),
    },
    # Recordings of one instrument, half an hour on two cores.
    instrument={
        "model": _QUICK,
        "data": DataConfig(sample_rate_hz=16000, window=16384, batch=16, law="snr"),
        "training": TrainingConfig(
            steps=12_000,
            steps_per_epoch=500,
            minutes=30.0,
            learning_rate=5e-4,
            discriminator_learning_rate=1e-3,
            schedule="cosine",
            ema=0.995,
            precision="mixed_bfloat16",  # a fifth less work on processors that have it
        ),
    },
)

# What a search changes, see docs/tuning.md. Trials are compared by the distance between
# spectra of generated and recorded sounds.
SEARCH = {
    "learning_rate": Around(factor=5),
    "discriminator_learning_rate": Around(factor=5),
    "ema": MEANS,
    "generator.channels": WIDTHS,
    "generator.latent": Multiples(of=(0.5, 1, 2)),
    "discriminator.channels": Multiples(of=(0.5, 1, 1.5)),
    "penalty_weight": Around(factor=10, when=("objective", "wgan-gp")),
    "diversity_weight": Around(factor=10),
}
