"""Mastering: one time-varying gain of a compressor and a limiter, applied to every stem.

The gain is computed on the sum of the stems. Because it is the same for all stems, the mastered
stems sum to the mastered mixture.

Source: Giannoulis, Massberg & Reiss, "Digital dynamic range compressor design", JAES 60 (2012):
  soft knee (eq. 4), smooth branching detector in decibels (eq. 16). The limiter is a running
  minimum, then a mean over as many frames.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from scipy.ndimage import minimum_filter1d, uniform_filter1d

_CONTROL_FRAMES = 64  # between two values of the compressor's gain, which is interpolated linearly
_FULL_SCALE = 32767 / 32768  # of 16 bits
_FLOOR = 1e-10


class Master(NamedTuple):
    """Settings of compressor and limiter."""

    threshold_db: float
    """Relative to the sum's RMS."""
    ratio: float
    attack_seconds: float
    release_seconds: float
    level_db: float
    """RMS of the mixture before the limiter, in dBFS."""
    ceiling_db: float
    """Highest peak, in dBFS."""
    lookahead_seconds: float
    knee_db: float = 6.0


def draw_master(rng: np.random.Generator) -> Master:
    """Draw settings from hardly compressed (RMS -22 dBFS) to a loud record (-12)."""
    return Master(
        threshold_db=float(rng.uniform(-4, 6)),
        ratio=float(rng.uniform(1.3, 4.0)),
        attack_seconds=float(rng.uniform(0.005, 0.04)),
        release_seconds=float(rng.uniform(0.08, 0.4)),
        level_db=float(rng.uniform(-22, -12)),
        ceiling_db=float(rng.uniform(-1.5, -0.3)),
        lookahead_seconds=float(rng.uniform(0.003, 0.015)),
    )


def mastered(stems: Sequence[np.ndarray], master: Master, sample_rate_hz: int) -> list[np.ndarray]:
    """Stems that sum to a mastered mixture.

    Args:
      stems: float32 `[frames, channels]` each, all of one shape, at any level.
      master: settings.
      sample_rate_hz: rate of the audio.
    Returns: the stems times one gain `[frames]`; neither their sum nor any of them exceeds the
      ceiling.
    """
    total = np.sum(stems, axis=0)
    level = rms(total)
    if level < _FLOOR:
        return [stem.copy() for stem in stems]
    gain = compressor_gain(total / np.float32(level), master, sample_rate_hz) / level
    gain *= 10 ** (master.level_db / 20) / rms(total * gain[:, None])
    peaks = np.zeros(len(total), np.float32)
    for each in (total, *stems):
        for channel in np.abs(each).T:
            np.maximum(peaks, channel, out=peaks)
    peaks = peaks * gain
    gain *= limiter_gain(peaks, master, sample_rate_hz)
    return [stem * gain[:, None].astype(np.float32) for stem in stems]


def rms(sound: np.ndarray) -> float:
    """The root mean square over all frames and channels."""
    return float(np.sqrt(np.mean(np.square(sound), dtype=np.float64)))


def compressor_gain(sound: np.ndarray, master: Master, sample_rate_hz: int) -> np.ndarray:
    """The gain of a compressor: `[frames]`, at most 1.

    Args:
      sound: `[frames, channels]`; the threshold is relative to an RMS of 1.
      master: settings.
      sample_rate_hz: rate of the audio.
    """
    power = sum(np.square(channel) for channel in sound.T) / sound.shape[1]
    count = -(-len(power) // _CONTROL_FRAMES)
    padded = np.pad(power, (0, count * _CONTROL_FRAMES - len(power)))
    blocks = padded.reshape(count, _CONTROL_FRAMES)
    level_db = 10 * np.log10(blocks.mean(axis=1, dtype=np.float64) + _FLOOR)
    reduction_db = _static_curve(level_db - master.threshold_db, master.ratio, master.knee_db)
    step = _CONTROL_FRAMES / sample_rate_hz
    attack, release = np.exp(-step / master.attack_seconds), np.exp(-step / master.release_seconds)
    smooth, now = np.empty(count), 0.0
    for number, wanted in enumerate(reduction_db.tolist()):
        kept = attack if wanted > now else release
        now = kept * now + (1 - kept) * wanted
        smooth[number] = now
    centres = (np.arange(count) + 0.5) * _CONTROL_FRAMES
    return 10 ** (-np.interp(np.arange(len(power)), centres, smooth) / 20)


def _static_curve(over_db: np.ndarray, ratio: float, knee_db: float) -> np.ndarray:
    """Gain reduction in dB for levels above the threshold: none, a parabola in the knee, a line."""
    slope = 1 - 1 / ratio
    in_knee = slope * np.square(np.clip(over_db + knee_db / 2, 0, knee_db)) / (2 * knee_db)
    return np.where(over_db > knee_db / 2, slope * over_db, in_knee)


def limiter_gain(peaks: np.ndarray, master: Master, sample_rate_hz: int) -> np.ndarray:
    """The gain that keeps peaks below the ceiling, smooth over twice the lookahead.

    A mean of minima over one window never exceeds the required gain at its centre, so no peak
    passes.

    Args:
      peaks: `[frames]`, 0 or more.
      master: settings.
      sample_rate_hz: rate of the audio.
    Returns: `[frames]`, at most 1.
    """
    ceiling = min(10 ** (master.ceiling_db / 20), _FULL_SCALE) * (1 - 1e-6)  # margin for float32
    need = np.minimum(1.0, ceiling / np.maximum(peaks.astype(np.float64), _FLOOR))
    size = 2 * max(1, round(master.lookahead_seconds * sample_rate_hz)) + 1
    lowest = minimum_filter1d(need, size, mode="nearest")
    return np.minimum(uniform_filter1d(lowest, size, mode="nearest"), need)
