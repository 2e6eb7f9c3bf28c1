"""Scores one finished track: the model, the mixture and the oracle, by every metric.

A source that is silent in the track has no scores there, as no ratio to it is defined; it takes
nothing from the others. Where only one source sounds, the mixture is that source: what doing
nothing and an ideal mask score has no bound, so these are not defined either, nor is what the model
gained over them, nor interference.

This runs in processes of its own, so neither it nor what it imports loads TensorFlow.
"""

import math
from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from tfsepgan.errors import ShapeError
from tfsepgan.evaluation.ideal_mask import mixture_bound, ratio_mask_bound
from tfsepgan.evaluation.measures import Measuring, figures_of
from tfsepgan.evaluation.records import BSS_METRICS, DEFAULT_MEASURES, IMPROVED, METRICS, round_db
from tfsepgan.metrics.bss import bss_eval
from tfsepgan.metrics.waveform import si_sdr, snr


class TrackJob(NamedTuple):
    """What a worker needs to know: sources by name (the residual among them), all `[time,
    channels]`.

    references: the true sources, at least one of which sounds. estimates: what the model made of
    the mixture. bss: whether to run BSS Eval, which costs most of the time. measures: names of
    `records.MEASURES`.
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
    """scores[source][kind][metric] in dB, windows[source][kind][metric] as lists, notes in words."""

    scores: dict
    windows: dict
    notes: tuple[str, ...]


def score_track(job: TrackJob) -> TrackResult:
    """Takes every metric of the model, of the mixture and of the oracle, for every source.

    Args:
      job: references, estimates and mixture of one shape.
    Returns: TrackResult; improvements over the mixture stand beside the metrics of the model and
      the oracle; NaN for what is not defined, see the top of this file.
    Raises: ShapeError when all references are silent or an estimate holds NaN.
    """
    sounding = {
        source: reference for source, reference in job.references.items() if reference.any()
    }
    if not sounding:
        raise ShapeError(
            f"all of {', '.join(job.references)} are silent (all zeros), so no ratio to them is"
            " defined"
        )
    heard = job._replace(references=sounding)
    contenders = {
        "mixture": mixture_bound(sounding, job.mixture),
        "model": job.estimates,
        "oracle": ratio_mask_bound(sounding, job.mixture),
    }
    measuring = {
        source: Measuring(sound, job.sample_rate_hz, job.measures)
        for source, sound in sounding.items()
    }
    scores: dict = {source: {} for source in job.references}
    windows: dict = {source: {} for source in job.references}
    for kind, estimates in contenders.items():
        measured = (
            _score_estimates(heard, estimates, measuring)
            if kind == "model" or len(sounding) > 1
            else {}
        )
        for source in job.references:
            metrics, by_window = measured.get(source, (_undefined(job), {}))
            scores[source][kind] = metrics
            if by_window:
                windows[source][kind] = by_window
            if kind != "mixture":
                before = scores[source]["mixture"]
                gains = {
                    f"{name}_improvement": _gain(metrics, before, name)
                    for name in IMPROVED
                    if name in metrics
                }
                scores[source][kind] = metrics | gains
    return TrackResult(
        scores,
        windows if job.bss else {},
        _notes(heard, windows, silent=job.references.keys() - sounding),
    )


def _undefined(job: TrackJob) -> dict[str, float]:
    """The metrics of a source that has none here."""
    names = (
        name for name in (*METRICS, *figures_of(job.measures)) if job.bss or name not in BSS_METRICS
    )
    return dict.fromkeys(names, math.nan)


def _score_estimates(
    job: TrackJob, estimates: Mapping[str, np.ndarray], measuring: Mapping[str, Measuring]
) -> dict:
    """{source: (metrics, BSS Eval by window)} of one contender."""
    metrics: dict = {source: {} for source in job.references}
    windows: dict = {source: {} for source in job.references}
    if job.bss:
        names = list(job.references)
        result = bss_eval(
            np.stack([job.references[name] for name in names]),
            np.stack([estimates[name] for name in names]),
            job.sample_rate_hz,
            window_seconds=job.window_seconds,
            hop_seconds=job.hop_seconds,
        )
        medians = result.medians()
        for index, name in enumerate(names):
            for metric in BSS_METRICS:
                metrics[name][metric] = round_db(getattr(medians, metric)[index])
                windows[name][metric] = [
                    round_db(value) for value in getattr(result, metric)[index]
                ]
        # no other source, so no interference: the ratio to it is rounding error
        if len(names) == 1:
            metrics[names[0]]["sir"], windows[names[0]]["sir"] = (
                math.nan,
                [math.nan] * len(windows[names[0]]["sir"]),
            )
    for name, reference in job.references.items():
        metrics[name]["snr"] = round_db(snr(reference, estimates[name]))
        metrics[name]["si_sdr"] = round_db(si_sdr(reference, estimates[name]))
        metrics[name] |= {
            figure: round_db(value) for figure, value in measuring[name](estimates[name]).items()
        }
    return {name: (metrics[name], windows[name]) for name in job.references}


def _gain(metrics: dict, before: dict, name: str) -> float:
    """How much more than the mixture, in dB; NaN where infinity meets infinity."""
    return round_db(metrics[name] - before[name])


def _notes(job: TrackJob, windows: dict, silent: Collection[str]) -> tuple[str, ...]:
    """What a reader of the numbers should know: silent sources, silent estimates and windows that
    were left out."""
    notes = [
        f"source {source} is silent here, so it has no scores"
        for source in windows
        if source in silent
    ]
    first, *further = job.references
    if not further:
        notes.append(
            f"nothing but {first} sounds here, so mixture, oracle, SIR and improvements are not"
            " defined"
        )
    notes += [
        f"the model's {source} is silent from end to end: SI-SDR is -inf and BSS Eval is not"
        " defined"
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
