"""Settings and presets of supervised NMF, the baseline of Subakan & Smaragdis 2018 (1710.10779)."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from tfsepgan.config import TrainingConfig
from tfsepgan.config.limits import above_zero, at_least
from tfsepgan.settings import presets as shared
from tfsepgan.settings.base import SystemConfig, frame_and_hop, presets_of
from tfsepgan.settings.search import Multiples, Range

Weighting = Literal["loudness", "equal"]


@dataclass(frozen=True, kw_only=True)
class NMFConfig(SystemConfig):
    """NMF: the size of its dictionaries and how they are fitted."""

    frame: int = 1024  # authors' code
    """Length of a frame, in samples; longer ones resolve pitch better and time worse."""
    hop: int = 256  # authors' code: a quarter, librosa's default
    """Step between frames, in samples; it must divide the frame."""
    rank: int = 100  # authors' code
    """Spectra in the dictionary of each source."""
    # the authors fit to half a minute, 1900 frames; this is two minutes at 16 kHz and a hop of 512
    pool: int = 4000
    """Frames of each source that its dictionary is fitted to: a uniform random sample of all
    training frames."""
    fit_iterations: int = 100  # authors' code
    """Updates in a fit: first so many of the activations alone, then so many of activations and
    spectra."""
    weighting: Weighting = "loudness"
    """Weight of a frame in a fit: 'loudness', louder frames count more; 'equal', all frames count
    the same, as in the authors' code."""
    iterations: int = 300  # authors' code
    """Updates of the activations when a mixture is separated; more are slower."""
    mask_power: float = 1.0  # authors' code: shares of the magnitude
    """How sources share a bin: 1 by magnitude, 2 by energy, as a Wiener filter."""

    def own_problems(self) -> Iterator[str]:
        """Yield one sentence for each setting of NMF alone that no run can use."""
        yield from at_least(self, rank=1, pool=1, fit_iterations=1, iterations=1)
        yield from above_zero(self, "mask_power")
        yield from frame_and_hop(self)


PRESETS = presets_of(
    "nmf",
    tiny={
        "model": NMFConfig(frame=256, hop=64, rank=4, pool=64, fit_iterations=10, iterations=10),
        "data": shared.TINY_DATA,
        "training": TrainingConfig(
            steps=8, steps_per_epoch=4, validation_mixtures=2, validation_seconds=1.0, ema=0.0
        ),
    },
    # As the baseline of the paper; numbers that it does not give are its authors' code's.
    paper={
        "model": NMFConfig(weighting="equal"),
        "data": shared.PAPER_DATA,
        # one fit, as in the paper
        "training": TrainingConfig(steps=100, steps_per_epoch=100, ema=0.0, keep="last"),
    },
    # About 2 minutes on 2 cores.
    demo={
        "model": NMFConfig(
            frame=2048,  # separates notes a semitone apart from 130 Hz up; 1.5 dB above 1024
            hop=512,
            rank=200,  # 60 is 2 dB worse
            fit_iterations=20,  # 40 and more fit better and separate worse
            iterations=50,
            mask_power=2.0,
        ),
        "data": shared.DEMO_DATA,
        "training": TrainingConfig(steps=150, steps_per_epoch=50, minutes=4.0, ema=0.0),
    },
)

# What a search changes, see docs/tuning.md.
SEARCH = {
    "frame": Multiples(of=(1, 2)),  # finer pitch for the same hop
    "rank": Multiples(of=(0.5, 0.75, 1, 1.5, 2)),
    "pool": Multiples(of=(0.5, 1, 2)),
    "fit_iterations": Multiples(of=(0.5, 1, 2)),
    "iterations": Multiples(of=(0.5, 1, 2)),
    "mask_power": Range(low=1.0, high=2.0),
}
