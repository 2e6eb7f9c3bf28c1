"""Separation or domain transfer: is an estimate its own source, or any sound of that class?

A generator that learns from unpaired recordings may return, for every mixture, a sound of the
wanted class that is not in the mixture. Such an estimate is as far from its own source as from any
other source of the class. The metric therefore compares the two distances:

    ratio of estimate i = d(e_i, s_i) / median over j other than i of d(e_i, s_j)

    d(a, b) = mean over frames of the root mean square over bands of the difference of their levels,
    in dB

The ratio is 0 when the estimate equals the source, far below 1 when it is close to it, and about 1
for domain transfer, when it is no closer to its own source than to the others. With the mixtures as
estimates, it gives the ratio of a separator that does nothing.

Source: the distance is the log-spectral one of Gray & Markel 1976, "Distance measures for speech
processing", IEEE Trans. ASSP 24, eq. 5 with p = 2; the question is section 4 of ElAraby, Ni & Tran,
"S-SepGAN" ("more of domain transfer not the single component").
Departs from Gray & Markel: levels are of mel bands, relative to the level of the sound, and limited
to a floor (`metrics.spectra`), so that neither volume nor sound 40 dB below the music counts. The
distances to many sources are then comparable. `metrics.spectral_error` has the distance of bins,
where volume counts.
"""

import numpy as np

from tfsepgan.errors import ShapeError
from tfsepgan.metrics.spectra import band_levels_db


def band_distance_db(levels_db, other_levels_db) -> np.ndarray:
    """Spectral distance of two sounds, averaged over frames.

    Args:
      levels_db, other_levels_db: results of `band_levels_db`, `[..., frames, bands]`; their shapes
        broadcast.
    Returns: `[...]`, dB: 0 for equal spectra, 3 for a difference of 3 dB in every band and frame.
    """
    difference = np.asarray(levels_db, np.float64) - np.asarray(other_levels_db, np.float64)
    return np.mean(np.sqrt(np.mean(np.square(difference), axis=-1)), axis=-1)


def relative_spectral_distance(estimates, sources, sample_rate_hz: float) -> np.ndarray:
    """Distance of each estimate to its own source, divided by that to the other sources.

    Args:
      estimates: `[count, time]`, one for each source, none silent.
      sources: `[count, time]`, at least two true sources of one class (such as pianos), in the
        order of the estimates, none silent.
      sample_rate_hz: samples per second.
    Returns: `[count]`: 0 for the source itself, about 1 for any other sound of the class; volume
      does not count.
    Raises: ShapeError for different shapes, fewer than two sources, a silent or too short sound, or
      sources that are all the same sound.
    """
    estimates, sources = np.asarray(estimates), np.asarray(sources)
    if estimates.shape != sources.shape or estimates.ndim != 2 or len(sources) < 2:
        raise ShapeError(
            f"estimates of shape {list(estimates.shape)} and sources of shape"
            f" {list(sources.shape)}, wanted the same [count, time] with a count of at least 2:"
            " an estimate is compared with another source of the class."
        )
    estimated = _levels("estimates", estimates, sample_rate_hz)
    true = _levels("sources", sources, sample_rate_hz)
    ratios = np.empty(len(sources))
    for index, levels in enumerate(estimated):
        distances = band_distance_db(levels, true)
        to_others = np.median(np.delete(distances, index))
        if not to_others > 0:
            raise ShapeError(
                f"estimate {index} of {len(estimated)} has no distance to half of the others,"
                " so they are the same sound; give different sources."
            )
        ratios[index] = distances[index] / to_others
    return ratios


def _levels(name: str, sounds, sample_rate_hz: float) -> np.ndarray:
    """`band_levels_db` with `name` in its errors."""
    try:
        return band_levels_db(sounds, sample_rate_hz)
    except ShapeError as error:
        raise ShapeError(f"{name}: {error}") from error
