"""Whether an estimate is the source that was in its mixture, or only some sound of that class:
separation against domain transfer.

A generator that learns from unpaired recordings may answer every mixture with a sound of the wanted
class that was not in it. Such an estimate is as far from its own source as from any other source of
the class. So one distance is measured to both:

    ratio of estimate i = d(e_i, s_i) / median over j other than i of d(e_i, s_j)

    d(a, b) = mean over frames of the root mean square over bands of the difference of their levels,
    in dB

It is 0 where the estimate is the source, far below 1 where it is close to it, and about 1 where it
is no closer to it than to the others: domain transfer. The same of the mixtures in the place of the
estimates says what doing nothing scores.

Source: the distance is the log-spectral one of Gray & Markel 1976, "Distance measures for speech
processing", IEEE Trans. ASSP 24, eq. 5 with p = 2; the question is section 4 of ElAraby, Ni & Tran,
"S-SepGAN" ("more of domain transfer not the single component"). Departs from Gray & Markel: levels
are of mel bands, relative to the level of the sound, and not below a floor (`metrics.spectra`), so
that neither volume nor what lies 40 dB below the music counts. `metrics.spectral_error` has that of
bins, which is of one reference and hears volume; here the distances to many sources must be
comparable.
"""

import numpy as np

from tfsepgan.errors import ShapeError
from tfsepgan.metrics.spectra import band_levels_db


def band_distance_db(levels_db, other_levels_db) -> np.ndarray:
    """How different two sounds are in their spectra, frame by frame.

    Args:
      levels_db, other_levels_db: `[..., frames, bands]`, shapes that broadcast; as `band_levels_db`
        gives them.
    Returns: `[...]`, dB: 0 for equal spectra, 3 for such as differ by 3 dB in every band of every
      frame.
    """
    difference = np.asarray(levels_db, np.float64) - np.asarray(other_levels_db, np.float64)
    return np.mean(np.sqrt(np.mean(np.square(difference), axis=-1)), axis=-1)


def relative_spectral_distance(estimates, sources, sample_rate_hz: float) -> np.ndarray:
    """How far each estimate is from its own source, over how far it is from the other sources.

    Args:
      estimates: `[count, time]`, one for each source, none silent.
      sources: `[count, time]`, the true ones of one class (as pianos), in the order of the
        estimates, none silent; at least two.
      sample_rate_hz: their rate.
    Returns: `[count]`: 0 for the source itself, about 1 for any other sound of the class; volume
      does not count.
    Raises: ShapeError for shapes that differ, less than two sources, a silent or too short sound,
      or sources that are all one sound.
    """
    estimates, sources = np.asarray(estimates), np.asarray(sources)
    if estimates.shape != sources.shape or estimates.ndim != 2 or len(sources) < 2:
        raise ShapeError(
            f"estimates of shape {list(estimates.shape)} and sources of shape"
            f" {list(sources.shape)}, wanted the same [count, time] with a count of at least 2:"
            " without another source of the class there is nothing to compare with."
        )
    made, true = (
        _levels("estimates", estimates, sample_rate_hz),
        _levels("sources", sources, sample_rate_hz),
    )
    ratios = np.empty(len(sources))
    for index, levels in enumerate(made):
        distances = band_distance_db(levels, true)
        to_others = np.median(np.delete(distances, index))
        if not to_others > 0:
            raise ShapeError(
                f"estimate {index} of {len(made)} is at no distance from half of the other sources,"
                " so they are one sound; give sources that differ."
            )
        ratios[index] = distances[index] / to_others
    return ratios


def _levels(name: str, sounds, sample_rate_hz: float) -> np.ndarray:
    """`band_levels_db`, whose errors name what was measured."""
    try:
        return band_levels_db(sounds, sample_rate_hz)
    except ShapeError as error:
        raise ShapeError(f"{name}: {error}") from error
