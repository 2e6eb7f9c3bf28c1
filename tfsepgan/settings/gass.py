"""Settings and presets of GASS (Subakan & Smaragdis 2018, arXiv:1710.10779)."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from tfsepgan.config import DataConfig, TrainingConfig
from tfsepgan.config.limits import above_zero, at_least, not_negative
from tfsepgan.settings import presets as shared
from tfsepgan.settings.base import SystemConfig, frame_and_hop, presets_of
from tfsepgan.settings.search import Around, Choice, Multiples

Objective = Literal["wgan", "wgan-gp"]
Estimate = Literal["magnitude", "mask"]
Start = Literal["glorot", "uniform"]


@dataclass(frozen=True, kw_only=True)
class GASSConfig(SystemConfig):
    """GASS: its frames, its generators and critics, and the search for a mixture's latents."""

    frame: int = 1024  # authors' code
    """Length of a frame, in samples; longer ones resolve pitch better and time worse."""
    hop: int = 256  # authors' code: a quarter, librosa's default
    """Step between frames, in samples; it must divide the frame."""
    latent: int = 513  # authors' code: as many as bins
    """Numbers in a latent."""
    hidden: int = 100  # authors' code
    """Units in the hidden layer of each generator."""
    critic_hidden: int = 90  # authors' code
    """Units in the hidden layer of each critic."""
    start: Start = "glorot"  # 'uniform' is that of the authors' code
    """Initial weights: 'glorot' with biases of zero; 'uniform': weights and biases within
    1 / sqrt(inputs), as in PyTorch."""
    compression: float = 1.0  # the paper's: magnitudes as they are
    """Exponent of the magnitudes that generators produce and critics score, above 0 to 1; a smaller
    one, such as 0.5, gives quiet bins more weight."""
    objective: Objective = "wgan"  # the paper's
    """What limits the slope of the critics: 'wgan' clips their weights, 'wgan-gp' has a gradient
    penalty."""
    clip: float = 0.01  # authors' code; Arjovsky et al. 2017
    """Largest weight of a critic ('wgan')."""
    penalty_weight: float = 10.0  # Gulrajani et al. 2017
    """Weight of the gradient penalty ('wgan-gp')."""
    critic_steps: int = 5  # authors' code
    """Critic steps for each generator step, each on other frames of the batch."""
    first_critic_steps: int = 0  # authors' code has 100
    """Critic steps for each of the first `first_steps` generator steps; 0: as many as later."""
    first_steps: int = 25  # authors' code
    """Generator steps at the start of a run that use `first_critic_steps`."""
    frames: int = 1900  # authors' code: all of a speaker, half a minute, in each step
    """Frames of each source in a step. They are drawn from the batch; loud frames are more
    likely."""
    iterations: int = 2000  # authors' code
    """Steps of the search; more are better and slower. With `smoothness`, each step needs a hop of
    context on either side."""
    search_rate: float = 1e-3  # authors' code
    """Learning rate of the search, also for the logarithm of each source's gain."""
    # RMSprop as in the authors' code, with PyTorch's smoothing
    search_betas: tuple[float, float] = (0.0, 0.99)
    """Decay rates of the first and second moment of the search's Adam."""
    # authors' code tries 0 and 2^-8 to 1 and keeps the best; its last runs have 0.1
    critic_weight: float = 0.1
    """Weight of the critics' scores in the search."""
    smoothness: float = 0.1  # authors' code
    """Weight, in the search, of changes from frame to frame; 0 makes frames independent."""
    estimate: Estimate = "magnitude"  # the paper's
    """How estimates become audio: 'magnitude', their own magnitudes with the phase of the mixture;
    'mask', their share of the mixture."""
    mask_power: float = 1.0  # authors' code, where it has masks
    """How sources share a bin ('mask'): 1 by magnitude, 2 by energy, as a Wiener filter."""

    def own_problems(self) -> Iterator[str]:
        """Yield one sentence for each setting of GASS alone that no run can use."""
        sizes = ("latent", "hidden", "critic_hidden", "critic_steps", "first_steps", "frames")
        yield from at_least(self, **dict.fromkeys((*sizes, "iterations"), 1))
        yield from above_zero(self, "clip", "search_rate", "mask_power")
        yield from not_negative(self, "smoothness")
        if self.first_critic_steps != 0 and self.first_critic_steps < self.critic_steps:
            yield (
                f"first_critic_steps is {self.first_critic_steps}; it must be 0 or at least"
                f" critic_steps, which is {self.critic_steps}."
            )
        if not 0 < self.compression <= 1:
            yield f"compression is {self.compression}; it must be above 0 and at most 1."
        if not all(0 <= beta < 1 for beta in self.search_betas):
            yield f"search_betas is {self.search_betas}; both must be in [0, 1)."
        yield from frame_and_hop(self)


PRESETS = presets_of(
    "gass",
    tiny={
        "model": GASSConfig(
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
        "data": shared.TINY_DATA,
        "training": shared.TINY_TRAINING,
    },
    # As in the paper; numbers that it does not give are its authors' code's.
    paper={
        "model": GASSConfig(start="uniform", first_critic_steps=100),
        # half a minute of each source
        "data": DataConfig(sample_rate_hz=16000, window=16384, batch=30, law="paper"),
        "training": TrainingConfig(
            steps=400,  # passes over the half minute that the authors have of each speaker
            steps_per_epoch=100,
            learning_rate=1e-3,
            discriminator_learning_rate=1e-3,
            betas=(0.0, 0.99),  # RMSprop, with PyTorch's smoothing
            ema=0.0,
            validation_mixtures=2,  # a search of 2000 steps each
            keep="last",
        ),
    },
    demo={
        "model": GASSConfig(
            frame=2048,  # separates notes a semitone apart from 130 Hz up
            hop=512,
            latent=64,
            hidden=200,  # 100 is 0.3 dB worse after as many steps
            critic_hidden=200,
            compression=0.5,
            objective="wgan-gp",
            frames=256,
            critic_steps=2,
            iterations=60,  # 100 gain 0.1 dB at most
            search_rate=0.1,
            search_betas=(0.9, 0.99),
            critic_weight=0.003,  # 0 is 0.2 dB worse, 0.01 a whole dB
            smoothness=0.3,  # 0 is 0.4 dB worse, 1 is 0.3 dB
            estimate="mask",
        ),
        "data": shared.DEMO_DATA,
        "training": TrainingConfig(
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
    },
)

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
