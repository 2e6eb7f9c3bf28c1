"""Means over recordings and seeds, with standard errors, of the scores of a comparison.

`means[SET][METRIC][RECORDING][SEED]` of a result is the mean over the mixtures of a recording; null
where none is defined. All recordings have the same weight, in whichever set. See
`tfsepgan.metrics.uncertainty`.
"""

import math
from collections.abc import Mapping, Sequence

import numpy as np

from tfsepgan.evaluation.records import SPECTRAL_METRICS, Report
from tfsepgan.metrics.uncertainty import Mean, mean_of_each, mean_with_error

METRICS = ("si_sdr_improvement", "si_sdr", "sdr", "sir", "sar", *SPECTRAL_METRICS)
Means = dict[str, dict[str, dict[str, float]]]  # [metric][recording][seed]


def means_of(reports: Mapping[int, Report], source: str, kind: str) -> Means:
    """Means over the mixtures of each recording, from a set's reports by seed, to 0.001."""
    found: Means = {}
    for seed, report in reports.items():
        for metric in METRICS:
            values = [track.scores[source][kind].get(metric) for track in report.tracks]
            if None in values:  # not measured
                continue
            files = [track.target_file or track.name for track in report.tracks]
            for file, mean in mean_of_each(values, files).items():
                kept = found.setdefault(metric, {}).setdefault(file, {})
                kept[str(seed)] = round(mean, 3)
    return found


def cells(
    result: dict, metric: str, sets: Sequence[str] | None = None
) -> dict[tuple[str, str], dict[str, float]]:
    """Means of a metric by (set, recording) and seed, of all or some sets; NaN if undefined."""
    return {
        (name, file): {
            seed: math.nan if value is None else value for seed, value in by_seed.items()
        }
        for name, metrics in result["means"].items()
        if sets is None or name in sets
        for file, by_seed in metrics.get(metric, {}).items()
    }


def figure(result: dict, metric: str, sets: Sequence[str] | None = None) -> Mean | None:
    """Mean and standard error of a metric; None if it was not measured or is undefined."""
    return _mean(cells(result, metric, sets))


def difference(
    result: dict, plain: dict, metric: str, sets: Sequence[str] | None = None
) -> Mean | None:
    """Difference of two rows, paired by recording and seed, where both have values."""
    own, other = cells(result, metric, sets), cells(plain, metric, sets)
    return _mean(
        {
            place: {
                seed: own[place][seed] - other[place][seed]
                for seed in own[place]
                if seed in other[place]
            }
            for place in own
            if place in other
        }
    )


def left_out(reports: Mapping[int, Report], source: str) -> dict[str, int]:
    """Mixtures without a finite value, which no mean includes, by metric; without zeros."""
    counts = {
        metric: sum(
            not math.isfinite(track.scores[source]["model"].get(metric, 0.0))
            for report in reports.values()
            for track in report.tracks
        )
        for metric in METRICS
    }
    return {metric: count for metric, count in counts.items() if count}


def _mean(places: Mapping[tuple[str, str], Mapping[str, float]]) -> Mean | None:
    seeds = sorted({seed for by_seed in places.values() for seed in by_seed})
    table = np.array(
        [[by_seed.get(seed, math.nan) for seed in seeds] for by_seed in places.values()], np.float64
    )
    table = table[np.isfinite(table).all(axis=1)] if table.size else table
    return mean_with_error(table) if table.size else None
