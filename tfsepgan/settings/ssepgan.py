"""Settings and presets of S-SepGAN (ElAraby, Ni & Tran, "S-SepGAN", section 3.3)."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Literal

from tfsepgan.config import AugmentConfig, DataConfig, Experiment, TrainingConfig
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
class SSepGANConfig:
    """What S-SepGAN plays with: its networks, its objective and the weight of every term."""

    generator: GeneratorConfig = field(default_factory=GeneratorConfig)
    discriminator: DiscriminatorConfig = field(default_factory=DiscriminatorConfig)
    objective: Objective = "vanilla"  # the paper's
    """Adversarial objective."""
    identity_weight: float = 0.5  # original code
    """Weight of the identity term: the target alone must pass unchanged."""
    identity_share: float = 1.0  # the paper hears all; each costs one more pass of the generator
    """Share of the batch that the identity term hears."""
    adversarial_weight: float = 1.0  # original code
    """Weight of the adversarial term."""
    paired_weight: float = 10.0  # original code; "heavier"
    """Weight of the distance between estimate and target."""
    paired_loss: PairedLoss = "l1"  # the paper's
    """That distance: 'l1', or 'mse' (mean square), which leaves masks softer where they cannot be
    sure. With `level_dbfs` -20 a weight of 100 pulls by 'mse' as 10 does by 'l1' where the error is
    at -26 dBFS, less below."""
    mixture_as_fake_weight: float = 1.0  # section 3.3: the third term of the discriminator's loss
    """Weight of the discriminator's term that calls the raw mixture fake; 0 leaves it out."""
    feature_weight: float = 0.0  # not in the paper; Larsen et al. 2016, as in MelGAN
    """Weight of feature matching between the discriminator's layers on estimate and target."""
    spectral_weight: float = 0.0  # not in the paper; Yamamoto et al. 2020
    """Weight of the multi-resolution spectral distance."""
    penalty_weight: float = 10.0  # Gulrajani et al. 2017
    """Weight of the gradient penalty (objective 'wgan-gp')."""
    # the paper's; recordings differ by 30 dB, and L1 would hear the loud ones only
    level_dbfs: float | None = None
    """RMS level that mixtures, with target and estimate, are brought to for all losses, in dB below
    full scale; None: as they are."""
    discriminator_steps: int = 1  # the paper's; 5 is usual with 'wgan-gp'
    """Discriminator steps for each generator step, on the same batch."""

    def problems(self) -> Iterator[str]:
        """What no run could be trained with, a sentence each."""
        yield from self.generator.problems()
        yield from self.discriminator.problems()
        weights = [name for name in vars(self) if name.endswith("_weight")]
        for name in weights:
            if getattr(self, name) < 0:
                yield f"{name} is {getattr(self, name)}; it must be zero or above."
        moving = (
            "identity_weight",
            "adversarial_weight",
            "paired_weight",
            "feature_weight",
            "spectral_weight",
        )
        if not any(getattr(self, name) for name in moving):
            yield f"The generator has nothing to learn from: {', '.join(moving)} are all zero."
        if not 0 <= self.identity_share <= 1:
            yield f"identity_share is {self.identity_share}; it must be in [0, 1]."
        if self.discriminator_steps < 1:
            yield (
                f"discriminator_steps is {self.discriminator_steps}; it must be at least 1"
                " (--adversarial-weight 0 leaves it out)."
            )


PRESETS = {
    # For tests: seconds, not minutes.
    "tiny": Experiment(
        system="ssepgan",
        preset="tiny",
        model=SSepGANConfig(
            generator=GeneratorConfig(kind="filterbank", channels=16, blocks=2, frame=256, hop=64),
            discriminator=DiscriminatorConfig(kind="wavegan", channels=4),
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
    # Faithful to the paper; numbers without a source there are the original code's.
    "paper": Experiment(
        system="ssepgan",
        preset="paper",
        model=SSepGANConfig(discriminator=DiscriminatorConfig(start="normal")),
        data=DataConfig(sample_rate_hz=16000, window=16384, batch=10, law="paper"),
        # Not in the paper: the mean of the weights, which move by up to 3 dB in 250 steps
        # (docs/systems/ssepgan.md).
        training=TrainingConfig(steps=100_000, learning_rate=2e-4, betas=(0.5, 0.9), ema=0.999),
    ),
    # The paper's networks at a quarter of their width, with its weights, law and objective, so set
    # that they learn in an hour of one core: docs/systems/ssepgan.md has what each change is worth.
    "quarter": Experiment(
        system="ssepgan",
        preset="quarter",
        model=SSepGANConfig(
            generator=GeneratorConfig(channels=32, start="identity"),
            discriminator=DiscriminatorConfig(channels=16, start="normal"),
        ),
        data=DataConfig(sample_rate_hz=16000, window=16384, batch=4, law="paper"),
        training=TrainingConfig(
            steps=12_000,
            learning_rate=1e-3,
            # at 2e-4 it gets the better of the generator after 5000 steps
            discriminator_learning_rate=5e-5,
            betas=(0.5, 0.9),
            schedule="cosine",
            warmup_steps=200,
            ema=0.999,
        ),
    ),
    # No data, no flags: the packaged recordings, about four minutes on two cores.
    "demo": Experiment(
        system="ssepgan",
        preset="demo",
        model=SSepGANConfig(
            generator=GeneratorConfig(
                kind="filterbank", channels=256, blocks=8, frame=1024, hop=512
            ),
            discriminator=DiscriminatorConfig(
                kind="multiresolution", channels=32, frames=(512, 1024), window=8192
            ),
            objective="hinge",
            identity_share=0.125,
            adversarial_weight=0.01,
            level_dbfs=-20.0,
        ),
        data=DataConfig(data="demo", sample_rate_hz=16000, window=32768, batch=8, law="snr"),
        training=TrainingConfig(
            steps=1600,
            steps_per_epoch=200,
            minutes=4.0,  # with installing and scoring, 8 minutes on two slow cores
            learning_rate=1e-3,
            discriminator_learning_rate=2e-4,
            betas=(0.8, 0.99),
            schedule="cosine",
            warmup_steps=50,
            clip_norm=5.0,
            ema=0.99,
        ),
    ),
    # Real recordings at full bandwidth: the model that ships.
    "piano": Experiment(
        system="ssepgan",
        preset="piano",
        model=SSepGANConfig(
            generator=GeneratorConfig(
                kind="filterbank", channels=384, blocks=8, frame=4096, hop=2048, cutoff_hz=16000.0
            ),
            discriminator=DiscriminatorConfig(
                kind="multiresolution", channels=32, frames=(1024, 2048), window=16384
            ),
            objective="hinge",
            identity_share=0.125,
            adversarial_weight=0.01,
            paired_loss="mse",  # softer masks, better on players that nobody heard: docs/data.md
            paired_weight=100.0,
            level_dbfs=-20.0,
        ),
        data=DataConfig(
            sample_rate_hz=44100,
            window=131072,
            batch=8,
            law="snr",
            snr_db=(-8.0, 8.0),
            gain_db=(-6.0, 18.0),
            balance="folders",  # a player of a minute is heard as often as one of an hour
            augment=AugmentConfig(  # docs/data.md: worth most on players that nobody heard
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
        training=TrainingConfig(
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
            # the rate falls to the end, and a valid split of strangers favours a model that does
            # little
            keep="last",
        ),
    ),
}

# The same training with weights that are shared across frequency: docs/systems/ssepgan.md has sizes
# and speeds.
_PIANO = PRESETS["piano"]
PRESETS["piano2d"] = replace(
    _PIANO,
    preset="piano2d",
    model=replace(
        _PIANO.model,
        generator=GeneratorConfig(
            kind="tfc_tdf",
            channels=48,  # the widest within 0.8 GFLOP for a second
            blocks=5,
            frame=4096,
            hop=1024,
            cutoff_hz=16000.0,
            dilations=(1, 3, 9, 27, 9),  # each tap where the ones before end: 1.4 s to either side
        ),
    ),
)

# What a search changes, see docs/tuning.md. A wider or deeper network takes longer for a step: give
# trials a limit in time.
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
