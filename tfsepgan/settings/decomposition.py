"""Settings and presets of composition and decomposition (Harn, Chen & Jojic 2019,
arXiv:1901.07667)."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal

from tfsepgan.config import DataConfig, Experiment, TrainingConfig
from tfsepgan.settings.networks import DiscriminatorConfig, GeneratorConfig, SynthesizerConfig
from tfsepgan.settings.search import DILATIONS, MEANS, WIDTHS, Around, Choice

Objective = Literal["vanilla", "lsgan", "hinge", "wgan-gp"]
Learn = Literal["decomposition", "composition", "both"]

# Which composition there can be for what is learnt.
_COMPOSITIONS = {"decomposition": "sum", "composition": "learned", "both": "learned"}


@dataclass(frozen=True, kw_only=True)
class CompositionConfig:
    """What makes a mixture of parts."""

    kind: Literal["sum", "learned"] = "sum"
    """'sum': parts are added up; 'learned': a filter for each, and something that bends the sum; it
    starts as the sum."""
    taps: int = (
        # 2 ms at 16 kHz: levels, equalisation and short delays; longer ones soon cost more than the
        # decomposition
        31
    )
    """Length of the filters, in samples, odd (learned)."""
    channels: int = 16
    """Width of the layer that bends the sum, sample by sample (learned); 0 leaves filters only."""

    def problems(self) -> Iterator[str]:
        """What no network could be built of, a sentence each."""
        if self.taps < 1 or self.taps % 2 == 0:
            yield f"composition.taps is {self.taps}; it must be odd and at least 1."
        if self.channels < 0:
            yield f"composition.channels is {self.channels}; it must be zero or more."


@dataclass(frozen=True, kw_only=True)
class DecompositionConfig:
    """What is known, what is learnt, and the weight of every term."""

    learn: Learn = "decomposition"  # the paper's first task: components and composition are known
    """What moves: the 'decomposition' of sums; a 'composition' for a decomposition that `init_from`
    names; 'both' at once."""
    generator: GeneratorConfig = field(default_factory=GeneratorConfig)
    composition: CompositionConfig = field(default_factory=CompositionConfig)
    discriminator: DiscriminatorConfig = field(default_factory=DiscriminatorConfig)
    components: tuple[str, ...] = ()
    """A trained `wavegan` (run or model folder) for each source, then for the rest; '' or none:
    recordings of the part are heard."""
    component: SynthesizerConfig = field(default_factory=SynthesizerConfig)
    """The network of those generators, as it was when they were trained."""
    objective: Objective = "wgan-gp"  # l_c and l_d are written as Wasserstein distances
    """Adversarial objective."""
    parts_cycle_weight: float = 10.0  # CycleGAN's weight against an adversarial term of 1
    """Weight of l_c-cyc: parts must come back from their composition."""
    mixture_cycle_weight: float = 10.0  # CycleGAN's
    """Weight of l_d-cyc: a mixture must come back from its parts."""
    parts_weight: float = 1.0  # the cycles are weighed against it
    """Weight of l_d: each part of a mixture must sound like that part alone."""
    mixture_weight: float = 1.0  # the cycles are weighed against it
    """Weight of l_c: a composition must sound like a mixture (where a composition is learnt)."""
    penalty_weight: float = 10.0  # Gulrajani et al. 2017
    """Weight of the gradient penalty (objective 'wgan-gp')."""
    # as they come; recordings differ by 30 dB, and L1 would hear the loud ones only
    level_dbfs: float | None = None
    """RMS level that mixtures, with their parts, are brought to for all losses, in dB below full
    scale; None: as they are."""
    critic_steps: int = 5  # Gulrajani et al. 2017, algorithm 1
    """Steps of each critic for each step of what is learnt, on the same batch."""

    def problems(self) -> Iterator[str]:
        """What no run could be trained with, a sentence each."""
        yield from self.generator.problems()
        yield from self.composition.problems()
        yield from self.discriminator.problems()
        yield from self.component.problems()
        fitting = _COMPOSITIONS[self.learn]
        if self.composition.kind != fitting:
            yield (
                f"learn is {self.learn!r} and composition.kind {self.composition.kind!r}: a sum has"
                " nothing to learn, and a composition is learnt by 'composition' or 'both'. Use"
                f" --composition.kind {fitting}, or another --learn."
            )
        for name in (name for name in vars(self) if name.endswith("_weight")):
            if getattr(self, name) < 0:
                yield f"{name} is {getattr(self, name)}; it must be zero or above."
        if not self.parts_cycle_weight and not self.mixture_cycle_weight:
            yield (
                "parts_cycle_weight and mixture_cycle_weight are both zero: nothing then ties the"
                " parts to their mixture."
            )
        if self.critic_steps < 1:
            yield (
                f"critic_steps is {self.critic_steps}; it must be at least 1 (a weight of 0 leaves"
                " a critic out)."
            )

    @property
    def terms(self) -> tuple[str, ...]:
        """The terms that what is learnt has a part in."""
        adversarial = {
            "decomposition": ("parts",),
            "composition": ("mixture",),
            "both": ("parts", "mixture"),
        }
        return ("parts_cycle", "mixture_cycle", *adversarial[self.learn])


PRESETS = {
    # For tests: seconds, not minutes; everything moves.
    "tiny": Experiment(
        system="decomposition",
        preset="tiny",
        model=DecompositionConfig(
            learn="both",
            generator=GeneratorConfig(kind="filterbank", channels=16, blocks=2, frame=256, hop=64),
            composition=CompositionConfig(kind="learned", taps=9, channels=4),
            discriminator=DiscriminatorConfig(kind="wavegan", channels=4),
            objective="lsgan",  # the others give a critic's last constant no gradient at first
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
    # The paper's first task and objective. It has pictures and text, so networks, window and batch
    # are S-SepGAN's; its weights and rates could not be looked up, so they are those of what it
    # builds on.
    "paper": Experiment(
        system="decomposition",
        preset="paper",
        model=DecompositionConfig(),
        data=DataConfig(sample_rate_hz=16000, window=16384, batch=10, law="snr"),
        training=TrainingConfig(
            steps=100_000,
            learning_rate=1e-4,  # Gulrajani et al. 2017, algorithm 1
            discriminator_learning_rate=1e-4,
            betas=(0.5, 0.9),  # their code for images
            ema=0.0,
        ),
    ),
    # No data, no flags: the packaged recordings, about four minutes on two cores.
    "demo": Experiment(
        system="decomposition",
        preset="demo",
        model=DecompositionConfig(
            generator=GeneratorConfig(
                kind="filterbank", channels=256, blocks=8, frame=1024, hop=512
            ),
            discriminator=DiscriminatorConfig(
                kind="multiresolution", channels=32, frames=(512, 1024), window=8192
            ),
            objective="hinge",
            mixture_cycle_weight=1.0,
            parts_weight=0.01,
            mixture_weight=0.01,
            level_dbfs=-20.0,
            critic_steps=1,
        ),
        data=DataConfig(data="demo", sample_rate_hz=16000, window=32768, batch=4, law="snr"),
        training=TrainingConfig(
            steps=1600,
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

# What a search changes, see docs/tuning.md. The cycle of the parts sets the unit of the weights.
SEARCH = {
    "learning_rate": Around(factor=5),
    "discriminator_learning_rate": Around(factor=5),
    "ema": MEANS,
    "generator.channels": WIDTHS,
    "generator.dilations": DILATIONS,
    "mixture_cycle_weight": Around(factor=10),
    "parts_weight": Around(factor=10),
    "composition.taps": Choice(values=(9, 31, 63), when=("composition.kind", "learned")),
}
