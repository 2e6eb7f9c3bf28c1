"""Settings and presets of supervised NMF, the baseline of Subakan & Smaragdis 2018
(arXiv:1710.10779)."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from tfsepgan.config import DataConfig, Experiment, TrainingConfig
from tfsepgan.settings.search import Multiples, Range

Weighting = Literal["loudness", "equal"]


@dataclass(frozen=True, kw_only=True)
class NMFConfig:
    """How many spectra describe a part, and what they are learnt from."""

    frame: int = 1024  # authors' code
    """Length of a frame, in samples."""
    hop: int = 256  # authors' code: a quarter, as librosa has it
    """Step between frames, in samples; it must divide the frame."""
    rank: int = 100  # authors' code
    """Spectra in the dictionary of each part."""
    pool: int = (
        # the authors learn from half a minute, 1900 frames; this is two at a hop of 512 samples and
        # 16 kHz
        4000
    )
    """Frames of each part that the dictionaries are fitted to: a fair sample of all that were
    heard."""
    fit_iterations: int = 100  # authors' code
    """Updates of the activations of what is learnt from, with spectra as they start; then as many
    of both."""
    weighting: Weighting = "loudness"
    """What frames count in a fit: 'loudness', each as loud as it is, or 'equal', all the same, as
    in the authors' code."""
    iterations: int = 300  # authors' code
    """Updates of the activations of a mixture."""
    mask_power: float = 1.0  # authors' code: shares of the magnitude
    """How parts share a bin: 1 by magnitude, 2 by energy, as a Wiener filter."""

    def problems(self) -> Iterator[str]:
        """What no run could be trained with, a sentence each."""
        for name in ("rank", "pool", "fit_iterations", "iterations"):
            if getattr(self, name) < 1:
                yield f"{name} is {getattr(self, name)}; it must be at least 1."
        if not self.mask_power > 0:
            yield f"mask_power is {self.mask_power}; it must be above zero."
        if self.hop < 1 or self.frame % self.hop or self.frame // self.hop < 2 or self.frame % 2:
            yield (
                f"frame is {self.frame} and hop {self.hop}: the frame must be even and a multiple"
                " of the hop, twice at least."
            )


PRESETS = {
    # For tests: seconds, not minutes.
    "tiny": Experiment(
        system="nmf",
        preset="tiny",
        model=NMFConfig(frame=256, hop=64, rank=4, pool=64, fit_iterations=10, iterations=10),
        data=DataConfig(window=4096, batch=4, law="snr"),
        training=TrainingConfig(
            steps=8, steps_per_epoch=4, validation_mixtures=2, validation_seconds=1.0, ema=0.0
        ),
    ),
    # Faithful to the baseline of the paper; numbers without a source there are its authors' code's.
    "paper": Experiment(
        system="nmf",
        preset="paper",
        model=NMFConfig(weighting="equal"),
        data=DataConfig(sample_rate_hz=16000, window=16384, batch=10, law="paper"),
        # one fit, as there
        training=TrainingConfig(steps=100, steps_per_epoch=100, ema=0.0, keep="last"),
    ),
    # No data, no flags: the packaged recordings, about two minutes on two cores.
    "demo": Experiment(
        system="nmf",
        preset="demo",
        model=NMFConfig(
            frame=2048,  # tells notes a semitone apart from 130 Hz up; 1.5 dB better than 1024
            hop=512,
            rank=200,  # 60 is 2 dB behind
            fit_iterations=20,  # 40 and more fit better and separate worse
            iterations=50,
            mask_power=2.0,
        ),
        data=DataConfig(data="demo", sample_rate_hz=16000, window=32768, batch=8, law="snr"),
        training=TrainingConfig(steps=150, steps_per_epoch=50, minutes=4.0, ema=0.0),
    ),
}

# What a search changes, see docs/tuning.md.
SEARCH = {
    "frame": Multiples(of=(1, 2)),  # finer pitch for the same hop
    "rank": Multiples(of=(0.5, 0.75, 1, 1.5, 2)),
    "pool": Multiples(of=(0.5, 1, 2)),
    "fit_iterations": Multiples(of=(0.5, 1, 2)),
    "iterations": Multiples(of=(0.5, 1, 2)),
    "mask_power": Range(low=1.0, high=2.0),
}
