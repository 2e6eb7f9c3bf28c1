"""A constant offset of a recording is kept from the network, so that it stays in the residual.

Converters add a constant to every sample. A network without such recordings in its training data
gives part of the constant to a source, and estimates less of the sound. The offset of each channel
is measured once, at the start of the sound, so pieces and whole recordings give the same stems.
"""

import numpy as np

MEASURED_SECONDS = 2.0  # the weighted mean over them holds less than 0.1 % of a tone of 20 Hz
LEAST_SECONDS = 1.0  # the mean of a shorter recording may be sound
LEAST_SHARE = 0.05  # of the level: music without an offset has less than 0.03, white noise 0.02


class OffsetRemover:
    """Subtracts the offset from the pieces of a mixture, `[time, channels]` float32.

    Samples are held until MEASURED_SECONDS of sound are there; silence before the sound is passed
    on as it is, and so is all of a mixture without an offset.
    """

    def __init__(self, channels: int, sample_rate_hz: float):
        self._wanted = round(MEASURED_SECONDS * sample_rate_hz)
        self._least = round(LEAST_SECONDS * sample_rate_hz)
        self._held = np.zeros((0, channels), np.float32)
        self._offset: np.ndarray | None = None

    def push(self, samples: np.ndarray) -> np.ndarray:
        """Add a piece; returns what is ready, in order."""
        if self._offset is not None:
            return self._less_offset(samples)
        silent = 0
        if not len(self._held):
            sound = samples.any(axis=1)
            silent = int(np.argmax(sound)) if sound.any() else len(samples)
        self._held = np.concatenate([self._held, samples[silent:]])
        ready = samples[:silent]
        if len(self._held) < self._wanted:
            return ready
        return np.concatenate([ready, self._measure()])

    def finish(self) -> np.ndarray:
        """End the mixture; returns the samples that are still held."""
        return self._measure() if self._offset is None else self._held

    def _measure(self) -> np.ndarray:
        held, self._held = self._held, self._held[:0]
        self._offset = np.zeros(held.shape[1], np.float32)
        if len(held) >= self._least:
            self._offset = offset_of(held[: self._wanted])
        return self._less_offset(held)

    def _less_offset(self, samples: np.ndarray) -> np.ndarray:
        return samples - self._offset if self._offset.any() else samples


def offset_of(samples: np.ndarray) -> np.ndarray:
    """The offset of each channel: its mean under a Hann window, or 0 below LEAST_SHARE of its RMS.

    Args:
      samples: `[time, channels]`, at least one sample.
    Returns: float32 `[channels]`.
    """
    weights = np.hanning(len(samples) + 2)[1:-1]
    weights /= weights.sum()
    mean, power = weights @ samples, weights @ np.square(samples, dtype=np.float64)
    return np.where(np.abs(mean) > LEAST_SHARE * np.sqrt(power), mean, 0).astype(np.float32)
