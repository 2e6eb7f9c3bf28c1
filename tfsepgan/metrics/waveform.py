"""SNR and SI-SDR: how close an estimate is to its reference, sample by sample, in decibels.

All channels count as one long signal with one gain and one ratio, so a loud channel counts more
than a quiet one. The mean of a signal is not subtracted.

Source: Le Roux, Wisdom, Erdogan & Hershey 2019, "SDR - half-baked or well done?", arXiv:1811.02508
  (SI-SDR).
"""

import numpy as np

from tfsepgan.errors import ShapeError
from tfsepgan.metrics.validation import check_pair


def snr(reference, estimate) -> float:
    """Signal-to-noise ratio: energy of the reference over energy of the estimate's error.

    Args:
      reference, estimate: `[time]` or `[time, channels]`, the same shape.
    Returns: `10 log10(|reference|^2 / |reference - estimate|^2)` in dB; inf for a perfect estimate,
      0 for a silent one.
    Raises: ShapeError when the shapes differ, a value is not finite, or the reference is silent.
    """
    reference, estimate = check_pair(reference, estimate)
    return _ratio_db(np.sum(reference**2), np.sum((reference - estimate) ** 2))


def si_sdr(reference, estimate) -> float:
    """Scale-invariant SDR: the SNR after the reference is scaled to its level in the estimate.

    Args:
      reference, estimate: `[time]` or `[time, channels]`, the same shape.
    Returns: `10 log10(|a r|^2 / |a r - e|^2)` in dB with `a = <e, r> / |r|^2`; inf for the
      reference at any gain but zero, -inf for an estimate without any of the reference, such as a
      silent one.
    Raises: ShapeError when the shapes differ, a value is not finite, or the reference is silent.
    Source: Le Roux et al. 2019, arXiv:1811.02508.
    """
    reference, estimate = check_pair(reference, estimate)
    gain = np.sum(estimate * reference) / np.sum(reference**2)
    target = gain * reference
    return _ratio_db(np.sum(target**2), np.sum((target - estimate) ** 2))


def snr_improvement(reference, estimate, mixture) -> float:
    """SNR of the estimate minus that of the mixture.

    Args:
      reference, estimate, mixture: `[time]` or `[time, channels]`, the same shape.
    Returns: dB, positive when the estimate is closer to the reference than the mixture is; NaN when
      both are perfect.
    Raises: ShapeError as in `snr`.
    """
    return _difference_db(snr(reference, estimate), _of_mixture(snr, reference, mixture))


def si_sdr_improvement(reference, estimate, mixture) -> float:
    """SI-SDR of the estimate minus that of the mixture.

    Args:
      reference, estimate, mixture: `[time]` or `[time, channels]`, the same shape.
    Returns: dB, positive when the estimate is closer to the reference than the mixture is; NaN when
      both are perfect.
    Raises: ShapeError as in `si_sdr`.
    """
    return _difference_db(si_sdr(reference, estimate), _of_mixture(si_sdr, reference, mixture))


def _of_mixture(metric, reference, mixture) -> float:
    """The metric with the mixture as estimate; its errors name the mixture."""
    try:
        return metric(reference, mixture)
    except ShapeError as error:
        raise ShapeError(f"mixture, as the estimate to improve on: {error}") from error


def _ratio_db(signal: float, noise: float) -> float:
    """10 log10 of a ratio of energies; -inf for no signal, else inf for no noise."""
    if signal == 0.0:
        return -np.inf
    if noise == 0.0:
        return np.inf
    return float(10.0 * np.log10(signal / noise))


def _difference_db(after: float, before: float) -> float:
    """after - before; the difference of equal infinities is NaN, without a warning."""
    if np.isinf(after) and after == before:
        return np.nan
    return float(after - before)
