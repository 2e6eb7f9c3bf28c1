"""Settings and presets of GASS (Subakan & Smaragdis 2018, "Generative Adversarial Source
Separation", arXiv:1710.10779)."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from tfsepgan.config import DataConfig, Experiment, TrainingConfig
from tfsepgan.settings.search import Around, Choice, Multiples

Objective = Literal["wgan", "wgan-gp"]
Estimate = Literal["magnitude", "mask"]
Start = Literal["glorot", "uniform"]


@dataclass(frozen=True, kw_only=True)
class GASSConfig:
    """What frames, generators and critics are like, and how a mixture is searched."""

    frame: int = 1024  # authors' code
    """Length of a frame, in samples."""
    hop: int = 256  # authors' code: a quarter, as librosa has it
    """Step between frames, in samples; it must divide the frame."""
    latent: int = 513  # authors' code: as many as bins
    """Numbers in a latent."""
    hidden: int = 100  # authors' code
    """Units in the hidden layer of each generator."""
    critic_hidden: int = 90  # authors' code
    """Units in the hidden layer of each critic."""
    start: Start = "glorot"  # 'uniform' is that of the authors' code
    """How weights start: 'glorot' with biases of zero, or 'uniform', weights and biases within 1 /
    sqrt(inputs) as in PyTorch."""
    compression: float = 1.0  # the paper's: magnitudes as they are
    """Power of the magnitudes that generators make and critics hear; 0.5 lets them hear quiet bins
    too."""
    objective: Objective = "wgan"  # the paper's
    """What bounds the critics' slope: 'wgan' clips their weights, 'wgan-gp' penalises the slope."""
    clip: float = 0.01  # authors' code; Arjovsky et al. 2017
    """Largest weight of a critic ('wgan')."""
    penalty_weight: float = 10.0  # Gulrajani et al. 2017
    """Weight of the gradient penalty ('wgan-gp')."""
    critic_steps: int = 5  # authors' code
    """Critic steps for each generator step, each on other frames of the batch."""
    first_critic_steps: int = 0  # authors' code has 100
    """Critic steps for each of the first `first_steps` generator steps; 0 has no more of them there
    than later."""
    first_steps: int = 25  # authors' code
    """Generator steps at the start of a run that `first_critic_steps` is for."""
    frames: int = 1900  # authors' code: all of a speaker, half a minute, in each step
    """Frames of each part in a step, drawn from the batch as often as they are loud."""
    iterations: int = 2000  # authors' code
    """Steps of the search. With `smoothness`, each takes a hop of context on either side."""
    search_rate: float = 1e-3  # authors' code
    """Learning rate of the search, which also moves the logarithm of each part's gain."""
    # RMSprop as in the authors' code, with PyTorch's smoothing
    search_betas: tuple[float, float] = (0.0, 0.99)
    """Decay rates of the search's Adam."""
    # authors' code tries 0 and 2^-8 to 1 and keeps the best; its last runs have 0.1
    critic_weight: float = 0.1
    """Weight of the critics' scores in the search."""
    smoothness: float = 0.1  # authors' code
    """Weight of the parts' jumps from frame to frame in the search; 0 makes frames independent."""
    estimate: Estimate = "magnitude"  # the paper's
    """How a part goes back to audio: its own magnitudes with the mixture's phase, or its share of
    the mixture."""
    mask_power: float = 1.0  # authors' code, where it has masks
    """How parts share a bin ('mask'): 1 by magnitude, 2 by energy, as a Wiener filter."""

    def problems(self) -> Iterator[str]:
        """What no run could be trained with, a sentence each."""
        for name in (
            "latent",
            "hidden",
            "critic_hidden",
            "critic_steps",
            "first_steps",
            "frames",
            "iterations",
        ):
            if getattr(self, name) < 1:
                yield f"{name} is {getattr(self, name)}; it must be at least 1."
        for name in ("clip", "search_rate", "mask_power"):
            if not getattr(self, name) > 0:
                yield f"{name} is {getattr(self, name)}; it must be above zero."
        for name in ("penalty_weight", "critic_weight", "smoothness"):
            if getattr(self, name) < 0:
                yield f"{name} is {getattr(self, name)}; it must be zero or above."
        if self.first_critic_steps != 0 and self.first_critic_steps < self.critic_steps:
            yield (
                f"first_critic_steps is {self.first_critic_steps}; it must be 0 or at least"
                f" critic_steps, which is {self.critic_steps}."
            )
        if not 0 < self.compression <= 1:
            yield f"compression is {self.compression}; it must be above 0 and at most 1."
        if not all(0 <= beta < 1 for beta in self.search_betas):
            yield f"search_betas is {self.search_betas}; both must be in [0, 1)."
        if self.hop < 1 or self.frame % self.hop or self.frame // self.hop < 2 or self.frame % 2:
            yield (
                f"frame is {self.frame} and hop {self.hop}: the frame must be even and a multiple"
                " of the hop, twice at least."
            )


PRESETS = {
    # For tests: seconds, not minutes.
    "tiny": Experiment(
        system="gass",
        preset="tiny",
        model=GASSConfig(
            frame=256,
            hop=64,
            latent=4,
            hidden=8,
            critic_hidden=6,
            frames=16,
            critic_steps=2,
            iterations=12,
            search_rate=0.1,
            estimate="mask",
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
    # Faithful to the paper; numbers without a source there are its authors' code's.
    "paper": Experiment(
        system="gass",
        preset="paper",
        model=GASSConfig(start="uniform", first_critic_steps=100),
        # half a minute of each part
        data=DataConfig(sample_rate_hz=16000, window=16384, batch=30, law="paper"),
        training=TrainingConfig(
            steps=400,  # passes over the half minute that the authors have of each speaker
            steps_per_epoch=100,
            learning_rate=1e-3,
            discriminator_learning_rate=1e-3,
            betas=(0.0, 0.99),  # RMSprop, with PyTorch's smoothing
            ema=0.0,
            validation_mixtures=2,  # a search of 2000 steps each
            keep="last",
        ),
    ),
    # No data, no flags: the packaged recordings, about four minutes on two cores.
    "demo": Experiment(
        system="gass",
        preset="demo",
        model=GASSConfig(
            frame=2048,  # tells notes a semitone apart from 130 Hz up
            hop=512,
            latent=64,
            hidden=200,  # 100 is 0.3 dB behind after as many steps
            critic_hidden=200,
            compression=0.5,
            objective="wgan-gp",
            frames=256,
            critic_steps=2,
            iterations=60,  # 100 gain 0.1 dB at most
            search_rate=0.1,
            search_betas=(0.9, 0.99),
            critic_weight=0.003,  # 0 is 0.2 dB behind, 0.01 a whole one
            smoothness=0.3,  # 0 is 0.4 dB behind, 1 is 0.3
            estimate="mask",
        ),
        data=DataConfig(data="demo", sample_rate_hz=16000, window=32768, batch=8, law="snr"),
        training=TrainingConfig(
            steps=2000,
            steps_per_epoch=250,
            minutes=4.0,
            learning_rate=1e-3,
            discriminator_learning_rate=1e-3,
            betas=(0.0, 0.9),  # Gulrajani et al. 2017
            schedule="cosine",
            ema=0.99,
            validation_mixtures=6,  # a search of 60 steps each
        ),
    ),
}

# What a search changes, see docs/tuning.md. More iterations take longer to validate than to train.
SEARCH = {
    "learning_rate": Around(factor=5),
    "discriminator_learning_rate": Around(factor=5),
    "latent": Multiples(of=(0.5, 1, 2)),
    "hidden": Multiples(of=(0.5, 1, 2)),
    "compression": Choice(values=(0.33, 0.5, 1.0)),
    "search_rate": Around(factor=4),
    "iterations": Multiples(of=(0.5, 1, 1.5)),
    "critic_weight": Around(factor=10),
    "smoothness": Around(factor=5),
    "mask_power": Choice(values=(1.0, 1.5, 2.0), when=("estimate", "mask")),
}
