"""Settings and presets of adversarial semi-supervised separation (Stoller, Ewert & Dixon 2018,
arXiv:1711.00048).

"Authors' code" is the released one, https://github.com/f90/AdversarialAudioSeparation; the paper
leaves most numbers to it.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal

from tfsepgan.config import DataConfig, Experiment, TrainingConfig
from tfsepgan.settings.networks import DiscriminatorConfig, GeneratorConfig
from tfsepgan.settings.search import DILATIONS, MEANS, WIDTHS, Around

PairedLoss = Literal["l1", "mse"]
# The authors weigh distances between log(1 + magnitude) of frames of 512 samples under a Hann
# window, 256 apart. Of quiet bins that is the magnitude. Its mean square is the waveform's times
# the window's energy, and a slope by it is the root of that times less steep.
WINDOW_ENERGY = 192.0


@dataclass(frozen=True, kw_only=True)
class SemiSupervisedConfig:
    """What the separator and the critics play with: their networks and the weight of every term."""

    generator: GeneratorConfig = field(default_factory=GeneratorConfig)
    discriminator: DiscriminatorConfig = field(default_factory=DiscriminatorConfig)
    """Every source's critic, and the rest's: one network each, all of this make."""
    supervised_weight: float = 1.0  # the paper's: L = L_s + alpha L_u + beta L_add
    """Weight of the distance to the true sources of labelled mixtures; 0 leaves the labels unheard."""
    paired_loss: PairedLoss = "l1"  # the paper's and its code's: 'mse'
    """Distance to the true sources, and of the estimates' sum to the mixture: 'l1', or 'mse' (mean
    square)."""
    unsupervised_weight: float = 0.001  # authors' code
    """Alpha: weight of the critics' opinion of what was taken out of unlabelled mixtures; 0 leaves
    the critics out."""
    additive_weight: float = 0.001  # authors' code
    """Beta: weight of the demand that estimates of unlabelled mixtures add up to them."""
    unlabelled_share: float = 1.0  # the paper's; each window costs one more pass of the generator
    """Share of the batch's unlabelled mixtures and solos that is heard; at least one is."""
    critic_steps: int = 5  # authors' code, as in Gulrajani et al. 2017
    """Steps of every critic for each step of the separator, each on another stretch of the same
    batch."""
    penalty_weight: float = 10.0  # authors' code, as in Gulrajani et al. 2017
    """Lambda: weight of the penalty on a critic's slope."""
    one_sided: bool = True  # authors' code; Gulrajani et al. 2017 use both sides
    """Penalise slopes above one only; otherwise slopes below one too."""
    # the paper's; recordings differ by 30 dB, and L1 would hear the loud ones only
    level_dbfs: float | None = None
    """RMS level that mixtures, with all their parts, are brought to for all losses, in dB below
    full scale; None: as they are."""

    def problems(self) -> Iterator[str]:
        """What no run could be trained with, a sentence each."""
        yield from self.generator.problems()
        yield from self.discriminator.problems()
        for name in vars(self):
            if name.endswith("_weight") and getattr(self, name) < 0:
                yield f"{name} is {getattr(self, name)}; it must be zero or above."
        moving = ("supervised_weight", "unsupervised_weight", "additive_weight")
        if not any(getattr(self, name) for name in moving):
            yield f"The generator has nothing to learn from: {', '.join(moving)} are all zero."
        if not 0 < self.unlabelled_share <= 1:
            yield f"unlabelled_share is {self.unlabelled_share}; it must be above 0 and at most 1."
        if self.critic_steps < 1:
            yield (
                f"critic_steps is {self.critic_steps}; it must be at least 1 (--unsupervised-weight"
                " 0 leaves the critics out)."
            )


PRESETS = {
    # For tests: seconds, not minutes.
    "tiny": Experiment(
        system="semisupervised",
        preset="tiny",
        model=SemiSupervisedConfig(
            generator=GeneratorConfig(kind="filterbank", channels=16, blocks=2, frame=256, hop=64),
            discriminator=DiscriminatorConfig(kind="wavegan", channels=4),
            unsupervised_weight=0.01,
            additive_weight=0.1,
            critic_steps=1,
        ),
        data=DataConfig(window=4096, batch=4, law="snr"),
        training=TrainingConfig(
            steps=8,
            steps_per_epoch=4,
            validation_mixtures=2,
            validation_seconds=1.0,
            learning_rate=1e-3,
        ),
    ),
    # Every number is the authors' code's where nothing else is said; the paper itself was not at
    # hand, S-SepGAN's section 2.4.2 tells it.
    "paper": Experiment(
        system="semisupervised",
        preset="paper",
        model=SemiSupervisedConfig(
            # Masks on frames of 512 samples, 256 apart, stand for their U-Net on the magnitudes of
            # the same frames.
            generator=GeneratorConfig(
                kind="filterbank", channels=256, blocks=8, frame=512, hop=256
            ),
            # Hears log(1 + power) of the same frames; theirs, log(1 + magnitude).
            discriminator=DiscriminatorConfig(
                kind="multiresolution", channels=32, frames=(512,), floor=1.0
            ),
            paired_loss="mse",
            supervised_weight=1.0 * WINDOW_ENERGY,
            unsupervised_weight=0.001 * WINDOW_ENERGY**0.5,
            additive_weight=0.001 * WINDOW_ENERGY,
        ),
        # 64 frames; 'snr' because their mixtures are songs: what is not wanted of a song keeps its
        # mutual levels under that law. They scale what is not labelled by 0.2 to 1.2, evenly; here
        # labelled mixtures too, evenly in dB.
        data=DataConfig(
            sample_rate_hz=8192, window=16384, batch=64, law="snr", gain_db=(-14.0, 1.6)
        ),
        training=TrainingConfig(
            # theirs ends at the first epoch of 1000 steps that validates worse; `keep` gives that
            # epoch's model
            steps=100_000,
            steps_per_epoch=1000,
            learning_rate=5e-5,
            discriminator_learning_rate=5e-5,
            betas=(0.9, 0.999),  # Adam's own, which they leave as they are
            ema=0.0,
        ),
    ),
    # No data, no flags: the packaged recordings, about four minutes on two cores. Generator and
    # training as in `ssepgan`.
    "demo": Experiment(
        system="semisupervised",
        preset="demo",
        model=SemiSupervisedConfig(
            generator=GeneratorConfig(
                kind="filterbank", channels=256, blocks=8, frame=1024, hop=512
            ),
            # With a floor of 1e-4 the penalty flattens the critics until they hear nothing.
            discriminator=DiscriminatorConfig(
                kind="multiresolution", channels=16, frames=(512, 1024), floor=1.0, window=8192
            ),
            # a tenth as much gains less from few labels, three times as much no more
            unsupervised_weight=0.003,
            additive_weight=0.1,
            unlabelled_share=0.5,  # four windows a step teach the critics nearly as well as eight
            critic_steps=1,  # as many as two cores have time for
            level_dbfs=-20.0,
        ),
        data=DataConfig(data="demo", sample_rate_hz=16000, window=32768, batch=8, law="snr"),
        training=TrainingConfig(
            steps=1200,
            steps_per_epoch=200,
            minutes=4.0,
            learning_rate=1e-3,
            discriminator_learning_rate=2e-4,
            betas=(0.8, 0.99),
            schedule="cosine",
            warmup_steps=50,
            clip_norm=5.0,
            ema=0.99,
        ),
    ),
}

# What a search changes, see docs/tuning.md. Alpha and beta are weighed against the supervised
# distance.
SEARCH = {
    "learning_rate": Around(factor=5),
    "discriminator_learning_rate": Around(factor=5),
    "ema": MEANS,
    "generator.channels": WIDTHS,
    "generator.dilations": DILATIONS,
    "unsupervised_weight": Around(factor=10),
    "additive_weight": Around(factor=10),
    "penalty_weight": Around(factor=10),
}
