"""`tfsepgan-data preview`: training mixtures of a run, as WAV files and pictures."""

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np

from tfsepgan.cli.command import say
from tfsepgan.cli.settings import parse
from tfsepgan.config import check
from tfsepgan.errors import ConfigError


@dataclass(frozen=True, kw_only=True)
class PreviewOptions:
    """Write training mixtures as audio; all other settings are those of tfsepgan-train."""

    TOPICS: ClassVar = {"preview": ("output", "count", "step")}

    output: str = "preview"
    """Folder to write; files with the same names in it are replaced."""
    count: int = 4
    """Number of mixtures."""
    step: int = 0
    """Training step from which they are taken."""


def preview(arguments: list[str], console) -> None:
    """Write mixture, sources, residual, the mixture before augmentation, and a picture of all.

    Each mixture has a folder `NUMBER/` with `mixture.wav`, `residual.wav` and so on.
    """
    about = "Write training mixtures as WAV files and pictures."
    experiment, options = parse(
        arguments, PreviewOptions, program="tfsepgan-data preview", about=about
    )
    check(experiment)
    if experiment.data.data is None:
        raise ConfigError("No recordings: give --data DIR, or --data demo for the packaged ones.")
    if not 1 <= options.count <= experiment.data.batch:
        raise ConfigError(
            f"count is {options.count}; it must be 1 to the batch, {experiment.data.batch}."
        )
    from tfsepgan.cli.sounds import write_sounds
    from tfsepgan.data.batches.preview import before_and_after
    from tfsepgan.data.recordings.opening import catalogue_of
    from tfsepgan.evaluation.plots import draw_signals

    data = experiment.data
    before, after = before_and_after(catalogue_of(data), data, options.step)
    for number in range(options.count):
        sources = dict(zip(data.sources, after.sources[number], strict=True))
        sounds = {"mixture": after.mixture[number], **sources, "residual": after.residual[number]}
        if data.augment.active:
            sounds["mixture-before"] = before.mixture[number]
        folder = Path(options.output) / f"{number:03d}"
        names = [f"{name}.wav" for name in sounds]
        write_sounds(folder, names, [one[:, None] for one in sounds.values()], data.sample_rate_hz)
        title = f"step {options.step}, {number}"
        draw_signals(sounds, data.sample_rate_hz, folder / "spectrograms.png", title=title)
        levels = "  ".join(f"{name} {_level_db(one):.1f}" for name, one in sounds.items())
        say(console, f"{folder}: {levels} dB")


def _level_db(samples: np.ndarray) -> float:
    """RMS in dB below full scale."""
    return float(10 * np.log10(np.mean(np.square(samples, dtype=np.float64)) + 1e-12))
