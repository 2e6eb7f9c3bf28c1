"""How an estimate differs from its reference in its spectrum, where a ratio of samples says little:
level, tilt, holes.

Both are cut into the same frames. A bin of a frame is active where the reference is at most
`ACTIVE_DB` below its loudest bin; only active bins count, so that the noise under a recording does
not. The estimate's bins are taken to be no lower than `FLOOR_DB` below that loudest bin, so that a
bin of zero is a finite error. Volume counts: a gain is an error in all of these but the tilt and
the Frechet distance.

Source: Gray & Markel 1976, "Distance measures for speech processing", IEEE Trans. ASSP 24, eq. 5
with p = 2, for the log-spectral distance. Departs from it: active bins only.
"""

from typing import NamedTuple

import numpy as np

from tfsepgan.metrics.spectra import distance_db, frame_length, spectra_of
from tfsepgan.metrics.validation import check_pair

ACTIVE_DB = -50.0  # the softest partials that are heard beside the loudest
# 30 dB below the softest active bin, so that LOW_DB can be reached in each of them
FLOOR_DB = -80.0
LOW_DB = 30.0  # as good as gone
LOWEST_HZ = 50.0  # tilt is fitted above: a frame of 64 ms has few bins below


class SpectralErrors(NamedTuple):
    """Figures of one estimate; NaN where a figure is not defined."""

    frechet: float
    """Frechet distance of the band levels of all frames, in dB a band: see
    `metrics.spectra.distance_db`. Volume does not count."""
    log_spectral_distance: float
    """Root mean square over a frame's active bins of the difference in level, averaged over frames,
    in dB."""
    spectral_tilt: float
    """How much brighter the estimate is, in dB per octave: below zero it is duller than the
    reference."""
    low_bins: float
    """Share of active bins in which the estimate is `LOW_DB` or more below the reference, in
    percent."""


class _Levels(NamedTuple):
    difference: np.ndarray  # [frames, bins], estimate minus reference, dB
    active: np.ndarray  # [frames, bins], where it counts


def spectral_errors(reference, estimate, sample_rate_hz: float) -> SpectralErrors:
    """All figures of an estimate.

    Args:
      reference, estimate: `[time]` or `[time, channels]`, the same shape; the reference not silent.
      sample_rate_hz: their rate.
    Returns: the figures. A silent estimate has no tilt and no Frechet distance, and a signal
      shorter than two frames no latter.
    Raises: ShapeError as `check_pair` does.
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
    """How far apart the levels of bins are, in dB: |g| for a gain of g dB, as long as no bin falls
    under the floor.

    Args: as `spectral_errors`.
    """
    reference, estimate = (_by_channel(signal) for signal in check_pair(reference, estimate))
    return _log_spectral_distance(_levels(reference, estimate, sample_rate_hz))


def spectral_tilt(reference, estimate, sample_rate_hz: float) -> float:
    """Slope of the line, in dB per octave, through the difference in level of all active bins above
    `LOWEST_HZ`.

    Every octave counts alike: a bin's weight falls as its frequency rises. NaN where one frequency
      alone is active.
    Args: as `spectral_errors`.
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
    """Power of the bins of all frames of all channels, `[frames, bins]`; what is shorter than a
    frame is filled with zeros."""
    frame = frame_length(sample_rate_hz)
    window = np.hanning(frame + 1)[:-1]
    signals = np.pad(signals, ((0, 0), (0, max(0, frame - signals.shape[1]))))
    frames = np.lib.stride_tricks.sliding_window_view(signals, frame, axis=1)[:, :: frame // 4]
    return np.square(np.abs(np.fft.rfft(frames * window))).reshape(-1, frame // 2 + 1)


def _log_spectral_distance(levels: _Levels) -> float:
    heard = levels.active.any(axis=1)
    squares = np.where(levels.active, levels.difference**2, 0.0)[heard].sum(axis=1) / levels.active[
        heard
    ].sum(axis=1)
    return float(np.mean(np.sqrt(squares)))


def _tilt(levels: _Levels, sample_rate_hz: float) -> float:
    hertz = np.linspace(0, sample_rate_hz / 2, levels.active.shape[1])
    here = hertz >= LOWEST_HZ
    octave, active = np.log2(hertz[here]), levels.active[:, here]
    weight = active.sum(axis=0) / hertz[here]
    if np.count_nonzero(weight) < 2:
        return np.nan
    mean = np.where(active, levels.difference[:, here], 0.0).sum(axis=0) / np.maximum(
        active.sum(axis=0), 1
    )
    octave = octave - np.average(octave, weights=weight)
    return float(np.sum(weight * octave * mean) / np.sum(weight * octave**2))


def _frechet(reference: np.ndarray, estimate: np.ndarray, sample_rate_hz: float) -> float:
    """Over the channels that sound in both; NaN where none does, or where there are too few frames
    for a distribution."""
    both = reference.any(axis=1) & estimate.any(axis=1)
    if not both.any() or reference.shape[1] < 2 * frame_length(sample_rate_hz):
        return np.nan
    return distance_db(
        spectra_of(estimate[both], sample_rate_hz), spectra_of(reference[both], sample_rate_hz)
    )
