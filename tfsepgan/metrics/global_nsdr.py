"""GNSDR, GSIR and GSAR: how the tables of singing-voice separation on MIR-1K are written.

The sources of a clip are mixed at equal energy. NSDR is what the separation gained in SDR over the
mixture,

    NSDR = SDR(estimate, source) - SDR(mixture, source)

and the global figures are means over clips of NSDR, SIR and SAR, weighted by the clips' lengths, so
that a second counts the same in each clip.

Source: Huang, Kim, Hasegawa-Johnson & Smaragdis 2015, "Joint optimization of masks and deep
recurrent neural networks for monaural source separation", IEEE/ACM TASLP 23, section IV and eq. 12
(arXiv:1502.04149), with BSS Eval 3 as in the authors' code,
github.com/posenhuang/deeplearningsourceseparation, `codes/BSS_3_EVAL.m`; Ozerov et al. 2007 for
NSDR.
Departs from it: no order of the estimates but the given one is tried, so that a separator that
  swaps the sources is not forgiven.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from tfsepgan.errors import ShapeError
from tfsepgan.metrics.bss import bss_eval_sources
from tfsepgan.metrics.validation import check_audio


class ClipScores(NamedTuple):
    """What one clip adds; figures are `[sources]` in dB."""

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
    """A clip at 0 dB: the accompaniment is brought to the energy of the voice.

    Args:
      voice, accompaniment: `[time]`, the same length, neither silent.
    Returns: voice, accompaniment and their sum, `[time]`, all turned down together where the sum
      would go beyond full scale.
    Raises: ShapeError for other shapes, values that are not finite, or a silent one.
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
      references, estimates: `[sources, time]`, in the same order, none silent. A filter of 512
        taps, hence volume too, is forgiven.
      mixture: `[time]`, the sum of the references.
    Returns: the clip's figures.
    Raises: ShapeError as `bss_eval_sources` does, or for a mixture that is not as long.
    """
    mixture = check_audio("mixture", mixture)
    if mixture.shape != np.shape(references)[1:]:
        raise ShapeError(
            f"mixture of shape {list(mixture.shape)} with references of shape"
            f" {list(np.shape(references))}, wanted [time]"
        )
    of_estimates = bss_eval_sources(references, estimates)
    of_mixture = bss_eval_sources(references, np.stack([mixture] * len(references)))
    return ClipScores(
        len(mixture), of_estimates.sdr - of_mixture.sdr, of_estimates.sir, of_estimates.sar
    )


def global_scores(clips: Sequence[ClipScores]) -> GlobalScores:
    """The length-weighted means over clips; ShapeError when there are none."""
    if not clips:
        raise ShapeError("there are no clips to take a mean of; give at least one")
    weights = np.array([clip.samples for clip in clips], np.float64)
    means = (
        np.average([getattr(clip, name) for clip in clips], axis=0, weights=weights)
        for name in ("nsdr", "sir", "sar")
    )
    return GlobalScores(*means, clips=len(clips))
