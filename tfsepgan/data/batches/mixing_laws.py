"""How sources become a mixture: the laws, as pure functions of windows and drawn numbers.

A law takes the wanted sources and the others as they were recorded and gives every part as it
appears in the mixture, so what is called the target is always exactly what lies in the mixture.
`finish` then adds the parts up.

  paper   mixture = a * other + (1 - a) * target, a uniform in [0, 1]
  snr     each other is brought to the same RMS, then up to OTHERS_SPREAD_DB away from it; the target stands
          above their sum by a level in dB, and keeps the loudness of its recording

With more than one wanted source, `paper` draws weights uniformly among all that are positive and
sum to one (which for one source is a and 1 - a), and `snr` sets each wanted source against the
others on its own.
"""

import math
from collections.abc import Iterable
from typing import NamedTuple

import numpy as np

from tfsepgan.errors import ShapeError

OTHERS_SPREAD_DB = 6.0  # others differ by up to twice this: one may lead, none vanishes
# samples summed in float32 at once: four times as fast as a sum in float64, and as exact as is
# needed
_BLOCK = 512
_JUST_BELOW_ONE = 1 - 2.0**-20  # so that rounding cannot carry a limited mixture past full scale


class Mixed(NamedTuple):
    """A mixture and its parts, float32; `mixture` is the sum of `sources` in order, then of
    `residual`."""

    mixture: np.ndarray  # [time]
    sources: np.ndarray  # [sources, time]
    residual: np.ndarray  # [time], everything that is not a wanted source


def root_mean_square(samples: np.ndarray) -> float:
    """RMS of float32 `[time]`, in short blocks whose sums are added in float64; 0 for nothing."""
    if not samples.size:
        return 0.0
    whole = samples.size - samples.size % _BLOCK
    blocks, rest = samples[:whole].reshape(-1, _BLOCK), samples[whole:]
    energy = np.einsum("ij,ij->i", blocks, blocks).sum(dtype=np.float64) + np.einsum(
        "i,i->", rest, rest
    )
    return float(np.sqrt(energy / samples.size))


def paper_law(
    targets: np.ndarray,
    others: np.ndarray,
    *,
    weights: np.ndarray,
    out: tuple[np.ndarray, np.ndarray] | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """Weigh the sources against the other recording, as the paper does.

    Args:
      targets: float32 `[sources, time]`.
      others: float32 `[n, time]`; the paper has n = 1, more are added up.
      weights: `[sources + 1]`, of each source, then of the others; for the paper's one source, 1 -
        a and a.
      out: arrays for what is returned; the first may be `targets` itself.
    Returns: the sources `[sources, time]` and the residual `[time]` as they appear in the mixture.
    Source: ElAraby, Ni & Tran, "S-SepGAN", section 3.
    """
    _check(targets, others)
    weights = np.asarray(weights, np.float32)
    sources, residual = out or (np.empty_like(targets), np.empty_like(targets[0]))
    np.multiply(targets, weights[:-1, None], out=sources)
    return sources, _weighted_sum(others, [weights[-1]] * len(others), out=residual)


def snr_law(
    targets: np.ndarray,
    others: np.ndarray,
    *,
    snr_db: np.ndarray,
    spread_db: np.ndarray,
    gain_db: float = 0.0,
    silence_db: float = -math.inf,
    out: tuple[np.ndarray, np.ndarray] | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """Set the sources above the sum of the others by levels in dB.

    The first source that is heard keeps the RMS of its recording and everything else is scaled to
    it. A window below
    `silence_db` is silence: it is left out, lest its noise be raised to the level of music; without
    any other, sources are levelled against the first.

    Args:
      targets: float32 `[sources, time]`.
      others: float32 `[n, time]`, n may be 0.
      snr_db: `[sources]`, RMS of each source over the RMS of the summed others.
      spread_db: `[n]`, level of each other against their common RMS before they are summed.
      gain_db: gain on all of it.
      silence_db: RMS in dB below full scale under which a window is silence; by default only zeros
        are.
      out: arrays for what is returned; the first may be `targets` itself.
    Returns: the sources `[sources, time]` and the residual `[time]` as they appear in the mixture.
    """
    _check(targets, others)
    sources, residual = out or (np.empty_like(targets), np.empty_like(targets[0]))
    heard_at = [_heard_at(other, silence_db) for other in others]
    levels = (_gain(1.0, rms, level_db) for rms, level_db in zip(heard_at, spread_db, strict=True))
    _weighted_sum(others, levels, out=residual)
    recorded = [_heard_at(target, silence_db) for target in targets]
    heard = [(rms, float(snr)) for rms, snr in zip(recorded, snr_db, strict=True) if rms > 0]
    level, reference_db = heard[0] if heard else (root_mean_square(others.sum(axis=0)), 0.0)
    residual *= _gain(level, root_mean_square(residual), gain_db - reference_db)
    gains = [
        _gain(level, rms, gain_db + float(snr) - reference_db)
        for rms, snr in zip(recorded, snr_db, strict=True)
    ]
    np.multiply(targets, np.array(gains, np.float32)[:, None], out=sources)
    return sources, residual


def finish(sources: np.ndarray, residual: np.ndarray, *, out: Mixed | None = None) -> Mixed:
    """Add the parts up.

    A mixture whose peak would pass full scale is brought down to it, with its parts, by one factor;
    it is never clipped.

    Args:
      sources: float32 `[sources, time]` as they appear in the mixture.
      residual: float32 `[time]`.
      out: arrays for what is returned, whose parts are those that are given.
    Returns: the mixture and its parts, which add up to it exactly (sources in order, then
      residual).
    """
    mixture = _sum_parts(sources, residual, out=out and out.mixture)
    peak = float(max(mixture.max(), -mixture.min())) if mixture.size else 0.0
    if peak > 1:
        scale = np.float32(_JUST_BELOW_ONE / peak)
        sources = np.multiply(sources, scale, out=out and out.sources)
        residual = np.multiply(residual, scale, out=out and out.residual)
        _sum_parts(sources, residual, out=mixture)
    return Mixed(mixture, sources, residual)


def _sum_parts(sources: np.ndarray, residual: np.ndarray, *, out: np.ndarray | None) -> np.ndarray:
    first, *further = (*sources, residual)
    mixture = np.add(first, further[0], out=out)
    for part in further[1:]:
        mixture += part
    return mixture


def _weighted_sum(
    signals: np.ndarray, weights: Iterable[np.float32], *, out: np.ndarray
) -> np.ndarray:
    if not len(signals):
        out[:] = 0
    for number, (signal, weight) in enumerate(zip(signals, weights, strict=True)):
        if number:
            out += signal * weight
        else:
            np.multiply(signal, weight, out=out)
    return out


def _heard_at(window: np.ndarray, silence_db: float) -> float:
    """RMS of a window; 0 for one below the level of silence."""
    rms = root_mean_square(window)
    return rms if rms > 10.0 ** (silence_db / 20) else 0.0


def _gain(level: float, rms: float, above_db: float) -> np.float32:
    """Factor that brings a signal of an RMS to `above_db` over a level; 0 for a silent signal."""
    return np.float32(level * 10.0 ** (above_db / 20) / rms if rms > 0 else 0.0)


def _check(targets: np.ndarray, others: np.ndarray) -> None:
    if (
        targets.ndim != 2
        or others.ndim != 2
        or not len(targets)
        or targets.shape[1] != others.shape[1]
    ):
        raise ShapeError(
            "A law mixes sources [sources, time] with others [n, time] of one length; "
            f"got {list(targets.shape)} and {list(others.shape)}."
        )
