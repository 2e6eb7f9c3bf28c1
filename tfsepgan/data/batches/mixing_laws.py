"""The laws that mix sources: pure functions of windows and drawn numbers.

A law takes the wanted sources and the others as recorded, and returns every part as it appears in
the mixture. So the target is always exactly what the mixture contains. `finish` then sums the
parts.

paper   mixture = a * other + (1 - a) * target, with a uniform in [0, 1].
snr     Each other is scaled to the same RMS, then by a random level of up to OTHERS_SPREAD_DB.
        The target is set above their sum by a level in dB, and keeps its recorded level.

With more than one wanted source, `paper` draws weights uniformly among all that are positive and
sum to one (for one source, these are a and 1 - a), and `snr` sets the level of each wanted source
separately against the others.
"""

import math
from collections.abc import Iterable
from typing import NamedTuple

import numpy as np

from tfsepgan.errors import ShapeError

OTHERS_SPREAD_DB = 6.0  # others differ by up to twice this: one can dominate, none vanishes
# samples summed in float32 at once: four times as fast as float64, and exact enough
_BLOCK = 512
_JUST_BELOW_ONE = 1 - 2.0**-20  # so that rounding cannot raise a limited mixture above full scale


class Mixed(NamedTuple):
    """A mixture and its parts, float32; `mixture` sums `sources` in order, then `residual`."""

    mixture: np.ndarray  # [time]
    sources: np.ndarray  # [sources, time]
    residual: np.ndarray  # [time], everything except the wanted sources


def root_mean_square(samples: np.ndarray) -> float:
    """RMS of float32 `[time]`, with float32 sums of blocks added in float64; 0 if empty."""
    if not samples.size:
        return 0.0
    whole = samples.size - samples.size % _BLOCK
    blocks, remaining = samples[:whole].reshape(-1, _BLOCK), samples[whole:]
    energy = np.einsum("ij,ij->i", blocks, blocks).sum(dtype=np.float64) + np.einsum(
        "i,i->", remaining, remaining
    )
    return float(np.sqrt(energy / samples.size))


def level_db(samples: np.ndarray) -> float:
    """RMS of float32 `[time]` in dB relative to full scale, at least -200 dB."""
    return 20 * np.log10(root_mean_square(samples) + 1e-10)


def paper_law(
    targets: np.ndarray,
    others: np.ndarray,
    *,
    weights: np.ndarray,
    out: tuple[np.ndarray, np.ndarray] | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """Weight the sources and the others as the paper does.

    Args:
      targets: float32 `[sources, time]`.
      others: float32 `[n, time]`; the paper has n = 1, more are summed.
      weights: `[sources + 1]`, of each source, then of the others; for the paper's one source, 1 -
        a and a.
      out: arrays for the result; the first may be `targets` itself.
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
    """Set the level of the sources against the sum of the others, in dB.

    The first source that is not silent keeps its recorded RMS, and everything else is scaled to it.
    A window below `silence_db` is silent: it is left out, because scaling it would raise its noise
    to the level of music. Without others, all sources are scaled to the first.

    Args:
      targets: float32 `[sources, time]`.
      others: float32 `[n, time]`, n may be 0.
      snr_db: `[sources]`, RMS of each source relative to the RMS of the summed others.
      spread_db: `[n]`, level of each other relative to their common RMS before they are summed.
      gain_db: gain applied to everything.
      silence_db: RMS in dB relative to full scale below which a window is silent; by default only
        zeros are.
      out: arrays for the result; the first may be `targets` itself.
    Returns: the sources `[sources, time]` and the residual `[time]` as they appear in the mixture.
    """
    _check(targets, others)
    sources, residual = out or (np.empty_like(targets), np.empty_like(targets[0]))
    others_rms = [_audible_rms(other, silence_db) for other in others]
    levels = (
        _gain(1.0, rms, level_db) for rms, level_db in zip(others_rms, spread_db, strict=True)
    )
    _weighted_sum(others, levels, out=residual)
    recorded = [_audible_rms(target, silence_db) for target in targets]
    audible = [(rms, float(snr)) for rms, snr in zip(recorded, snr_db, strict=True) if rms > 0]
    level, reference_db = audible[0] if audible else (root_mean_square(others.sum(axis=0)), 0.0)
    residual *= _gain(level, root_mean_square(residual), gain_db - reference_db)
    gains = [
        _gain(level, rms, gain_db + float(snr) - reference_db)
        for rms, snr in zip(recorded, snr_db, strict=True)
    ]
    np.multiply(targets, np.array(gains, np.float32)[:, None], out=sources)
    return sources, residual


def finish(sources: np.ndarray, residual: np.ndarray, *, out: Mixed | None = None) -> Mixed:
    """Sum the parts.

    If the peak of the mixture exceeds full scale, the mixture and its parts are scaled down by one
    factor; nothing is clipped.

    Args:
      sources: float32 `[sources, time]` or `[sources, time, channels]` as they appear in the
        mixture.
      residual: float32 `[time]` or `[time, channels]`.
      out: arrays for the result; its parts must be the given ones.
    Returns: the mixture and its parts, which sum to it exactly (sources in order, then residual).
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


def _audible_rms(window: np.ndarray, silence_db: float) -> float:
    """RMS of a window; 0 if it is below the level of silence."""
    rms = root_mean_square(window)
    return rms if rms > 10.0 ** (silence_db / 20) else 0.0


def _gain(level: float, rms: float, above_db: float) -> np.float32:
    """Factor that brings a signal of this RMS to `above_db` over a level; 0 for a silent signal."""
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
