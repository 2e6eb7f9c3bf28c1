"""Bleedless and fullness: scores from 0 to 100 of too much and too little sound in an estimate.

For each mel band and frame, the level of the source in dB is subtracted from that of the estimate.
A positive difference is bleed, a negative one is loss. Each kind has its own mean and score:

    bleedless = 100 / (1 + mean of the differences above zero)
    fullness  = 100 / (1 - mean of the differences below zero)

A score of 100 means no difference, 50 means 1 dB on average, 10 means 9 dB. A generator that fills
holes with plausible sound gains fullness; a mask that removes too much loses fullness, but no
bleedless. Both scores depend on volume.

Source: ZFTurbo's Music-Source-Separation-Training,
github.com/ZFTurbo/Music-Source-Separation-Training, `bleed_full` in `utils/metrics.py` at ccc011a:
frames of 4096 samples, hop 1024, periodic Hann window, half a frame of zeros at both ends;
magnitudes, not powers; 512 bands of Slaney's mel scale from 0 Hz to half the rate, each with an
area of one; 20 log10, at least 1e-10 and at most 80 dB below the loudest band of the signal, over
all channels.
Departs from it:
- float64 instead of float32;
- the filters are those of the signal's own rate; the original assumes 44100 Hz. Scores at other
  rates are therefore comparable among themselves only.
"""

from functools import lru_cache
from typing import NamedTuple

import numpy as np
import scipy.fft
import scipy.sparse

from tfsepgan.errors import ConfigError
from tfsepgan.metrics.validation import check_pair

# All five are from the definition.
FRAME = 4096  # samples
HOP = 1024  # samples
BANDS = 512
LOWEST = 1e-10  # magnitude
RANGE_DB = 80.0  # below the loudest band of a signal
_KNEE_HZ, _HZ_A_MEL = 1000.0, 200 / 3  # Slaney's scale is linear up to the knee, logarithmic above
_MELS_A_STEP = 27 / np.log(6.4)  # mels for each e-fold above the knee


class BleedFullness(NamedTuple):
    """Two scores, 0 to 100; more is better."""

    bleedless: float
    """100 when no band is louder than in the source, as in a silent estimate."""
    fullness: float
    """100 when no band is softer than in the source."""


def bleed_fullness(reference, estimate, sample_rate_hz: float) -> BleedFullness:
    """Scores for the absence of bleed and the absence of loss in an estimate.

    Args:
      reference, estimate: `[time]` or `[time, channels]`, the same shape, full scale at 1; the
        reference not silent.
      sample_rate_hz: samples per second, above zero.
    Returns: both scores; 100 and 100 for the source itself.
    Raises: ShapeError when the shapes differ, a value is not finite, or the reference is silent;
      ConfigError for a rate that is not positive.
    """
    reference, estimate = check_pair(reference, estimate)
    if not 0 < sample_rate_hz < np.inf:
        raise ConfigError(f"sample_rate_hz is {sample_rate_hz}; it must be above zero")
    difference = _levels_db(estimate, sample_rate_hz) - _levels_db(reference, sample_rate_hz)
    louder, softer = difference[difference > 0], difference[difference < 0]
    bleed = louder.mean() if louder.size else 0.0
    loss = -softer.mean() if softer.size else 0.0
    return BleedFullness(float(100 / (1 + bleed)), float(100 / (1 + loss)))


def _levels_db(signal: np.ndarray, sample_rate_hz: float) -> np.ndarray:
    """Levels in dB, `[bands, frames of all channels]`, at most `RANGE_DB` below the loudest."""
    filters = _mel_filters(float(sample_rate_hz))
    window = np.hanning(FRAME + 1)[:-1]
    levels = []
    for channel in np.atleast_2d(signal.T):
        padded = np.pad(channel, FRAME // 2)
        frames = np.lib.stride_tricks.sliding_window_view(padded, FRAME)[::HOP]
        magnitude = np.abs(scipy.fft.rfft(frames * window, axis=1))
        levels.append(20 * np.log10(np.maximum(filters @ magnitude.T, LOWEST)))
    joined = np.concatenate(levels, axis=1)
    return np.maximum(joined, joined.max() - RANGE_DB)


@lru_cache(maxsize=4)
def _mel_filters(sample_rate_hz: float) -> scipy.sparse.csr_matrix:
    """Triangles spaced evenly on Slaney's mel scale, each with an area of one in Hz.

    Returns: `[BANDS, FRAME / 2 + 1]`; a band that lies between two bins is empty.
    """
    edges = _hertz(np.linspace(0, _mel(sample_rate_hz / 2), BANDS + 2))[:, None]
    bins = np.arange(FRAME // 2 + 1) * sample_rate_hz / FRAME
    low, centre, high = edges[:-2], edges[1:-1], edges[2:]
    rising, falling = (bins - low) / (centre - low), (high - bins) / (high - centre)
    triangles = np.maximum(0.0, np.minimum(rising, falling))
    return scipy.sparse.csr_matrix(triangles * 2 / (high - low))


def _mel(hertz: float) -> float:
    if hertz < _KNEE_HZ:
        return hertz / _HZ_A_MEL
    return _KNEE_HZ / _HZ_A_MEL + _MELS_A_STEP * np.log(hertz / _KNEE_HZ)


def _hertz(mel: np.ndarray) -> np.ndarray:
    knee = _KNEE_HZ / _HZ_A_MEL
    above = _KNEE_HZ * np.exp((np.maximum(mel, knee) - knee) / _MELS_A_STEP)
    return np.where(mel < knee, mel * _HZ_A_MEL, above)
