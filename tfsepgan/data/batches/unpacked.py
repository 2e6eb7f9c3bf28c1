"""An unpacked recording, from which windows are drawn; this module needs NumPy only."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

# short, so that a window's level is known without reading it
ENVELOPE_SECONDS = 0.25


@dataclass(frozen=True, kw_only=True)
class Recording:
    """One unpacked recording, or one variant of it, from which windows are drawn."""

    name: str
    """Name of the file in the data folder."""
    variant: int
    """0 for the recording itself, 1 and up for its variants."""
    path: Path
    """Mono 16-bit PCM WAV at the model's rate; the samples follow a header of HEADER_BYTES."""
    frames: int
    scale: float
    """The value of one integer step, a power of two."""
    envelope: np.ndarray
    """Mean square of each hop of ENVELOPE_SECONDS, float32 `[hops]`; the last hop may be short."""


def envelope_hop(sample_rate_hz: int) -> int:
    """Samples in one hop of the envelope."""
    return max(1, round(ENVELOPE_SECONDS * sample_rate_hz))
