"""The measures that are chosen beside BSS Eval, SNR and SI-SDR: spectra, bleed, multi-resolution
distance, embedding.

They compare an estimate with its own source and hear what a ratio of samples does not: holes, dull
or bright sound, what bled in, whether the notes are those of the source.
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

SHORTEST_SECONDS = 0.05  # of a sound whose notes are compared: four frames of the network


def check_measures(measures: Collection[str]) -> tuple[str, ...]:
    """The names in the order of MEASURES; ConfigError for an unknown one, or for one whose package
    is missing."""
    unknown = sorted(set(measures) - MEASURES.keys())
    if unknown:
        raise ConfigError(
            f"measures hold {', '.join(unknown)}, wanted some of {', '.join(MEASURES)}"
        )
    if "embedding" in measures:
        find_weights()
    return tuple(name for name in MEASURES if name in measures)


def figures_of(measures: Sequence[str]) -> list[str]:
    """Names of the figures that these measures give."""
    return [figure for name in measures for figure in MEASURES[name]]


class Measuring:
    """Takes the chosen measures of several estimates of one source; what is of the source alone is
    computed once.

    Args of the constructor:
      reference: `[time, channels]`, not silent.
      sample_rate_hz: its rate.
      measures: names of MEASURES.
    """

    def __init__(self, reference: np.ndarray, sample_rate_hz: int, measures: Sequence[str]):
        self._reference, self._rate_hz, self._measures = reference, sample_rate_hz, measures
        heard = "embedding" in measures and len(reference) >= SHORTEST_SECONDS * sample_rate_hz
        self._notes = note_gaussian(reference, sample_rate_hz) if heard else None

    def __call__(self, estimate: np.ndarray) -> dict[str, float]:
        """The figures of an estimate shaped like the reference; NaN where one is not defined."""
        found: dict[str, float] = {}
        if "spectra" in self._measures:
            found |= spectral_errors(self._reference, estimate, self._rate_hz)._asdict()
        if "bleed" in self._measures:
            found |= bleed_fullness(self._reference, estimate, self._rate_hz)._asdict()
        if "multi_resolution" in self._measures:
            found["multi_resolution"] = multi_resolution_distance(self._reference, estimate)
        if "embedding" in self._measures:
            heard = self._notes is not None
            found["embedding"] = (
                note_distance(self._notes, note_gaussian(estimate, self._rate_hz))
                if heard
                else math.nan
            )
        return found
