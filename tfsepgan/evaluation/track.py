"""Scores one track: the mixture, the model and the ideal mask, by every metric.

A source that is silent in the track has no scores there, because no ratio to it is defined; the
other sources have theirs. Where only one source sounds, the mixture is that source. The mixture and
the ideal mask are then perfect, so their scores, the improvements over them, and the interference
are undefined.

This module runs in separate processes; neither it nor its imports load TensorFlow.
"""

import math
from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from tfsepgan.errors import ShapeError
from tfsepgan.evaluation.ideal_mask import mixture_bound, ratio_mask_bound
from tfsepgan.evaluation.measures import Measuring, figures_of
from tfsepgan.evaluation.records import (
    BSS_METRICS,
    DEFAULT_MEASURES,
    IDEAL_MASK,
    IMPROVED,
    METRICS,
    round_db,
)
from tfsepgan.metrics.bss import bss_eval
from tfsepgan.metrics.waveform import si_sdr, snr


class TrackJob(NamedTuple):
    """A track to score; all signals are `[time, channels]`, the residual is among the sources.

    references: the true sources by name, at least one of them not silent.
    estimates: the model's estimates by name.
    bss: whether to run BSS Eval, which takes most of the time.
    window_seconds, hop_seconds: of BSS Eval.
    measures: names of `records.MEASURES`.
    """

    references: Mapping[str, np.ndarray]
    estimates: Mapping[str, np.ndarray]
    mixture: np.ndarray
    sample_rate_hz: int
    bss: bool
    window_seconds: float
    hop_seconds: float
    measures: Sequence[str] = DEFAULT_MEASURES


class TrackResult(NamedTuple):
    """scores[source][kind][metric] in dB, windows[source][kind][metric] as lists, and notes."""

    scores: dict
    windows: dict
    notes: tuple[str, ...]


def score_track(job: TrackJob) -> TrackResult:
    """Computes every metric of the mixture, the model and the ideal mask, for every source.

    Args:
      job: references, estimates and mixture of one shape.
    Returns: TrackResult; the model and the ideal mask also have improvements over the mixture.
      Undefined values are NaN, see the top of this file.
    Raises: ShapeError when all references are silent or an estimate holds NaN.
    """
    sounding = {source: sound for source, sound in job.references.items() if sound.any()}
    if not sounding:
        raise ShapeError(
            f"all of {', '.join(job.references)} are silent (all zeros), so no ratio to them is"
            " defined"
        )
    defined = job._replace(references=sounding)
    estimates_by_kind = {
        "mixture": mixture_bound(sounding, job.mixture),
        "model": job.estimates,
        IDEAL_MASK: ratio_mask_bound(sounding, job.mixture),
    }
    rate_hz, measures = job.sample_rate_hz, job.measures
    measuring = {name: Measuring(sound, rate_hz, measures) for name, sound in sounding.items()}
    scores: dict = {source: {} for source in job.references}
    windows: dict = {source: {} for source in job.references}
    for kind, estimates in estimates_by_kind.items():
        measured = {}
        if kind == "model" or len(sounding) > 1:
            measured = _score_estimates(defined, estimates, measuring)
        for source in job.references:
            metrics, by_window = measured.get(source, (_undefined(job), {}))
            scores[source][kind] = metrics
            if by_window:
                windows[source][kind] = by_window
            if kind != "mixture":
                scores[source][kind] = metrics | _improvements(metrics, scores[source]["mixture"])
    notes = _notes(defined, windows, silent=job.references.keys() - sounding)
    return TrackResult(scores, windows if job.bss else {}, notes)


def _undefined(job: TrackJob) -> dict[str, float]:
    """The metrics of a source without scores: all NaN."""
    names = [name for name in METRICS if job.bss or name not in BSS_METRICS]
    return dict.fromkeys([*names, *figures_of(job.measures)], math.nan)


def _score_estimates(
    job: TrackJob, estimates: Mapping[str, np.ndarray], measuring: Mapping[str, Measuring]
) -> dict:
    """{source: (metrics, BSS Eval by window)} of one kind of estimate."""
    metrics: dict = {source: {} for source in job.references}
    windows: dict = {source: {} for source in job.references}
    if job.bss:
        names = list(job.references)
        true = np.stack([job.references[name] for name in names])
        estimated = np.stack([estimates[name] for name in names])
        windowing = {"window_seconds": job.window_seconds, "hop_seconds": job.hop_seconds}
        result = bss_eval(true, estimated, job.sample_rate_hz, **windowing)
        medians = result.medians()
        for index, name in enumerate(names):
            for metric in BSS_METRICS:
                metrics[name][metric] = round_db(getattr(medians, metric)[index])
                windows[name][metric] = [*map(round_db, getattr(result, metric)[index])]
        # one source alone has no interference: SIR would be rounding error
        if len(names) == 1:
            metrics[names[0]]["sir"] = math.nan
            windows[names[0]]["sir"] = [math.nan] * len(windows[names[0]]["sir"])
    for name, reference in job.references.items():
        metrics[name]["snr"] = round_db(snr(reference, estimates[name]))
        metrics[name]["si_sdr"] = round_db(si_sdr(reference, estimates[name]))
        figures = measuring[name](estimates[name])
        metrics[name] |= {figure: round_db(value) for figure, value in figures.items()}
    return {name: (metrics[name], windows[name]) for name in job.references}


def _improvements(metrics: dict, mixture: dict) -> dict[str, float]:
    """Improvements over the mixture in dB; NaN for a difference of equal infinities."""
    improved = [name for name in IMPROVED if name in metrics]
    return {f"{name}_improvement": round_db(metrics[name] - mixture[name]) for name in improved}


def _notes(job: TrackJob, windows: dict, *, silent: Collection[str]) -> tuple[str, ...]:
    """Sentences about silent sources, silent estimates and windows that are left out."""
    quiet = [source for source in windows if source in silent]
    notes = [f"source {source} is silent here, so it has no scores" for source in quiet]
    first, *further = job.references
    if not further:
        notes.append(
            f"only {first} sounds here, so mixture, ideal mask, SIR and improvements are not"
            " defined"
        )
    notes += [
        f"the model's {source} is silent throughout: SI-SDR is -inf and BSS Eval is not defined"
        for source in job.references
        if not job.estimates[source].any()
    ]
    sdr = windows[first].get("model", {}).get("sdr", [])
    undefined = sum(math.isnan(value) for value in sdr)
    if undefined:
        notes.append(
            f"{undefined} of {len(sdr)} windows left out of the model's BSS Eval: "
            "a source or an estimate is silent there"
        )
    return tuple(notes)
