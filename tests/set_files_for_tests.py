"""Files of the small data sets: noise, and stem files of five streams."""

from pathlib import Path

import av
import numpy as np
import soundfile

RATE_HZ = 8000
SECONDS = 1.5


def noise(seed: int, seconds: float = SECONDS, channels: int = 1) -> np.ndarray:
    samples = np.random.default_rng(seed).normal(
        scale=0.1, size=(round(seconds * RATE_HZ), channels)
    )
    return np.clip(samples, -0.99, 0.99)


def write(path: Path, seed: int, seconds: float = SECONDS, channels: int = 1) -> np.ndarray:
    path.parent.mkdir(parents=True, exist_ok=True)
    samples = noise(seed, seconds, channels)
    soundfile.write(path, samples, RATE_HZ)
    return samples


def write_stem_file(
    path: Path, seed: int, streams: int = 5, seconds: float = SECONDS
) -> list[np.ndarray]:
    """A stem.mp4 with AAC streams: mixture, drums, bass, other, vocals."""
    path.parent.mkdir(parents=True, exist_ok=True)
    rate_hz = 44100
    rng = np.random.default_rng(seed)
    tones = [
        0.1
        * np.sin(2 * np.pi * rng.uniform(100, 4000) * np.arange(round(seconds * rate_hz)) / rate_hz)
        for _ in range(streams - 1)
    ]
    signals = [np.sum(tones, axis=0), *tones]
    with av.open(str(path), "w", format="mp4") as container:
        outputs = [container.add_stream("aac", rate=rate_hz, layout="stereo") for _ in signals]
        for output, signal in zip(outputs, signals, strict=True):
            samples = np.repeat(signal[None].astype(np.float32), 2, axis=0)
            for start in range(0, samples.shape[1], 1024):
                frame = av.AudioFrame.from_ndarray(
                    np.ascontiguousarray(samples[:, start : start + 1024]), "fltp", "stereo"
                )
                frame.sample_rate, frame.pts = rate_hz, start
                container.mux(output.encode(frame))
            container.mux(output.encode(None))
    return signals
