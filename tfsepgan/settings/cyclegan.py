"""Settings and presets of CycleGAN (S-SepGAN, section 3.2; Zhu et al. 2017, arXiv:1703.10593)."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Literal

from tfsepgan.config import TrainingConfig
from tfsepgan.config.limits import at_least, not_negative, shares
from tfsepgan.settings import presets as shared
from tfsepgan.settings.base import SystemConfig, nothing_to_learn, presets_of
from tfsepgan.settings.networks import DiscriminatorConfig, GeneratorConfig
from tfsepgan.settings.search import MASKED, Around, Range

Objective = Literal["vanilla", "lsgan", "hinge", "wgan-gp"]
Identity = Literal["unpaired", "paired"]
MixtureFakes = Literal["sources", "estimates"]


@dataclass(frozen=True, kw_only=True)
class CycleGANConfig(SystemConfig):
    """CycleGAN: its four networks, its objective and the weights of its losses."""

    generator: GeneratorConfig = field(default_factory=GeneratorConfig)
    mixer: GeneratorConfig = field(default_factory=GeneratorConfig)
    """The network that makes a mixture from sources."""
    carry_rest: bool = False  # not in the paper; Michelashvili et al. 2019, Hoshen 2018
    """Give the mixer the residual of a real mixture, so that it does not have to generate what else
    is in a mixture."""
    # at 1 the residual holds only what the generator already separates, and it learns no more
    taken_off: float = 0.8
    """Share of the estimate that is subtracted from a mixture before the residual is mixed with
    other sources, 0 to 1 (carry_rest)."""
    discriminator: DiscriminatorConfig = field(default_factory=DiscriminatorConfig)
    """Both discriminators: that of the sources and that of the mixtures."""
    objective: Objective = "lsgan"  # Zhu et al., section 4; S-SepGAN, section 3.2: 'vanilla'
    """Adversarial objective."""
    identity: Identity = "unpaired"  # Zhu et al., section 5.2; S-SepGAN, section 3.2: 'paired'
    """Identity loss of the generator. 'unpaired': a source alone must pass unchanged; mixtures and
    sources are unrelated recordings. 'paired': the estimate of a mixture must be its true source;
    every batch holds mixtures with their sources."""
    mixture_fakes: MixtureFakes = "sources"  # Zhu et al., eq. 3; S-SepGAN, section 3.2: 'estimates'
    """Input of the mixer when it makes fake mixtures: real 'sources', or the generator's
    'estimates'."""
    cycle_source_weight: float = 10.0  # Zhu et al., section 4; "heavier"
    """Weight of the cycle sources -> mixture -> sources."""
    cycle_mixture_weight: float = 10.0  # as above
    """Weight of the cycle mixture -> sources -> mixture."""
    identity_source_weight: float = 5.0  # Zhu et al., section 5.2: half the cycle's
    """Weight of the generator's identity loss, see `identity`."""
    identity_mixture_weight: float = 5.0  # as above
    """Weight of the mixer's identity loss: a mixture must pass unchanged."""
    identity_share: float = 1.0  # the paper uses all; each window costs one more network pass
    """Share of the batch that the identity losses use, 0 to 1. A 'paired' identity uses the whole
    batch, as it needs no extra pass."""
    adversarial_source_weight: float = 1.0  # Zhu et al., eq. 3
    """Weight of the adversarial loss by the discriminator of the sources."""
    adversarial_mixture_weight: float = 1.0  # Zhu et al., eq. 3
    """Weight of the adversarial loss by the discriminator of the mixtures."""
    pool: int = 50  # Zhu et al., section 4, after Shrivastava et al. 2017
    """Past fakes that each discriminator is trained on again; 0: the newest only."""
    penalty_weight: float = 10.0  # Gulrajani et al. 2017
    """Weight of the gradient penalty (objective 'wgan-gp')."""
    # Zhu et al.; the authors' code names 1 for this system; 5 is usual with 'wgan-gp'
    discriminator_steps: int = 1
    """Steps of each discriminator for each step of the generators, on the same batch."""
    # the paper's; recordings differ by 30 dB, and loud ones dominate an L1 loss
    level_dbfs: float | None = None
    """RMS level in dBFS to which mixtures are scaled for all losses, with their sources and
    estimates; None: not scaled."""

    def own_problems(self) -> Iterator[str]:
        """Yield one sentence for each setting of CycleGAN alone that no run can use."""
        of_mixtures = ("adversarial_mixture_weight",) if self.mixture_fakes == "estimates" else ()
        yield from nothing_to_learn(
            self,
            "cycle_source_weight",
            "cycle_mixture_weight",
            "identity_source_weight",
            "adversarial_source_weight",
            *of_mixtures,
        )
        if self.carry_rest and (self.identity, self.mixture_fakes) != ("unpaired", "sources"):
            yield (
                f"carry_rest with identity {self.identity!r} and mixture_fakes"
                f" {self.mixture_fakes!r}: the residual of one mixture is mixed with sources of"
                " others, so use identity 'unpaired' and mixture_fakes 'sources'."
            )
        yield from shares(self, "identity_share", "taken_off")
        yield from not_negative(self, "pool")
        yield from at_least(self, discriminator_steps=1)


PRESETS = presets_of(
    "cyclegan",
    tiny={
        "model": CycleGANConfig(
            generator=shared.TINY_GENERATOR,
            mixer=GeneratorConfig(kind="resnet", channels=8, blocks=1),
            discriminator=shared.TINY_DISCRIMINATOR,
            pool=4,
        ),
        "data": shared.TINY_DATA,
        "training": shared.TINY_TRAINING,
    },
    # S-SepGAN, section 3.2, which gives no numbers. They are the authors' code's, as are networks,
    # data and training of `ssepgan`.
    paper={
        "model": CycleGANConfig(
            discriminator=DiscriminatorConfig(start="normal"),
            # section 3.2; the code that the authors published has a relativistic LSGAN in its place
            objective="vanilla",
            identity="paired",  # section 3.2: |s - G(m)|
            mixture_fakes="estimates",  # section 3.2: D_B scores A2B of the estimate
            cycle_source_weight=0.0,  # section 3.2 and figure 4 have one direction: m, s^, m^
            cycle_mixture_weight=10.0,  # authors' code; section 3.2: higher than the others
            identity_source_weight=0.5,  # authors' code
            identity_mixture_weight=0.0,  # not in section 3.2
            pool=0,  # not in section 3.2; in the authors' code its use is commented out
        ),
        "data": shared.PAPER_DATA,
        # The running mean of the weights is not in the paper; as in `ssepgan`.
        "training": TrainingConfig(steps=100_000, learning_rate=2e-4, betas=(0.5, 0.9), ema=0.999),
    },
    # What S-SepGAN, section 3.2, builds on: both cycles, unpaired, with the numbers of Zhu et al.;
    # networks, windows and batches are S-SepGAN's.
    zhu={
        "model": CycleGANConfig(discriminator=DiscriminatorConfig(start="normal")),
        "data": shared.PAPER_DATA,
        "training": TrainingConfig(steps=100_000, learning_rate=2e-4, betas=(0.5, 0.999), ema=0.0),
    },
    demo={
        "model": CycleGANConfig(
            generator=shared.DEMO_GENERATOR,
            mixer=GeneratorConfig(kind="filterbank", channels=32, blocks=1, frame=1024, hop=512),
            carry_rest=True,
            discriminator=shared.DEMO_DISCRIMINATOR,
            objective="hinge",
            identity_mixture_weight=0.0,  # with carry_rest the same as the cycle of mixtures
            identity_share=0.125,
            adversarial_source_weight=0.01,
            adversarial_mixture_weight=0.01,
            level_dbfs=-20.0,
        ),
        "data": shared.DEMO_DATA,
        "training": replace(shared.DEMO_TRAINING, steps=1200),
    },
)

# What a search changes, see docs/tuning.md.
SEARCH = {
    **MASKED,
    "cycle_mixture_weight": Around(factor=5),  # relative to the cycle of the sources
    "identity_source_weight": Around(factor=5),
    "adversarial_source_weight": Around(factor=10),
    "taken_off": Range(low=0.5, high=1.0, when=("carry_rest", True)),
}
