"""Settings and presets of adversarial semi-supervised separation (Stoller et al. 2018).

Source: Stoller, Ewert & Dixon 2018, arXiv:1711.00048. "Authors' code" is the released one,
https://github.com/f90/AdversarialAudioSeparation; most numbers are given there only.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Literal

from tfsepgan.config import DataConfig, TrainingConfig
from tfsepgan.settings import presets as shared
from tfsepgan.settings.base import SystemConfig, nothing_to_learn, presets_of
from tfsepgan.settings.networks import DiscriminatorConfig, GeneratorConfig
from tfsepgan.settings.search import MASKED, Around

PairedLoss = Literal["l1", "mse"]
# The authors take distances between log(1 + magnitude) of frames of 512 samples under a Hann
# window, 256 apart. For quiet bins that is the magnitude itself: its mean square is the mean square
# of the waveform times the energy of the window, and a slope with respect to it is smaller by the
# square root of that energy.
WINDOW_ENERGY = 192.0


@dataclass(frozen=True, kw_only=True)
class SemiSupervisedConfig(SystemConfig):
    """Semi-supervised separation: its networks and the weights of its losses."""

    generator: GeneratorConfig = field(default_factory=GeneratorConfig)
    discriminator: DiscriminatorConfig = field(default_factory=DiscriminatorConfig)
    """The critic of each source and that of the residual: one network each, all with these
    settings."""
    supervised_weight: float = 1.0  # the paper's: L = L_s + alpha L_u + beta L_add
    """Weight of the distance to the true sources of labelled mixtures; 0 ignores the labels."""
    paired_loss: PairedLoss = "l1"  # the paper's and its code's: 'mse'
    """Distance to the true sources, and between the sum of the estimates and the mixture: 'l1', or
    'mse' (mean square)."""
    unsupervised_weight: float = 0.001  # authors' code
    """Alpha: weight of the critics' scores of the estimates of unlabelled mixtures; 0 trains
    without critics."""
    additive_weight: float = 0.001  # authors' code
    """Beta: weight of the distance between unlabelled mixtures and the sums of their estimates."""
    unlabelled_share: float = 1.0  # the paper's; each window costs one more pass of the generator
    """Share of the batch's unlabelled mixtures and solos that is used, above 0 to 1; at least one
    window of each."""
    critic_steps: int = 5  # authors' code, as in Gulrajani et al. 2017
    """Steps of each critic for each step of the generator, each on another crop of the same
    batch."""
    penalty_weight: float = 10.0  # authors' code, as in Gulrajani et al. 2017
    """Lambda: weight of the penalty on the slope of a critic."""
    one_sided: bool = True  # authors' code; Gulrajani et al. 2017 use both sides
    """Penalise slopes above one only; otherwise slopes below one too."""
    # the paper's; recordings differ by 30 dB, and loud ones dominate an L1 loss
    level_dbfs: float | None = None
    """RMS level in dBFS to which mixtures are scaled for all losses, with all that is in them;
    None: not scaled."""

    def own_problems(self) -> Iterator[str]:
        """Yield one sentence for each setting of this system alone that no run can use."""
        yield from nothing_to_learn(
            self, "supervised_weight", "unsupervised_weight", "additive_weight"
        )
        if not 0 < self.unlabelled_share <= 1:
            yield f"unlabelled_share is {self.unlabelled_share}; it must be above 0 and at most 1."
        if self.critic_steps < 1:
            yield (
                f"critic_steps is {self.critic_steps}; it must be at least 1 (--unsupervised-weight"
                " 0 leaves the critics out)."
            )


PRESETS = presets_of(
    "semisupervised",
    tiny={
        "model": SemiSupervisedConfig(
            generator=shared.TINY_GENERATOR,
            discriminator=shared.TINY_DISCRIMINATOR,
            unsupervised_weight=0.01,
            additive_weight=0.1,
            critic_steps=1,
        ),
        "data": shared.TINY_DATA,
        "training": shared.TINY_TRAINING,
    },
    # Numbers are the authors' code's where no other source is named. The paper itself was not
    # available; S-SepGAN, section 2.4.2, describes it.
    paper={
        "model": SemiSupervisedConfig(
            # Masks on frames of 512 samples, 256 apart, replace the authors' U-Net on the
            # magnitudes of the same frames.
            generator=GeneratorConfig(
                kind="filterbank", channels=256, blocks=8, frame=512, hop=256
            ),
            # Input: log(1 + power) of the same frames; in the authors' code log(1 + magnitude).
            discriminator=DiscriminatorConfig(
                kind="multiresolution", channels=32, frames=(512,), floor=1.0
            ),
            paired_loss="mse",
            supervised_weight=1.0 * WINDOW_ENERGY,
            unsupervised_weight=0.001 * WINDOW_ENERGY**0.5,
            additive_weight=0.001 * WINDOW_ENERGY,
        ),
        # 64 frames. Law 'snr', because the authors' mixtures are songs: it keeps the levels of the
        # others of a song relative to each other. The authors scale unlabelled windows by 0.2 to
        # 1.2, uniformly; here labelled ones too, uniformly in dB.
        "data": DataConfig(
            sample_rate_hz=8192, window=16384, batch=64, law="snr", gain_db=(-14.0, 1.6)
        ),
        "training": TrainingConfig(
            # the authors stop at the first epoch of 1000 steps that validates worse; `keep` gives
            # the model of the best epoch
            steps=100_000,
            steps_per_epoch=1000,
            learning_rate=5e-5,
            discriminator_learning_rate=5e-5,
            betas=(0.9, 0.999),  # Adam's defaults, as the authors have them
            ema=0.0,
        ),
    },
    # Generator and training as in `ssepgan`.
    demo={
        "model": SemiSupervisedConfig(
            generator=shared.DEMO_GENERATOR,
            # With a floor of 1e-4 the penalty flattens the critics until their scores are constant.
            discriminator=DiscriminatorConfig(
                kind="multiresolution", channels=16, frames=(512, 1024), floor=1.0, window=8192
            ),
            # a tenth of it gains less from few labels, three times as much gains no more
            unsupervised_weight=0.003,
            additive_weight=0.1,
            unlabelled_share=0.5,  # 4 windows a step train the critics nearly as well as 8
            critic_steps=1,  # as many as two cores have time for
            level_dbfs=-20.0,
        ),
        "data": shared.DEMO_DATA,
        "training": replace(shared.DEMO_TRAINING, steps=1200),
    },
)

# What a search changes, see docs/tuning.md. Alpha and beta are relative to the supervised
# distance.
SEARCH = {
    **MASKED,
    "unsupervised_weight": Around(factor=10),
    "additive_weight": Around(factor=10),
    "penalty_weight": Around(factor=10),
}
