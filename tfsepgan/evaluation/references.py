"""The true signals of a track: its sources, and the residual where there is one.

A residual that is exactly zero (every source of the song is named) is not scored. Mixtures
of this package have no residual then. For other mixtures it is computed: the mixture minus the
sources, taken as zero when it is not above the rounding of 16-bit files.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from tfsepgan.errors import DataError, ShapeError
from tfsepgan.evaluation.records import RESIDUAL
from tfsepgan.metrics.validation import check_audio

if TYPE_CHECKING:
    from tfsepgan.data.references.fixed_mixtures import Mixture

# relative to the mixture's peak, for each signal: half a step of 16 bits when the peak is -12 dB
ROUNDING = 2.0**-14


def any_residual(mixtures: "Sequence[Mixture]", sources: Sequence[str]) -> bool:
    """Whether some mixture holds more than the sources, so that a residual is scored.

    Mixtures that cannot be scored do not count. True when none can be scored.
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
      mixture: one of the mixtures of `evaluate`.
      names: the sources, and the residual where it is scored.
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
    own, shape = mixture.sources, audio.shape
    references = {name: shaped(f"source {name}", own[name], shape) for name in sources}
    if RESIDUAL in names:
        references[RESIDUAL] = _residual(mixture, audio, references)
    if not any(reference.any() for reference in references.values()):
        raise DataError(
            f"source {names[0]} is silent (all zeros), and so is every other, so no ratio to them"
            " is defined; leave the track out or use an excerpt where they sound"
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
    """Whether a mixture holds more than the sources; None when it cannot be scored."""
    try:
        return bool(references_of(mixture, (*sources, RESIDUAL))[RESIDUAL].any())
    except Exception:  # scoring this mixture raises it again and reports it
        return None


def _residual(mixture: "Mixture", audio: np.ndarray, sources: dict[str, np.ndarray]) -> np.ndarray:
    """The residual of the mixture, else the mixture minus the sources if that exceeds rounding."""
    if RESIDUAL in mixture.sources:
        return shaped(f"source {RESIDUAL}", mixture.sources[RESIDUAL], audio.shape)
    residual = audio - sum(sources.values())
    rounding = ROUNDING * (len(sources) + 1) * np.abs(audio).max()
    return residual if np.abs(residual).max() > rounding else np.zeros_like(residual)
