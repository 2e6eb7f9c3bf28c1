"""The truth about a track: what its sources are, and whether anything is left of the mixture for a
residual to be scored.

A residual that is zero by construction (songs whose every source is named) is no reference.
Mixtures of this package say so by having none; of others it is computed, and what is no more than
the rounding of 16-bit files is nothing.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from tfsepgan.errors import DataError, ShapeError
from tfsepgan.evaluation.records import RESIDUAL
from tfsepgan.metrics.validation import check_audio

if TYPE_CHECKING:
    from tfsepgan.data.references.fixed_mixtures import Mixture

# of the mixture's peak, for each signal: half a step of a 16-bit file whose peak is at -12 dB
ROUNDING = 2.0**-14


def any_residual(mixtures: "Sequence[Mixture]", sources: Sequence[str]) -> bool:
    """Whether some mixture holds anything but the sources, so that a residual is scored.

    Mixtures that cannot be scored at all, as broken ones, do not count; should that be all of them,
    there might be a residual.
    """
    known = False
    for mixture in mixtures:
        found = _has_residual(mixture, sources)
        if found:
            return True
        known = known or found is not None
    return not known


def references_of(mixture: "Mixture", names: Sequence[str]) -> dict[str, np.ndarray]:
    """The true signals of a track, float32 `[time, channels]` by name; a silent one is all zeros.

    Args:
      mixture: of `evaluate`.
      names: the sources, and the residual where that is scored.
    Raises: DataError when a source is missing or all are silent; ShapeError for a signal that is
      not finite or not shaped like the mixture.
    """
    audio = check_audio("mixture", mixture.mixture)
    if audio.ndim != 2:
        raise ShapeError(f"mixture of shape {list(audio.shape)}, wanted [time, channels]")
    sources = [name for name in names if name != RESIDUAL]
    missing = [name for name in sources if name not in mixture.sources]
    if missing:
        raise DataError(
            f"has no source {', '.join(missing)}; it holds {', '.join(mixture.sources)}"
        )
    references = {
        name: shaped(f"source {name}", mixture.sources[name], audio.shape) for name in sources
    }
    if RESIDUAL in names:
        references[RESIDUAL] = _residual(mixture, audio, references)
    if not any(reference.any() for reference in references.values()):
        raise DataError(
            f"source {names[0]} is silent (all zeros), and so is every other, so no ratio to them"
            " is defined; leave the track out or take an excerpt where they sound"
        )
    return {name: reference.astype(np.float32) for name, reference in references.items()}


def shaped(name: str, audio: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """The signal as float64; ShapeError when it is not finite or not shaped like the mixture."""
    audio = check_audio(name, audio)
    if audio.shape != shape:
        raise ShapeError(
            f"{name} is of shape {list(audio.shape)}, wanted that of the mixture, {list(shape)}"
        )
    return audio


def _has_residual(mixture: "Mixture", sources: Sequence[str]) -> bool | None:
    """Whether anything is left beside the sources; None for a mixture that cannot be scored."""
    try:
        return bool(references_of(mixture, (*sources, RESIDUAL))[RESIDUAL].any())
    except Exception:  # whatever it is, the scoring of this mixture meets it again and names it
        return None


def _residual(mixture: "Mixture", audio: np.ndarray, sources: dict[str, np.ndarray]) -> np.ndarray:
    """The residual as the mixture tells it, or else the mixture minus the sources, where that is
    more than rounding."""
    if RESIDUAL in mixture.sources:
        return shaped(f"source {RESIDUAL}", mixture.sources[RESIDUAL], audio.shape)
    left = audio - sum(sources.values())
    rounding = ROUNDING * (len(sources) + 1) * np.abs(audio).max()
    return left if np.abs(left).max() > rounding else np.zeros_like(left)
