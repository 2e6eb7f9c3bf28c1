"""What is known of a recording that lies ready for windows to be drawn from; needs NumPy only."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

ENVELOPE_SECONDS = 0.25  # finer than any window, so that a silent window is known without reading it


@dataclass(frozen=True, kw_only=True)
class Recording:
    """One unpacked recording, or one variant of it, ready for windows to be drawn from."""

    name: str
    """Name of the file in the data folder."""
    variant: int
    """0 for the recording as it is, 1 and on for its variants."""
    path: Path
    """Mono 16-bit PCM WAV at the model's rate, its samples behind a head of HEADER_BYTES."""
    frames: int
    scale: float
    """What a stored integer is worth, a power of two."""
    envelope: np.ndarray
    """Mean square of each hop of ENVELOPE_SECONDS, float32 `[hops]`; the last hop may be short."""


def envelope_hop(sample_rate_hz: int) -> int:
    """Samples in one hop of the envelope."""
    return max(1, round(ENVELOPE_SECONDS * sample_rate_hz))
