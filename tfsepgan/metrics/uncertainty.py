"""The standard error of a mean score over several recordings and several training seeds.

Mixtures of one recording are not independent, because all have the same player, piano and room.
They are averaged first, so that every recording counts once; the same holds for the seeds of a
training. The result is a table of recordings by seeds. The error of its mean comes from both:

    error^2 = error_files^2 + error_seeds^2 - error_cells^2

`error_files` is the standard error of the recordings' means, `error_seeds` that of the seeds'
means, and `error_cells` that of the remaining variation. The first two both contain the third, so
it is subtracted once.

Source: Cameron, Gelbach & Miller 2011, "Robust inference with multiway clustering", J. Business &
Economic Statistics 29, eq. 2.11, here for a mean of a balanced table, with the degrees of freedom
of the two-way analysis of variance.
Departs from it: the sum is at least the larger of the first two terms; with few clusters it can be
smaller, even negative.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from tfsepgan.errors import ShapeError


class Mean(NamedTuple):
    """A mean and its standard errors, in the unit of the values."""

    mean: float
    error: float
    """From recordings and seeds; from recordings alone with one seed; NaN with one recording."""
    error_files: float
    error_seeds: float
    """NaN with one seed."""
    files: int
    seeds: int

    def __str__(self) -> str:
        """`+1.23 ± 0.45`."""
        return f"{self.mean:+.2f}" + ("" if np.isnan(self.error) else f" ± {self.error:.2f}")


def mean_of_each(values: Sequence[float], files: Sequence[str]) -> dict[str, float]:
    """The mean of the defined values of each recording.

    Args:
      values: one for each mixture; NaN or infinite when undefined.
      files: the recording of each mixture.
    Returns: the means by recording, in order of appearance; NaN for a recording without a defined
      value.
    Raises: ShapeError when the numbers of values and files differ.
    """
    if len(values) != len(files):
        raise ShapeError(
            f"{len(values)} values of {len(files)} recordings; give the recording of each value."
        )
    values, names = np.asarray(values, np.float64), np.asarray(files)
    found = {}
    for name in dict.fromkeys(files):
        own = values[names == name]
        own = own[np.isfinite(own)]
        found[name] = float(own.mean()) if own.size else np.nan
    return found


def mean_with_error(table) -> Mean:
    """The mean over recordings and seeds, with standard errors.

    Args:
      table: `[files, seeds]`, the mean of each recording's mixtures with each seed; or `[files]`
        for one seed.
    Returns: the mean and its errors.
    Raises: ShapeError for an empty table, or a value that is not finite.
    """
    table = np.asarray(table, np.float64)
    table = table[:, None] if table.ndim == 1 else table
    if table.ndim != 2 or not table.size or not np.isfinite(table).all():
        raise ShapeError(
            f"a table of shape {list(table.shape)} with {int(np.sum(~np.isfinite(table)))} values"
            " that are not finite; wanted [files, seeds] of finite values. Leave out the"
            " recordings without a score."
        )
    files, seeds = table.shape
    mean, by_file, by_seed = float(table.mean()), table.mean(axis=1), table.mean(axis=0)
    error_files, error_seeds = _standard_error(by_file), _standard_error(by_seed)
    if seeds == 1 or files == 1:
        error = error_files  # NaN for one recording: more seeds tell nothing about other recordings
    else:
        remaining = table - by_file[:, None] - by_seed + mean
        cells = np.sum(remaining**2) / ((files - 1) * (seeds - 1)) / table.size
        by_both = error_files**2 + error_seeds**2 - cells
        error = float(np.sqrt(max(by_both, error_files**2, error_seeds**2)))
    return Mean(mean, error, error_files, error_seeds, files, seeds)


def _standard_error(values: np.ndarray) -> float:
    return float(np.std(values, ddof=1) / np.sqrt(len(values))) if len(values) > 1 else np.nan
