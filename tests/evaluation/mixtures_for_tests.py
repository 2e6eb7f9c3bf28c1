"""Small seeded mixtures, and a separator that needs no model."""

from dataclasses import dataclass

import numpy as np

RATE = 8000


@dataclass(frozen=True, kw_only=True)
class Mixture:
    name: str
    mixture: np.ndarray
    sources: dict
    sample_rate_hz: int = RATE


def tones(seed: int, *, seconds: float = 2.0, channels: int = 1) -> np.ndarray:
    """Decaying harmonic notes, `[time, channels]`; a ratio mask can separate two such signals."""
    random = np.random.default_rng(seed)
    time = np.arange(int(seconds * RATE)) / RATE
    audio = np.zeros((len(time), channels))
    for start in np.arange(0.0, seconds, 0.25):
        pitch_hz, decay = random.uniform(100, 900), random.uniform(2, 8)
        note = np.where(time >= start, np.exp(-decay * np.maximum(time - start, 0)), 0.0)
        wave = sum(np.sin(2 * np.pi * pitch_hz * k * time) / k for k in (1, 2, 3))
        audio += (note * wave)[:, None] * random.uniform(0.3, 1.0, channels)
    return (0.2 * audio).astype(np.float32)


def mixture_of(name: str, *, seed: int = 0, channels: int = 1, seconds: float = 2.0) -> Mixture:
    piano = tones(2 * seed, channels=channels, seconds=seconds)
    residual = tones(2 * seed + 1, channels=channels, seconds=seconds)
    return Mixture(
        name=name, mixture=piano + residual, sources={"piano": piano, "residual": residual}
    )


class HalfWay:
    """Returns the mean of mixture and true source as the estimate: 6 dB better in SNR."""

    def __init__(self, mixtures):
        self.truth = {mixture.mixture.tobytes(): mixture.sources["piano"] for mixture in mixtures}

    def __call__(self, audio, sample_rate_hz):
        piano = (audio + self.truth[audio.tobytes()]) / 2
        return {"piano": piano, "residual": audio - piano}
