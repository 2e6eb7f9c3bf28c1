"""GNSDR, GSIR and GSAR: the metrics of singing-voice separation on MIR-1K.

The sources of a clip are mixed at equal energy. NSDR is the improvement in SDR over the mixture,

    NSDR = SDR(estimate, source) - SDR(mixture, source)

and the global figures are means of NSDR, SIR and SAR over clips, weighted by length: a second
counts the same in each clip.

Source: Huang, Kim, Hasegawa-Johnson & Smaragdis 2015, "Joint optimization of masks and deep
recurrent neural networks for monaural source separation", IEEE/ACM TASLP 23, section IV and eq. 12
(arXiv:1502.04149), with BSS Eval 3 as in the authors' code,
github.com/posenhuang/deeplearningsourceseparation, `codes/BSS_3_EVAL.m`; Ozerov et al. 2007 for
NSDR.
Departs from it: only the given order of the estimates is scored; swapped sources are an error.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from tfsepgan.errors import ShapeError
from tfsepgan.metrics.bss import bss_eval_sources
from tfsepgan.metrics.validation import check_audio


class ClipScores(NamedTuple):
    """The figures of one clip, `[sources]` in dB, and its length."""

    samples: int
    nsdr: np.ndarray
    sir: np.ndarray
    sar: np.ndarray


class GlobalScores(NamedTuple):
    """Means over clips, weighted by length; `[sources]` in dB."""

    gnsdr: np.ndarray
    gsir: np.ndarray
    gsar: np.ndarray
    clips: int


def mix_at_equal_energy(voice, accompaniment) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A clip at 0 dB: the accompaniment gets the energy of the voice.

    Args:
      voice, accompaniment: `[time]`, the same length, neither silent.
    Returns: voice, accompaniment and their sum, `[time]`; all are scaled down together when the sum
      exceeds full scale.
    Raises: ShapeError for other shapes, values that are not finite, or a silent signal.
    """
    voice, accompaniment = check_audio("voice", voice), check_audio("accompaniment", accompaniment)
    if voice.shape != accompaniment.shape or voice.ndim != 1:
        raise ShapeError(
            f"voice of shape {list(voice.shape)} and accompaniment of shape"
            f" {list(accompaniment.shape)}, wanted the same [time]"
        )
    energies = np.sum(voice**2), np.sum(accompaniment**2)
    if not min(energies) > 0:
        raise ShapeError(
            "voice or accompaniment is silent (all zeros), so they have no equal energy; leave the"
            " clip out"
        )
    accompaniment = accompaniment * np.sqrt(energies[0] / energies[1])
    mixture = voice + accompaniment
    scale = 1 / max(1.0, np.abs(mixture).max())
    return scale * voice, scale * accompaniment, scale * mixture


def clip_scores(references, estimates, mixture) -> ClipScores:
    """NSDR, SIR and SAR of one clip.

    Args:
      references, estimates: `[sources, time]`, in the same order, none silent. Volume and a filter
        of 512 taps do not count.
      mixture: `[time]`, the sum of the references.
    Returns: the figures of the clip.
    Raises: ShapeError as in `bss_eval_sources`, or for a mixture of another length.
    """
    mixture = check_audio("mixture", mixture)
    if mixture.shape != np.shape(references)[1:]:
        raise ShapeError(
            f"mixture of shape {list(mixture.shape)} with references of shape"
            f" {list(np.shape(references))}, wanted [time]"
        )
    of_estimates = bss_eval_sources(references, estimates)
    of_mixture = bss_eval_sources(references, np.stack([mixture] * len(references)))
    nsdr = of_estimates.sdr - of_mixture.sdr
    return ClipScores(len(mixture), nsdr, of_estimates.sir, of_estimates.sar)


def global_scores(clips: Sequence[ClipScores]) -> GlobalScores:
    """The length-weighted means over clips; ShapeError when there are none."""
    if not clips:
        raise ShapeError("there are no clips to average; give at least one")
    weights = np.array([clip.samples for clip in clips], np.float64)
    figures = ([getattr(clip, name) for clip in clips] for name in ("nsdr", "sir", "sar"))
    means = (np.average(values, axis=0, weights=weights) for values in figures)
    return GlobalScores(*means, clips=len(clips))
