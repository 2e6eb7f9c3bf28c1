"""Settings and presets of composition and decomposition (Harn et al. 2019, arXiv:1901.07667)."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Literal

from tfsepgan.config import TrainingConfig
from tfsepgan.settings import presets as shared
from tfsepgan.settings.base import SystemConfig, presets_of
from tfsepgan.settings.networks import DiscriminatorConfig, GeneratorConfig, SynthesizerConfig
from tfsepgan.settings.search import MASKED, Around, Choice

Objective = Literal["vanilla", "lsgan", "hinge", "wgan-gp"]
Learn = Literal["decomposition", "composition", "both"]

# The kind of composition that each value of `learn` needs.
_COMPOSITIONS = {"decomposition": "sum", "composition": "learned", "both": "learned"}


@dataclass(frozen=True, kw_only=True)
class CompositionConfig:
    """The network that makes a mixture from sources."""

    kind: Literal["sum", "learned"] = "sum"
    """'sum': sources are added up; 'learned': a filter for each source, then a nonlinear layer on
    the sum. It starts as the sum."""
    # 2 ms at 16 kHz: levels, equalisation and short delays; longer filters soon cost more than the
    # decomposition
    taps: int = 31
    """Length of the filters, in samples, odd (learned)."""
    channels: int = 16
    """Width of the nonlinear layer, which works sample by sample (learned); 0: filters only."""

    def problems(self, prefix: str = "composition") -> Iterator[str]:
        """Yield one sentence for each setting that no network can have."""
        if self.taps < 1 or self.taps % 2 == 0:
            yield f"{prefix}.taps is {self.taps}; it must be odd and at least 1."
        if self.channels < 0:
            yield f"{prefix}.channels is {self.channels}; it must be zero or more."


@dataclass(frozen=True, kw_only=True)
class DecompositionConfig(SystemConfig):
    """Composition and decomposition: what is given, what is learned, and the loss weights."""

    learn: Learn = "decomposition"  # the paper's first task: components and composition are given
    """What is trained: the 'decomposition' of sums; a 'composition' for the decomposition named by
    `init_from`; or 'both' together."""
    generator: GeneratorConfig = field(default_factory=GeneratorConfig)
    composition: CompositionConfig = field(default_factory=CompositionConfig)
    discriminator: DiscriminatorConfig = field(default_factory=DiscriminatorConfig)
    components: tuple[str, ...] = ()
    """A trained `wavegan` (run or model folder) for each source, then one for the residual. Where
    it is '' or missing, recordings are used."""
    component: SynthesizerConfig = field(default_factory=SynthesizerConfig)
    """The generator network of `components`, with the settings it was trained with."""
    objective: Objective = "wgan-gp"  # l_c and l_d are written as Wasserstein distances
    """Adversarial objective."""
    parts_cycle_weight: float = 10.0  # CycleGAN's weight relative to an adversarial loss of 1
    """Weight of l_c-cyc: sources must be recovered from their composition."""
    mixture_cycle_weight: float = 10.0  # CycleGAN's
    """Weight of l_d-cyc: a mixture must be recovered from its estimates."""
    parts_weight: float = 1.0  # the cycles are weighted relative to it
    """Weight of l_d: each estimate must sound like its source alone."""
    mixture_weight: float = 1.0  # the cycles are weighted relative to it
    """Weight of l_c: a composition must sound like a mixture (where a composition is trained)."""
    penalty_weight: float = 10.0  # Gulrajani et al. 2017
    """Weight of the gradient penalty (objective 'wgan-gp')."""
    # not scaled in the paper; recordings differ by 30 dB, and loud ones dominate an L1 loss
    level_dbfs: float | None = None
    """RMS level in dBFS to which mixtures are scaled for all losses, with their sources; None: not
    scaled."""
    critic_steps: int = 5  # Gulrajani et al. 2017, algorithm 1
    """Steps of each discriminator for each step of the trained networks, on the same batch."""

    def own_problems(self) -> Iterator[str]:
        """Yield one sentence for each setting of this system alone that no run can use."""
        fitting = _COMPOSITIONS[self.learn]
        if self.composition.kind != fitting:
            yield (
                f"learn is {self.learn!r} and composition.kind {self.composition.kind!r}: a sum has"
                " no weights to train, and a learned composition needs --learn 'composition' or"
                f" 'both'. Use --composition.kind {fitting}, or another --learn."
            )
        if not self.parts_cycle_weight and not self.mixture_cycle_weight:
            yield (
                "parts_cycle_weight and mixture_cycle_weight are both zero: no loss then relates"
                " the estimates to their mixture."
            )
        if self.critic_steps < 1:
            yield (
                f"critic_steps is {self.critic_steps}; it must be at least 1 (a weight of 0 trains"
                " without that discriminator)."
            )

    @property
    def terms(self) -> tuple[str, ...]:
        """Names of the losses of the trained networks."""
        adversarial = {
            "decomposition": ("parts",),
            "composition": ("mixture",),
            "both": ("parts", "mixture"),
        }
        return ("parts_cycle", "mixture_cycle", *adversarial[self.learn])


PRESETS = presets_of(
    "decomposition",
    # Every network is trained.
    tiny={
        "model": DecompositionConfig(
            learn="both",
            generator=shared.TINY_GENERATOR,
            composition=CompositionConfig(kind="learned", taps=9, channels=4),
            discriminator=shared.TINY_DISCRIMINATOR,
            # under the others a discriminator's last bias has no gradient at first
            objective="lsgan",
            critic_steps=1,
        ),
        "data": shared.TINY_DATA,
        "training": shared.TINY_TRAINING,
    },
    # The paper's first task and objective. The paper has images and text, so networks, window and
    # batch are S-SepGAN's. Its weights and learning rates were not available, so they are those of
    # the papers that it builds on.
    paper={
        "model": DecompositionConfig(),
        "data": replace(shared.PAPER_DATA, law="snr"),
        "training": TrainingConfig(
            steps=100_000,
            learning_rate=1e-4,  # Gulrajani et al. 2017, algorithm 1
            discriminator_learning_rate=1e-4,
            betas=(0.5, 0.9),  # their code for images
            ema=0.0,
        ),
    },
    demo={
        "model": DecompositionConfig(
            generator=shared.DEMO_GENERATOR,
            discriminator=shared.DEMO_DISCRIMINATOR,
            objective="hinge",
            mixture_cycle_weight=1.0,
            parts_weight=0.01,
            mixture_weight=0.01,
            level_dbfs=-20.0,
            critic_steps=1,
        ),
        "data": replace(shared.DEMO_DATA, batch=4),
        "training": shared.DEMO_TRAINING,
    },
)

# What a search changes, see docs/tuning.md. Weights are relative to `parts_cycle_weight`.
SEARCH = {
    **MASKED,
    "mixture_cycle_weight": Around(factor=10),
    "parts_weight": Around(factor=10),
    "composition.taps": Choice(values=(9, 31, 63), when=("composition.kind", "learned")),
}
