"""Settings and presets of CycleGAN (ElAraby, Ni & Tran, "S-SepGAN", section 3.2; Zhu et al. 2017,
arXiv:1703.10593)."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal

from tfsepgan.config import DataConfig, Experiment, TrainingConfig
from tfsepgan.settings.networks import DiscriminatorConfig, GeneratorConfig
from tfsepgan.settings.search import DILATIONS, MEANS, WIDTHS, Around, Range

Objective = Literal["vanilla", "lsgan", "hinge", "wgan-gp"]
Identity = Literal["unpaired", "paired"]
MixtureFakes = Literal["sources", "estimates"]


@dataclass(frozen=True, kw_only=True)
class CycleGANConfig:
    """What CycleGAN plays with: its four networks, its objective and the weight of every term."""

    generator: GeneratorConfig = field(default_factory=GeneratorConfig)
    mixer: GeneratorConfig = field(default_factory=GeneratorConfig)
    """The network that makes a mixture of the sources."""
    carry_rest: bool = False  # not in the paper; Michelashvili et al. 2019, Hoshen 2018
    """Hand the mixer what the generator left of a mixture, instead of letting it invent the rest."""
    taken_off: float = (
        # at 1, what is left is only what the generator knows to be rest already, and it learns no
        # more
        0.8
    )
    """Share of the estimate that is taken off a mixture before what is left of it is mixed with
    other sources (carry_rest)."""
    discriminator: DiscriminatorConfig = field(default_factory=DiscriminatorConfig)
    """Both discriminators: that of the sources and that of the mixtures."""
    objective: Objective = "lsgan"  # Zhu et al., section 4; S-SepGAN, section 3.2: 'vanilla'
    """Adversarial objective."""
    identity: Identity = "unpaired"  # Zhu et al., section 5.2; S-SepGAN, section 3.2: 'paired'
    """The generator's identity term: 'unpaired', a source alone must pass unchanged, and mixtures
    and sources have nothing to do with each other; 'paired', the estimate of a mixture must be its
    true source, and every batch holds mixtures with their sources."""
    mixture_fakes: MixtureFakes = "sources"  # Zhu et al., eq. 3; S-SepGAN, section 3.2: 'estimates'
    """What the mixer makes the fake mixtures of: real 'sources', or the generator's 'estimates'."""
    cycle_source_weight: float = 10.0  # Zhu et al., section 4; "heavier"
    """Weight of sources -> mixture -> sources."""
    cycle_mixture_weight: float = 10.0  # as above
    """Weight of mixture -> sources -> mixture."""
    identity_source_weight: float = 5.0  # Zhu et al., section 5.2: half the cycle's
    """Weight of the generator's identity term, see `identity`."""
    identity_mixture_weight: float = 5.0  # as above
    """Weight of the mixer's identity term: what is a mixture already must pass unchanged."""
    identity_share: float = 1.0  # the paper hears all; each costs one more pass of a generator
    """Share of the batch that the identity terms hear; a paired one hears all, as it costs no pass."""
    adversarial_source_weight: float = 1.0  # Zhu et al., eq. 3
    """Weight of the discriminator of sources."""
    adversarial_mixture_weight: float = 1.0  # Zhu et al., eq. 3
    """Weight of the discriminator of mixtures."""
    pool: int = 50  # Zhu et al., section 4, after Shrivastava et al. 2017
    """Past fakes that each discriminator is reminded of; 0: it hears the newest only."""
    penalty_weight: float = 10.0  # Gulrajani et al. 2017
    """Weight of the gradient penalty (objective 'wgan-gp')."""
    # Zhu et al.; the authors' code names 1 for this system; 5 is usual with 'wgan-gp'
    discriminator_steps: int = 1
    """Steps of each discriminator for each step of the generators, on the same batch."""
    # the paper's; recordings differ by 30 dB, and L1 would hear the loud ones only
    level_dbfs: float | None = None
    """RMS level that mixtures, with all that goes with them, are brought to for all losses, in dB
    below full scale; None: as they are."""

    def problems(self) -> Iterator[str]:
        """What no run could be trained with, a sentence each."""
        yield from self.generator.problems()
        yield from (problem.replace("generator.", "mixer.") for problem in self.mixer.problems())
        yield from self.discriminator.problems()
        for name in (name for name in vars(self) if name.endswith("_weight")):
            if getattr(self, name) < 0:
                yield f"{name} is {getattr(self, name)}; it must be zero or above."
        moving = [
            "cycle_source_weight",
            "cycle_mixture_weight",
            "identity_source_weight",
            "adversarial_source_weight",
        ]
        if self.mixture_fakes == "estimates":
            moving.append("adversarial_mixture_weight")
        if not any(getattr(self, name) for name in moving):
            yield f"The generator has nothing to learn from: {', '.join(moving)} are all zero."
        if self.carry_rest and (self.identity, self.mixture_fakes) != ("unpaired", "sources"):
            yield (
                f"carry_rest with identity {self.identity!r} and mixture_fakes"
                f" {self.mixture_fakes!r}: a rest is carried from one mixture to sources of others,"
                " so it wants 'unpaired' and 'sources'."
            )
        if not 0 <= self.identity_share <= 1:
            yield f"identity_share is {self.identity_share}; it must be in [0, 1]."
        if not 0 <= self.taken_off <= 1:
            yield f"taken_off is {self.taken_off}; it must be in [0, 1]."
        if self.pool < 0:
            yield f"pool is {self.pool}; it must be zero or above."
        if self.discriminator_steps < 1:
            yield f"discriminator_steps is {self.discriminator_steps}; it must be at least 1."


PRESETS = {
    # For tests: seconds, not minutes.
    "tiny": Experiment(
        system="cyclegan",
        preset="tiny",
        model=CycleGANConfig(
            generator=GeneratorConfig(kind="filterbank", channels=16, blocks=2, frame=256, hop=64),
            mixer=GeneratorConfig(kind="resnet", channels=8, blocks=1),
            discriminator=DiscriminatorConfig(kind="wavegan", channels=4),
            pool=4,
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
    # S-SepGAN, section 3.2. It gives no numbers; they are the authors' code's, as is all of
    # networks, data and training in `ssepgan`.
    "paper": Experiment(
        system="cyclegan",
        preset="paper",
        model=CycleGANConfig(
            discriminator=DiscriminatorConfig(start="normal"),
            # section 3.2; the code that the authors published has a relativistic LSGAN in its place
            objective="vanilla",
            identity="paired",  # section 3.2: |s - G(m)|
            mixture_fakes="estimates",  # section 3.2: D_B hears A2B of the generated source
            cycle_source_weight=0.0,  # section 3.2 and figure 4 go one way: m, s^, m^
            cycle_mixture_weight=10.0,  # authors' code; section 3.2: higher than the others
            identity_source_weight=0.5,  # authors' code
            identity_mixture_weight=0.0,  # not in section 3.2
            pool=0,  # not in section 3.2; in the authors' code its use is commented out
        ),
        data=DataConfig(sample_rate_hz=16000, window=16384, batch=10, law="paper"),
        # Not in the paper: the mean of the weights, as in `ssepgan`.
        training=TrainingConfig(steps=100_000, learning_rate=2e-4, betas=(0.5, 0.9), ema=0.999),
    ),
    # Zhu et al. for what S-SepGAN's section 3.2 takes from them: both cycles, unpaired; networks,
    # windows and batches are S-SepGAN's.
    "zhu": Experiment(
        system="cyclegan",
        preset="zhu",
        model=CycleGANConfig(discriminator=DiscriminatorConfig(start="normal")),
        data=DataConfig(sample_rate_hz=16000, window=16384, batch=10, law="paper"),
        training=TrainingConfig(steps=100_000, learning_rate=2e-4, betas=(0.5, 0.999), ema=0.0),
    ),
    # No data, no flags: the packaged recordings, about four minutes on two cores.
    "demo": Experiment(
        system="cyclegan",
        preset="demo",
        model=CycleGANConfig(
            generator=GeneratorConfig(
                kind="filterbank", channels=256, blocks=8, frame=1024, hop=512
            ),
            mixer=GeneratorConfig(kind="filterbank", channels=32, blocks=1, frame=1024, hop=512),
            carry_rest=True,
            discriminator=DiscriminatorConfig(
                kind="multiresolution", channels=32, frames=(512, 1024), window=8192
            ),
            objective="hinge",
            # the same as the mixture's cycle where the rest is carried along
            identity_mixture_weight=0.0,
            identity_share=0.125,
            adversarial_source_weight=0.01,
            adversarial_mixture_weight=0.01,
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

# What a search changes, see docs/tuning.md.
SEARCH = {
    "learning_rate": Around(factor=5),
    "discriminator_learning_rate": Around(factor=5),
    "ema": MEANS,
    "generator.channels": WIDTHS,
    "generator.dilations": DILATIONS,
    "cycle_mixture_weight": Around(factor=5),  # beside that of the sources, which sets the unit
    "identity_source_weight": Around(factor=5),
    "adversarial_source_weight": Around(factor=10),
    "taken_off": Range(low=0.5, high=1.0, when=("carry_rest", True)),
}
