"""Recordings of noise, written by the tests that need them."""

from pathlib import Path

import numpy as np
import soundfile

RATE_HZ = 8000


def write_noise(
    path: Path,
    seconds: float,
    *,
    seed: int = 0,
    rate_hz: int = RATE_HZ,
    channels: int = 1,
    level: float = 0.1,
    **kinds,
) -> np.ndarray:
    path.parent.mkdir(parents=True, exist_ok=True)
    samples = np.random.default_rng(seed).normal(
        scale=level, size=(round(seconds * rate_hz), channels)
    )
    samples = np.clip(samples, -0.99, 0.99)
    soundfile.write(path, samples, rate_hz, **kinds)
    return samples


def lag(heard: np.ndarray, written: np.ndarray) -> int:
    """By how many samples one signal is later than another, from their cross-correlation."""
    size = 1 << int(np.ceil(np.log2(len(heard) + len(written))))
    product = np.fft.rfft(heard, size) * np.conj(np.fft.rfft(written, size))
    found = int(np.argmax(np.fft.irfft(product, size)))
    return found - size if found > size // 2 else found
