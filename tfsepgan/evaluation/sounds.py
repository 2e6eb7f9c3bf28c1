"""Spectral distances of generated sounds to held-out recordings of every instrument."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from tfsepgan.config import DataConfig
from tfsepgan.data.recordings.catalogue import Catalogue
from tfsepgan.data.references.fixed_windows import fixed_windows, solo_groups
from tfsepgan.errors import DataError
from tfsepgan.metrics.spectra import Spectra, distance_db, mean_distance_db, spectra_of

WINDOWS = 96  # of each instrument: two draws of one piano's recordings differ by 1 dB
SOUNDS = 96  # as many: the distance between few windows is overestimated
COMPARING_SEED = 30_000  # all runs are compared with the same windows


class Distance(NamedTuple):
    """Distances of one instrument's recordings to generated sounds and to real ones."""

    name: str  # of the instrument's folder
    recordings: int
    made_db: float  # of generated sounds, dB a band, see `metrics.spectra.distance_db`
    made_mean_db: float  # between the mean spectra only
    # of real windows of the source (train split): the distance that perfect sounds would have
    real_db: float


def spectral_distances(
    sounds: np.ndarray, catalogue: Catalogue, data: DataConfig, *, split: str = "test"
) -> tuple[list[Distance], list[str]]:
    """Compare generated sounds with the recordings of every instrument in a split.

    Args:
      sounds: `[count, time]` at the rate of `data`, generated for the first of `data.sources`.
      catalogue: the recordings.
      data: window, rate and source of the run.
      split: the split that is compared.
    Returns: a line for each instrument, the nearest first; and a sentence for each instrument that
      is left out.
    Raises: DataError when no recording of the source is as long as a window.
    """
    source = data.sources[0]
    generated = spectra_of(sounds, data.sample_rate_hz)
    real = _spectra(catalogue.splits["train"][source], data, seed=COMPARING_SEED + 1)
    lines, left_out = [], []
    for name, files in solo_groups(catalogue, split, source).items():
        try:
            recordings = _spectra(files, data, seed=COMPARING_SEED)
        except DataError as error:
            if name == source:
                raise
            left_out.append(f"{name} is left out: {error}")
            continue
        made, mean = distance_db(generated, recordings), mean_distance_db(generated, recordings)
        lines.append(Distance(name, len(files), made, mean, distance_db(real, recordings)))
    return sorted(lines, key=lambda line: line.made_db), left_out


def _spectra(files: Sequence, data: DataConfig, *, seed: int) -> Spectra:
    shared = {"sample_rate_hz": data.sample_rate_hz, "silence_db": data.silence_db}
    windows = fixed_windows(files, window=data.window, count=WINDOWS, seed=seed, **shared)
    return spectra_of(windows, data.sample_rate_hz)


def show_distances(
    lines: Sequence[Distance], left_out: Sequence[str], source: str, split: str, console: Console
) -> None:
    """Print the lines as a table with the source in bold, then the verdict."""
    title = escape(f"Distance of spectra to the {split} recordings, dB a band (0: the same)")
    table = Table("instrument", title=title, title_justify="left")
    compared = ("recordings", "generated sounds", "their mean spectrum")
    for name in (*compared, f"train windows of {source}"):
        table.add_column(escape(name), justify="right")
    for line in lines:
        figures = (line.made_db, line.made_mean_db, line.real_db)
        cells = [str(line.recordings), *(f"{figure:.2f}" for figure in figures)]
        table.add_row(escape(line.name), *cells, style="bold" if line.name == source else None)
    console.print(table)
    for sentence in left_out:
        console.print(sentence, markup=False, highlight=False)
    if len(lines) > 1:
        console.print(verdict(lines, source), markup=False, highlight=False)


def verdict(lines: Sequence[Distance], source: str) -> str:
    """A sentence: whether the sounds are nearer to their instrument than to all others."""
    own = next(line for line in lines if line.name == source)
    other = min((line for line in lines if line.name != source), key=lambda line: line.made_db)
    nearer = "nearer to" if own.made_db < other.made_db else "not nearer to"
    return (
        f"The sounds are {nearer} {source} ({own.made_db:.2f} dB) than to any other instrument"
        f" ({other.name}, {other.made_db:.2f} dB)."
    )
