"""Approximates estimates by a few spectra: non-negative matrix factorisation after a network.

The masks of a network have errors that differ from frame to frame, most of all on instruments that
are not in its training data. Music repeats: a note has about the same spectrum each time it sounds.
So the magnitudes of each part (a source, or the residual) are approximated by a few spectra with a
level for each frame. They are fitted over half a minute. The approximations divide the mixture.

Source: Lee & Seung 2000, "Algorithms for non-negative matrix factorization", for the divergence of
Kullback and Leibler; a factorisation of a network's estimates, Kang et al. 2014, "NMF-based target
source separation using deep neural network", IEEE Signal Processing Letters 22(2).
Departs from them: the spectra are not learned from training data. They are fitted to the estimates
themselves, with few iterations from random numbers. With more iterations, the approximations follow
the errors of the estimates, too.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import repeat

import numpy as np

SMALL = np.float32(1e-6)  # of the mean magnitude
SEED = 0
MOST = {"rank": 1000, "iterations": 1000, "rounds": 100, "sharpness": 10, "below_hz": 1e6}


@dataclass(frozen=True, kw_only=True)
class LowRank:
    """How magnitudes are approximated. The numbers are chosen for `piano`, see its page."""

    rank: int = 60
    """Spectra of each part."""
    iterations: int = 10
    """Updates of spectra and levels."""
    rounds: int = 2
    """How often the parts are approximated; each round from the shares of the one before."""
    sharpness: float = 1.0
    """Exponent of the shares before; above 1 takes back softening."""
    below_hz: float = 2000.0
    """Bins above keep their shares: most of the music, and of the errors, is below."""

    def __post_init__(self) -> None:
        """Raises: ValueError for numbers with which nothing can be fitted, or not in years."""
        for name, most in MOST.items():
            if not 0 < getattr(self, name) <= most:
                raise ValueError(
                    f"{name} is {getattr(self, name)!r}; wanted a number above 0, at most {most}"
                )


def low_rank_shares(
    groups: Sequence[np.ndarray],
    config: LowRank,
    *,
    bins: int,
    own: slice,
    map_parts: Callable[..., Iterable[np.ndarray]] = map,
) -> list[np.ndarray]:
    """Return the share of each part in each bin of some groups of frames.

    Args:
      groups: magnitudes of the parts, `[parts, frames, all bins]` each, float32, equally long; all
        groups are approximated together.
      config: how they are approximated.
      bins: how many of the lowest bins are approximated.
      own: the groups whose shares are returned.
      map_parts: used for the approximations of the parts, such as `map` of a pool of threads.
    Returns: `[parts, frames, all bins]` for each of these groups; the sum of the parts is 1, or 0
      where all are silent.
    """
    magnitudes = np.concatenate([group[..., :bins] for group in groups], axis=1)
    total = magnitudes.sum(axis=0)
    shares = sharpened(magnitudes, config.sharpness)
    total /= total.mean() or 1
    draw = np.random.default_rng(SEED)
    for _ in range(config.rounds):
        values = shares * total
        starts = [random_start(part, config, draw) for part in values]
        parts = np.stack(list(map_parts(approximation, values, starts, repeat(config.iterations))))
        # where nothing sounds, the shares stay as they are
        shares = (parts + SMALL * shares) / (parts.sum(axis=0) + SMALL)
    high = [sharpened(group[..., bins:], config.sharpness) for group in groups[own]]
    of_groups = np.split(shares, len(groups), axis=1)[own]
    return [np.concatenate(pair, axis=-1) for pair in zip(of_groups, high, strict=True)]


def sharpened(magnitudes: np.ndarray, sharpness: float) -> np.ndarray:
    """Return the shares of the parts in the sum of `magnitudes ** sharpness`, `[parts, ...]`.

    The shares of all parts sum to 1, or to 0 where all are silent.
    """
    total = magnitudes.sum(axis=0)
    shares = magnitudes / np.where(total > 0, total, 1)
    if sharpness != 1:
        with np.errstate(divide="ignore"):  # of silence; several times faster than a power
            shares = np.exp(np.float32(sharpness) * np.log(shares))
        total = shares.sum(axis=0)
        shares /= np.where(total > 0, total, 1)
    return shares


def random_start(
    values: np.ndarray, config: LowRank, draw: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Levels `[frames, rank]` and spectra `[rank, bins]` for `[frames, bins]`."""
    frames, bins = values.shape
    spectra = draw.random((config.rank, bins), np.float32) + np.float32(0.1)
    levels = draw.random((frames, config.rank), np.float32) + np.float32(0.1)
    levels *= 2 * values.mean() / config.rank
    return levels, spectra


def approximation(
    values: np.ndarray, start: tuple[np.ndarray, np.ndarray], iterations: int
) -> np.ndarray:
    """Approximate `[frames, bins]` by spectra with a level in each frame.

    Args:
      start: levels and spectra, changed in place.
      iterations: updates of both.
    """
    levels, spectra = start
    for _ in range(iterations):
        levels *= _ratio(values, levels, spectra) @ spectra.T / (spectra.sum(axis=1) + SMALL)
        ratio = _ratio(values, levels, spectra)
        spectra *= levels.T @ ratio / (levels.sum(axis=0) + SMALL)[:, None]
    return levels @ spectra


def _ratio(values: np.ndarray, levels: np.ndarray, spectra: np.ndarray) -> np.ndarray:
    product = levels @ spectra
    product += SMALL
    return np.divide(values, product, out=product)
