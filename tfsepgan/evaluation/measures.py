"""The optional measures of an estimate: spectra, bleed, multi-resolution distance, embedding.

Each compares an estimate with its source. They show what a ratio of samples does not: holes, dull
or bright sound, bleed from other sources, wrong notes.
"""

import math
from collections.abc import Collection, Sequence

import numpy as np

from tfsepgan.errors import ConfigError
from tfsepgan.evaluation.records import MEASURES
from tfsepgan.metrics.bleed import bleed_fullness
from tfsepgan.metrics.embedding import find_weights, note_distance, note_gaussian
from tfsepgan.metrics.multi_resolution import multi_resolution_distance
from tfsepgan.metrics.spectral_error import spectral_errors

SHORTEST_SECONDS = 0.05  # for the notes of a sound: four frames of the network


def check_measures(measures: Collection[str]) -> tuple[str, ...]:
    """The names in the order of MEASURES.

    Raises: ConfigError for an unknown name, or for a measure whose package is not installed.
    """
    unknown = sorted(set(measures) - MEASURES.keys())
    if unknown:
        raise ConfigError(
            f"measures hold {', '.join(unknown)}, wanted some of {', '.join(MEASURES)}"
        )
    if "embedding" in measures:
        find_weights()
    return tuple(name for name in MEASURES if name in measures)


def figures_of(measures: Sequence[str]) -> list[str]:
    """Names of the figures of these measures."""
    return [figure for name in measures for figure in MEASURES[name]]


class Measuring:
    """Computes the chosen measures of several estimates of one source.

    What depends on the source alone is computed once.

    Args:
      reference: `[time, channels]`, not silent.
      sample_rate_hz: samples per second.
      measures: names of MEASURES.
    """

    def __init__(self, reference: np.ndarray, sample_rate_hz: int, measures: Sequence[str]):
        self._reference, self._rate_hz, self._measures = reference, sample_rate_hz, measures
        self._notes = None
        if "embedding" in measures and len(reference) >= SHORTEST_SECONDS * sample_rate_hz:
            self._notes = note_gaussian(reference, sample_rate_hz)

    def __call__(self, estimate: np.ndarray) -> dict[str, float]:
        """The figures of an estimate shaped like the reference; NaN for an undefined one."""
        found: dict[str, float] = {}
        if "spectra" in self._measures:
            found |= spectral_errors(self._reference, estimate, self._rate_hz)._asdict()
        if "bleed" in self._measures:
            found |= bleed_fullness(self._reference, estimate, self._rate_hz)._asdict()
        if "multi_resolution" in self._measures:
            found["multi_resolution"] = multi_resolution_distance(self._reference, estimate)
        if "embedding" in self._measures:
            found["embedding"] = math.nan
        if self._notes is not None:
            notes = note_gaussian(estimate, self._rate_hz)
            found["embedding"] = note_distance(self._notes, notes)
        return found
