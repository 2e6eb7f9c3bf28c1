"""How sure a mean over mixtures is, when several are made of one recording and one system is
trained from several seeds.

Mixtures of one recording are not independent draws: the same player, piano and room are in all of
them. So they are averaged first, and every recording counts once; the same holds for the seeds of a
training. What is left is a table of recordings by seeds, whose mean has an error from either side:

    error^2 = error_files^2 + error_seeds^2 - error_cells^2

with `error_files` the standard error of the recordings' means, `error_seeds` that of the seeds'
means, and `error_cells` that of what neither explains, which both hold and which would be counted
twice.

Source: Cameron, Gelbach & Miller 2011, "Robust inference with multiway clustering", J. Business &
Economic Statistics 29, eq. 2.11, here for a mean of a balanced table, with the degrees of freedom
of the two-way analysis of variance.
Departs from it: the sum is never taken to be below the larger of the first two, as with few
  clusters it can be, even below zero.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from tfsepgan.errors import ShapeError


class Mean(NamedTuple):
    """A mean and its standard errors, in the unit of the values."""

    mean: float
    error: float
    """From recordings and seeds together; from recordings alone where there is one seed; NaN where
    there is one recording."""
    error_files: float
    error_seeds: float
    """NaN where there is one seed: nothing is known of others then."""
    files: int
    seeds: int

    def __str__(self) -> str:
        """`+1.23 ± 0.45`."""
        return (
            f"{self.mean:+.2f}" if np.isnan(self.error) else f"{self.mean:+.2f} ± {self.error:.2f}"
        )


def mean_of_each(values: Sequence[float], files: Sequence[str]) -> dict[str, float]:
    """The mean of what is defined, for each recording.

    Args:
      values: one a mixture, NaN or infinite where it is not defined.
      files: the recording of each mixture.
    Returns: by recording, in the order in which they come; NaN where no value of a recording is
      defined.
    Raises: ShapeError when there are not as many recordings as values.
    """
    if len(values) != len(files):
        raise ShapeError(
            f"{len(values)} values of {len(files)} recordings; give the recording of each value."
        )
    values, names = np.asarray(values, np.float64), np.asarray(files)
    found = {}
    for name in dict.fromkeys(files):
        here = values[names == name]
        here = here[np.isfinite(here)]
        found[name] = float(here.mean()) if here.size else np.nan
    return found


def mean_with_error(table) -> Mean:
    """The mean over recordings and seeds, and how sure it is.

    Args:
      table: `[files, seeds]`, the mean of each recording's mixtures with each seed; or `[files]`
        for one seed.
    Returns: the mean; the errors are standard errors.
    Raises: ShapeError for an empty table, or a value that is not finite.
    """
    table = np.asarray(table, np.float64)
    table = table[:, None] if table.ndim == 1 else table
    if table.ndim != 2 or not table.size or not np.isfinite(table).all():
        raise ShapeError(
            f"a table of shape {list(table.shape)} with {int(np.sum(~np.isfinite(table)))} values"
            " that are not finite; wanted [files, seeds] of finite values. Leave out the"
            " recordings that have none."
        )
    files, seeds = table.shape
    mean, by_file, by_seed = float(table.mean()), table.mean(axis=1), table.mean(axis=0)
    error_files, error_seeds = _standard_error(by_file), _standard_error(by_seed)
    if seeds == 1 or files == 1:
        error = error_files  # NaN for one recording: more seeds say nothing of other recordings
    else:
        left = table - by_file[:, None] - by_seed + mean
        cells = np.sum(left**2) / ((files - 1) * (seeds - 1)) / table.size
        error = float(
            np.sqrt(max(error_files**2 + error_seeds**2 - cells, error_files**2, error_seeds**2))
        )
    return Mean(mean, error, error_files, error_seeds, files, seeds)


def _standard_error(values: np.ndarray) -> float:
    return float(np.std(values, ddof=1) / np.sqrt(len(values))) if len(values) > 1 else np.nan
