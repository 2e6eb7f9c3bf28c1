"""Settings and presets of WaveGAN (Donahue, McAuley & Puckette 2019, "Adversarial audio synthesis", arXiv:1802.04208)."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal

from tfsepgan.config import DataConfig, Experiment, TrainingConfig
from tfsepgan.settings.networks import DiscriminatorConfig, SynthesizerConfig

Objective = Literal["wgan-gp", "hinge", "vanilla", "lsgan"]


@dataclass(frozen=True, kw_only=True)
class WaveGANConfig:
    """What WaveGAN plays with: its networks and its objective. It learns the first of `sources`, alone."""

    generator: SynthesizerConfig = field(default_factory=SynthesizerConfig)
    discriminator: DiscriminatorConfig = field(default_factory=DiscriminatorConfig)
    objective: Objective = "wgan-gp"  # the paper's
    """Adversarial objective."""
    penalty_weight: float = 10.0  # the paper's, from Gulrajani et al. 2017
    """Weight of the gradient penalty (objective 'wgan-gp')."""
    discriminator_steps: int = 5  # the paper's
    """Discriminator steps for each generator step; each hears its own share of the batch."""
    level_dbfs: float | None = None  # the paper's; recordings differ by 30 dB, and the quiet ones teach little
    """RMS level that windows of the recordings are brought to, in dB below full scale; None: as they are."""

    def problems(self) -> Iterator[str]:
        """What no run could be trained with, a sentence each."""
        yield from self.generator.problems()
        yield from self.discriminator.problems()
        if self.penalty_weight < 0:
            yield f"penalty_weight is {self.penalty_weight}; it must be zero or above."
        if self.discriminator_steps < 1:
            yield f"discriminator_steps is {self.discriminator_steps}; it must be at least 1."
        if self.level_dbfs is not None and not self.level_dbfs < 0:
            yield f"level_dbfs is {self.level_dbfs}; it must be below zero, as a sound cannot pass full scale."


PRESETS = {
    # For tests: seconds, not minutes.
    "tiny": Experiment(
        system="wavegan",
        preset="tiny",
        model=WaveGANConfig(
            generator=SynthesizerConfig(latent=8, channels=2),
            discriminator=DiscriminatorConfig(kind="wavegan", channels=2, levels=3),
            objective="vanilla",  # under 'wgan-gp' the critic's last bias never has a gradient
            discriminator_steps=2,
        ),
        data=DataConfig(window=1024, batch=4, law="snr"),
        training=TrainingConfig(
            steps=8, steps_per_epoch=4, validation_mixtures=4, validation_seconds=1.0, learning_rate=1e-3
        ),
    ),
    # Faithful to the paper. A batch of 320 is five critic steps of 64 windows each.
    "paper": Experiment(
        system="wavegan",
        preset="paper",
        model=WaveGANConfig(),
        data=DataConfig(sample_rate_hz=16000, window=16384, batch=320, law="snr"),
        training=TrainingConfig(
            steps=200_000,  # the paper's, for its speech
            learning_rate=1e-4,
            discriminator_learning_rate=1e-4,
            betas=(0.5, 0.9),
            ema=0.0,
            keep="last",
        ),
    ),
}
