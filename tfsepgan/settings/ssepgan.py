"""Settings and presets of S-SepGAN (ElAraby, Ni & Tran, "S-SepGAN", section 3.3)."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Literal

from tfsepgan.config import AugmentConfig, DataConfig, Experiment, TrainingConfig
from tfsepgan.config.limits import shares
from tfsepgan.settings import presets as shared
from tfsepgan.settings.base import SystemConfig, nothing_to_learn, presets_of
from tfsepgan.settings.networks import DiscriminatorConfig, GeneratorConfig
from tfsepgan.settings.search import (
    DILATIONS,
    MASKERS,
    MEANS,
    SHARED_WEIGHTS,
    WIDTHS,
    Around,
    Multiples,
)

Objective = Literal["vanilla", "lsgan", "hinge", "wgan-gp"]
PairedLoss = Literal["l1", "mse"]


@dataclass(frozen=True, kw_only=True)
class SSepGANConfig(SystemConfig):
    """S-SepGAN: its networks, its objective and the weights of its losses."""

    generator: GeneratorConfig = field(default_factory=GeneratorConfig)
    discriminator: DiscriminatorConfig = field(default_factory=DiscriminatorConfig)
    objective: Objective = "vanilla"  # the paper's
    """Adversarial objective."""
    identity_weight: float = 0.5  # original code
    """Weight of the identity loss: the generator must leave the target alone unchanged."""
    identity_share: float = 1.0  # the paper uses all; each window costs one more generator pass
    """Share of the batch that the identity loss uses, 0 to 1; less is faster."""
    adversarial_weight: float = 1.0  # original code
    """Weight of the adversarial loss of the generator; 0 trains without a discriminator (with
    `feature_weight` 0)."""
    paired_weight: float = 10.0  # original code; "heavier"
    """Weight of the distance between estimate and target."""
    paired_loss: PairedLoss = "l1"  # the paper's
    """Distance between estimate and target: 'l1', or 'mse' (mean square), which gives softer masks
    where the target is uncertain. With `level_dbfs` -20, 'mse' at a weight of 100 has the gradient
    of 'l1' at 10 where the error is at -26 dBFS, and less below."""
    mixture_as_fake_weight: float = 1.0  # section 3.3: the third term of the discriminator's loss
    """Weight of the discriminator's loss on the raw mixture as a fake; 0 leaves it out."""
    feature_weight: float = 0.0  # not in the paper; Larsen et al. 2016, as in MelGAN
    """Weight of feature matching between the discriminator's layers on estimate and target."""
    spectral_weight: float = 0.0  # not in the paper; Yamamoto et al. 2020
    """Weight of the multi-resolution spectral distance."""
    penalty_weight: float = 10.0  # Gulrajani et al. 2017
    """Weight of the gradient penalty (objective 'wgan-gp')."""
    # the paper's; recordings differ by 30 dB, and loud ones dominate an L1 loss
    level_dbfs: float | None = None
    """RMS level in dBFS to which mixtures are scaled for all losses, with their targets and
    estimates; None: not scaled."""
    discriminator_steps: int = 1  # the paper's; 5 is usual with 'wgan-gp'
    """Discriminator steps for each generator step, on the same batch."""

    def own_problems(self) -> Iterator[str]:
        """Yield one sentence for each setting of S-SepGAN alone that no run can use."""
        yield from nothing_to_learn(
            self,
            "identity_weight",
            "adversarial_weight",
            "paired_weight",
            "feature_weight",
            "spectral_weight",
        )
        yield from shares(self, "identity_share")
        if self.discriminator_steps < 1:
            yield (
                f"discriminator_steps is {self.discriminator_steps}; it must be at least 1"
                " (--adversarial-weight 0 trains without a discriminator)."
            )


PRESETS = presets_of(
    "ssepgan",
    tiny={
        "model": SSepGANConfig(
            generator=shared.TINY_GENERATOR, discriminator=shared.TINY_DISCRIMINATOR
        ),
        "data": shared.TINY_DATA,
        "training": shared.TINY_TRAINING,
    },
    # As in the paper; numbers that it does not give are the original code's.
    paper={
        "model": SSepGANConfig(discriminator=DiscriminatorConfig(start="normal")),
        "data": shared.PAPER_DATA,
        # The running mean of the weights is not in the paper: the weights alone vary by up to 3 dB
        # within 250 steps (docs/systems/ssepgan.md).
        "training": TrainingConfig(steps=100_000, learning_rate=2e-4, betas=(0.5, 0.9), ema=0.999),
    },
    # The paper's networks at a quarter of their width, with its weights, law and objective, changed
    # so that they learn in an hour on one core; docs/systems/ssepgan.md: the gain of each change.
    quarter={
        "model": SSepGANConfig(
            generator=GeneratorConfig(channels=32, start="identity"),
            discriminator=DiscriminatorConfig(channels=16, start="normal"),
        ),
        "data": replace(shared.PAPER_DATA, batch=4),
        "training": TrainingConfig(
            steps=12_000,
            learning_rate=1e-3,
            # at 2e-4 the discriminator becomes too strong after 5000 steps
            discriminator_learning_rate=5e-5,
            betas=(0.5, 0.9),
            schedule="cosine",
            warmup_steps=200,
            ema=0.999,
        ),
    },
    demo={
        "model": SSepGANConfig(
            generator=shared.DEMO_GENERATOR,
            discriminator=shared.DEMO_DISCRIMINATOR,
            objective="hinge",
            identity_share=0.125,
            adversarial_weight=0.01,
            level_dbfs=-20.0,
        ),
        "data": shared.DEMO_DATA,
        "training": shared.DEMO_TRAINING,
    },
    # Real recordings at full bandwidth: the model that ships with the package.
    piano={
        "model": SSepGANConfig(
            generator=GeneratorConfig(
                kind="filterbank", channels=384, blocks=8, frame=4096, hop=2048, cutoff_hz=16000.0
            ),
            discriminator=DiscriminatorConfig(
                kind="multiresolution", channels=32, frames=(1024, 2048), window=16384
            ),
            objective="hinge",
            identity_share=0.125,
            adversarial_weight=0.01,
            paired_loss="mse",  # softer masks, better on players not in the data: docs/data.md
            paired_weight=100.0,
            level_dbfs=-20.0,
        ),
        "data": DataConfig(
            sample_rate_hz=44100,
            window=131072,
            batch=8,
            law="snr",
            snr_db=(-8.0, 8.0),
            gain_db=(-6.0, 18.0),
            balance="folders",  # a player with a minute is drawn as often as one with an hour
            augment=AugmentConfig(  # docs/data.md: gains most on players not in the data
                polarity=0.5,
                speed=0.5,
                pitch=0.2,
                equaliser=0.7,
                room=0.4,
                band_limit=0.2,
                codec=0.1,
                noise=0.3,
            ),
        ),
        "training": TrainingConfig(
            steps=5000,
            minutes=20.0,
            steps_per_epoch=500,
            learning_rate=1e-3,
            discriminator_learning_rate=2e-4,
            betas=(0.8, 0.99),
            schedule="cosine",
            warmup_steps=100,
            clip_norm=5.0,
            ema=0.995,
            precision="mixed_bfloat16",  # a third faster on processors that have it, same scores
            # the learning rate falls to the end, and a valid split of other players favours models
            # that change little
            keep="last",
        ),
    },
)


def _piano_with(preset: str, generator: GeneratorConfig) -> Experiment:
    """The training of `piano` with another generator."""
    piano = PRESETS["piano"]
    return replace(piano, preset=preset, model=replace(piano.model, generator=generator))


# Weights that are shared across frequency: docs/systems/ssepgan.md has sizes and speeds.
PRESETS["piano2d"] = _piano_with(
    "piano2d",
    GeneratorConfig(
        kind="tfc_tdf",
        channels=48,  # the widest within 0.8 GFLOP for a second
        blocks=5,
        frame=4096,
        hop=1024,
        cutoff_hz=16000.0,
        dilations=(1, 3, 9, 27, 9),  # filters join without overlap: context of 1.4 s each side
    ),
)

# A latency of 46 ms, for the stage: docs/live.md has other latencies.
PRESETS["piano-live"] = _piano_with(
    "piano-live",
    GeneratorConfig(
        kind="filterbank",
        channels=256,  # 2.9 million weights, which a processor reads for each hop
        blocks=8,
        frame=4096,  # tells low notes apart, as in `piano`
        hop=1024,
        synthesis_frame=2048,  # the latency
        look_ahead_frames=0,
        level_frames=40,  # 0.9 s before
        cutoff_hz=16000.0,
    ),
)

# What a search changes, see docs/tuning.md. Steps of wider or deeper networks take longer: limit
# the time of each trial.
SEARCH = {
    "learning_rate": Around(factor=5),
    "discriminator_learning_rate": Around(factor=5),
    "ema": MEANS,
    "generator.channels": WIDTHS,
    "generator.blocks": Multiples(of=(0.5, 0.75, 1, 1.5)),
    "generator.dilations": DILATIONS,
    "generator.frame": Multiples(of=(1, 2), when=MASKERS),  # finer pitch for the same hop
    **SHARED_WEIGHTS,
    "adversarial_weight": Around(factor=10),
    "identity_weight": Around(factor=5),
}
