"""Spectral errors of an estimate: distance, tilt and holes.

Reference and estimate are cut into the same frames. A bin is active when the reference is at most
50 dB (`ACTIVE_DB`) below its loudest bin. Only active bins count, so the noise of a recording does
not. The levels of the estimate are limited to 80 dB (`FLOOR_DB`) below the loudest bin of the
reference, so that an empty bin is a finite error. Volume counts, except in the tilt and the Frechet
distance.

Source: Gray & Markel 1976, "Distance measures for speech processing", IEEE Trans. ASSP 24, eq. 5
with p = 2, for the log-spectral distance.
Departs from it: active bins only.
"""

from typing import NamedTuple

import numpy as np

from tfsepgan.metrics.spectra import distance_db, frame_length, spectra_of
from tfsepgan.metrics.validation import check_pair

ACTIVE_DB = -50.0  # the softest audible partials, relative to the loudest
# 30 dB below the softest active bin, so that an error of LOW_DB is possible in each
FLOOR_DB = -80.0
LOW_DB = 30.0  # a bin that is this much too low counts as a hole
LOWEST_HZ = 50.0  # lower bound of the fit of the tilt: a frame of 64 ms has few bins below it


class SpectralErrors(NamedTuple):
    """Figures of one estimate; an undefined figure is NaN."""

    frechet: float
    """Frechet distance of band levels over all frames, dB a band (`metrics.spectra.distance_db`).
    Volume does not count."""
    log_spectral_distance: float
    """Root mean square level difference of a frame's active bins, averaged over frames, dB."""
    spectral_tilt: float
    """Brightness relative to the reference in dB per octave; negative is duller."""
    low_bins: float
    """Percentage of active bins that are at least `LOW_DB` below the reference."""


class _Levels(NamedTuple):
    difference: np.ndarray  # [frames, bins], estimate minus reference, dB
    active: np.ndarray  # [frames, bins], bins that count


def spectral_errors(reference, estimate, sample_rate_hz: float) -> SpectralErrors:
    """All figures of an estimate.

    Args:
      reference, estimate: `[time]` or `[time, channels]`, the same shape; the reference not silent.
      sample_rate_hz: samples per second.
    Returns: the figures. A silent estimate has neither tilt nor Frechet distance; a signal shorter
      than two frames has no Frechet distance.
    Raises: ShapeError as in `check_pair`.
    """
    reference, estimate = (_by_channel(signal) for signal in check_pair(reference, estimate))
    levels = _levels(reference, estimate, sample_rate_hz)
    silent = not estimate.any()
    return SpectralErrors(
        frechet=_frechet(reference, estimate, sample_rate_hz),
        log_spectral_distance=_log_spectral_distance(levels),
        spectral_tilt=np.nan if silent else _tilt(levels, sample_rate_hz),
        low_bins=100.0 * float(np.mean(levels.difference[levels.active] <= -LOW_DB)),
    )


def log_spectral_distance(reference, estimate, sample_rate_hz: float) -> float:
    """The log-spectral distance in dB: |g| for a gain of g dB, while all bins are above the floor.

    Args: as in `spectral_errors`.
    """
    reference, estimate = (_by_channel(signal) for signal in check_pair(reference, estimate))
    return _log_spectral_distance(_levels(reference, estimate, sample_rate_hz))


def spectral_tilt(reference, estimate, sample_rate_hz: float) -> float:
    """Slope, in dB per octave, of the level difference over the active bins above `LOWEST_HZ`.

    Every octave has the same weight, because the weight of a bin is inverse to its frequency. NaN
    when only one frequency is active.

    Args: as in `spectral_errors`.
    """
    reference, estimate = (_by_channel(signal) for signal in check_pair(reference, estimate))
    return _tilt(_levels(reference, estimate, sample_rate_hz), sample_rate_hz)


def _by_channel(signal: np.ndarray) -> np.ndarray:
    """`[channels, time]`."""
    return np.atleast_2d(signal.T)


def _levels(reference: np.ndarray, estimate: np.ndarray, sample_rate_hz: float) -> _Levels:
    power = _power(reference, sample_rate_hz)
    loudest = power.max()
    floor = loudest * 10 ** (FLOOR_DB / 10)
    active = power >= loudest * 10 ** (ACTIVE_DB / 10)
    difference = np.maximum(_power(estimate, sample_rate_hz), floor) / np.maximum(power, floor)
    return _Levels(10 * np.log10(difference), active)


def _power(signals: np.ndarray, sample_rate_hz: float) -> np.ndarray:
    """Power of all bins, `[frames of all channels, bins]`; short signals become one frame."""
    frame = frame_length(sample_rate_hz)
    window = np.hanning(frame + 1)[:-1]
    signals = np.pad(signals, ((0, 0), (0, max(0, frame - signals.shape[1]))))
    frames = np.lib.stride_tricks.sliding_window_view(signals, frame, axis=1)[:, :: frame // 4]
    return np.square(np.abs(np.fft.rfft(frames * window))).reshape(-1, frame // 2 + 1)


def _log_spectral_distance(levels: _Levels) -> float:
    frames = levels.active.any(axis=1)
    active = levels.active[frames]
    squares = np.where(active, levels.difference[frames] ** 2, 0.0)
    return float(np.mean(np.sqrt(squares.sum(axis=1) / active.sum(axis=1))))


def _tilt(levels: _Levels, sample_rate_hz: float) -> float:
    hertz = np.linspace(0, sample_rate_hz / 2, levels.active.shape[1])
    fitted = hertz >= LOWEST_HZ
    octave, active = np.log2(hertz[fitted]), levels.active[:, fitted]
    weight = active.sum(axis=0) / hertz[fitted]
    if np.count_nonzero(weight) < 2:
        return np.nan
    total = np.where(active, levels.difference[:, fitted], 0.0).sum(axis=0)
    mean = total / np.maximum(active.sum(axis=0), 1)
    octave = octave - np.average(octave, weights=weight)
    return float(np.sum(weight * octave * mean) / np.sum(weight * octave**2))


def _frechet(reference: np.ndarray, estimate: np.ndarray, sample_rate_hz: float) -> float:
    """The distance over channels that sound in both signals; NaN without any, or for few frames."""
    both = reference.any(axis=1) & estimate.any(axis=1)
    if not both.any() or reference.shape[1] < 2 * frame_length(sample_rate_hz):
        return np.nan
    spectra = (spectra_of(signal[both], sample_rate_hz) for signal in (estimate, reference))
    return distance_db(*spectra)
