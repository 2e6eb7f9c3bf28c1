"""How sources become a mixture: the laws, as pure functions of windows and drawn numbers.

A law takes the wanted sources and the others as they were recorded and gives every part as it appears in the
mixture, so what is called the target is always exactly what lies in the mixture. `finish` then adds the parts
up.

  paper   mixture = a * other + (1 - a) * target, a uniform in [0, 1]
  snr     each other is brought to the same RMS, then up to OTHERS_SPREAD_DB away from it; the target stands
          above their sum by a level in dB, and keeps the loudness of its recording

With more than one wanted source, `paper` draws weights uniformly among all that are positive and sum to one
(which for one source is a and 1 - a), and `snr` sets each wanted source against the others on its own.
"""

from typing import NamedTuple

import numpy as np

from tfsepgan.errors import ShapeError

OTHERS_SPREAD_DB = 6.0  # others differ by up to twice this: one may lead, none vanishes
_BLOCK = 512  # samples summed in float32 at once: four times as fast as a sum in float64, and as exact as is needed
_JUST_BELOW_ONE = 1 - 2.0**-20  # so that rounding cannot carry a limited mixture past full scale


class Mixed(NamedTuple):
    """A mixture and its parts, float32; `mixture` is the sum of `sources` in order, then of `residual`."""

    mixture: np.ndarray  # [time]
    sources: np.ndarray  # [sources, time]
    residual: np.ndarray  # [time], everything that is not a wanted source


def root_mean_square(samples: np.ndarray) -> float:
    """RMS of float32 `[time]`, in short blocks whose sums are added in float64; 0 for nothing."""
    if not samples.size:
        return 0.0
    whole = samples.size - samples.size % _BLOCK
    blocks, rest = samples[:whole].reshape(-1, _BLOCK), samples[whole:]
    energy = np.einsum("ij,ij->i", blocks, blocks).sum(dtype=np.float64) + np.einsum("i,i->", rest, rest)
    return float(np.sqrt(energy / samples.size))


def paper_law(targets: np.ndarray, others: np.ndarray, *, weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Weigh the sources against the other recording, as the paper does.

    Args:
      targets: float32 `[sources, time]`.
      others: float32 `[n, time]`; the paper has n = 1, more are added up.
      weights: `[sources + 1]`, of each source, then of the others; for the paper's one source, 1 - a and a.
    Returns: the sources `[sources, time]` and the residual `[time]` as they appear in the mixture.
    Source: ElAraby, Ni & Tran, "S-SepGAN", section 3.
    """
    _check(targets, others)
    weights = np.asarray(weights, np.float32)
    return targets * weights[:-1, None], _total(others, targets.shape[1]) * weights[-1]


def snr_law(
    targets: np.ndarray, others: np.ndarray, *, snr_db: np.ndarray, spread_db: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Set the sources above the sum of the others by levels in dB.

    The first source that is heard keeps the RMS of its recording and everything else is scaled to it. A silent
    window stays silent, as no gain can level it; without any other, sources are levelled against the first.

    Args:
      targets: float32 `[sources, time]`.
      others: float32 `[n, time]`, n may be 0.
      snr_db: `[sources]`, RMS of each source over the RMS of the summed others.
      spread_db: `[n]`, level of each other against their common RMS before they are summed.
    Returns: the sources `[sources, time]` and the residual `[time]` as they appear in the mixture.
    """
    _check(targets, others)
    residual = np.zeros(targets.shape[1], np.float32)
    for other, level_db in zip(others, spread_db, strict=True):
        residual += other * _gain(1.0, root_mean_square(other), level_db)
    recorded = [root_mean_square(target) for target in targets]
    heard = [(rms, float(snr)) for rms, snr in zip(recorded, snr_db, strict=True) if rms > 0]
    level, reference_db = heard[0] if heard else (root_mean_square(_total(others, len(residual))), 0.0)
    residual *= _gain(level, root_mean_square(residual), -reference_db)
    gains = [_gain(level, rms, float(snr) - reference_db) for rms, snr in zip(recorded, snr_db, strict=True)]
    return targets * np.array(gains, np.float32)[:, None], residual


def finish(sources: np.ndarray, residual: np.ndarray, *, gain_db: float = 0.0) -> Mixed:
    """Set the level of the whole and add the parts up.

    A mixture whose peak would pass full scale is brought down to it, with its parts, by one factor; it is
    never clipped.

    Args:
      sources: float32 `[sources, time]` as they appear in the mixture.
      residual: float32 `[time]`.
      gain_db: gain on the mixture and all its parts.
    Returns: the mixture and its parts, which add up to it exactly (sources in order, then residual).
    """
    if gain_db:
        gain = np.float32(10.0 ** (gain_db / 20))
        sources, residual = sources * gain, residual * gain
    mixture = _sum_parts(sources, residual)
    peak = float(max(mixture.max(), -mixture.min())) if mixture.size else 0.0
    if peak > 1:
        scale = np.float32(_JUST_BELOW_ONE / peak)
        sources, residual = sources * scale, residual * scale
        mixture = _sum_parts(sources, residual)
    return Mixed(mixture, sources, residual)


def _sum_parts(sources: np.ndarray, residual: np.ndarray) -> np.ndarray:
    mixture = sources[0].copy()
    for part in (*sources[1:], residual):
        mixture += part
    return mixture


def _total(others: np.ndarray, time: int) -> np.ndarray:
    if len(others) == 1:
        return others[0]
    total = np.zeros(time, np.float32)
    for other in others:
        total += other
    return total


def _gain(level: float, rms: float, above_db: float) -> np.float32:
    """Factor that brings a signal of an RMS to `above_db` over a level; 0 for a silent signal."""
    return np.float32(level * 10.0 ** (above_db / 20) / rms if rms > 0 else 0.0)


def _check(targets: np.ndarray, others: np.ndarray) -> None:
    if targets.ndim != 2 or others.ndim != 2 or not len(targets) or targets.shape[1] != others.shape[1]:
        raise ShapeError(
            f"A law mixes sources [sources, time] with others [n, time] of one length; "
            f"got {list(targets.shape)} and {list(others.shape)}."
        )
