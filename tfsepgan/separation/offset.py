"""Subtracts a constant offset of a recording before the network; it stays in the residual.

Some converters add a constant to every sample. A network without such recordings in its training
data assigns part of the constant to a source, and estimates less of the sound. The offset of each
channel is measured in windows at fixed places from the start of the sound, so pieces and whole
recordings give the same stems. The subtracted value changes only if a window has a clearly
different offset. The change takes a second and has no audible frequencies.
"""

import functools

import numpy as np

MEASURED_SECONDS = 2.0  # the weighted mean over them holds less than 0.1 % of a tone of 20 Hz
LEAST_SECONDS = 1.0  # the mean of a shorter recording may be sound
LEAST_SHARE = 0.05  # of the level: music without an offset has less than 0.03, white noise 0.02
_SUMS = 100  # of a step, which is half a window: the mean of 10 ms holds what is of low frequency
_HANN = np.hanning(2 * _SUMS + 1)[:-1] + np.hanning(2 * _SUMS + 1)[1:]
_HANN /= _HANN.sum()


@functools.lru_cache(maxsize=4)  # a rate each
def _rise(step: int) -> np.ndarray:
    """From 0 to 1 in `step` samples, `[step, 1]`."""
    return (0.5 - 0.5 * np.cos(np.pi * np.arange(step) / step))[:, None]


@functools.lru_cache(maxsize=2)  # recordings of a folder often have one length
def _weights(samples: int) -> np.ndarray:
    weights = np.hanning(samples + 2)[1:-1]
    return weights / weights.sum()


def _silent_at_start(samples: np.ndarray) -> int:
    """How many samples are zero in all channels, before the first other one."""
    if samples[:1].any():
        return 0
    sound = samples.ravel() != 0
    return int(np.argmax(sound)) // samples.shape[1] if sound.any() else len(samples)


class OffsetRemover:
    """Subtracts the offset from the pieces of a mixture, `[time, channels]` float32.

    A step of a second is held until the next one is there; silence before the sound is passed on as
    it is, and so is all of a mixture without an offset.
    """

    def __init__(self, channels: int, sample_rate_hz: float):
        self._step = _SUMS * max(1, round(LEAST_SECONDS * sample_rate_hz / _SUMS))
        self._held = np.zeros((0, channels), np.float32)
        self._sums: np.ndarray | None = None
        """Of the first held step, see `_sums_of`."""
        self._offset: np.ndarray | None = None
        self._settling = np.zeros(channels, bool)
        """Where the last window, which may hold two offsets, changed the offset."""
        self._rise = _rise(self._step)

    def push(self, samples: np.ndarray) -> np.ndarray:
        """Add a piece; returns what is ready, in order."""
        silent = 0
        if self._offset is None and not len(self._held):
            silent = _silent_at_start(samples)
        self._held = np.concatenate([self._held, samples[silent:]])
        ready = [samples[:silent]]
        while len(self._held) >= 2 * self._step:
            ready.append(self._first_step())
        return np.concatenate(ready)

    def finish(self) -> np.ndarray:
        """End the mixture; returns the samples that are still held."""
        held, self._held = self._held, self._held[:0]
        if len(held) < self._step:
            return held if self._offset is None else held - self._offset
        weights = _weights(len(held))
        values = held.astype(np.float64)
        # no matrix product: its last bits depend on the threads that it has at the moment
        mean, power = (np.einsum("t,tc->c", weights, one) for one in (values, np.square(values)))
        measured = self._moved(mean, power)
        head, tail = held[: self._step], held[self._step :]
        return np.concatenate([self._less(head, measured), tail - measured])

    def _first_step(self) -> np.ndarray:
        """Measure the window of two steps that are held; returns the first of them."""
        step = self._step
        first = _sums_of(self._held[:step]) if self._sums is None else self._sums
        self._sums = _sums_of(self._held[step : 2 * step])
        mean, power = np.tensordot(_HANN, np.concatenate([first, self._sums]), 1) * _SUMS / step
        ready = self._less(self._held[:step], measured := self._moved(mean, power))
        self._held, self._offset = self._held[step:], measured
        return ready

    def _moved(self, mean: np.ndarray, power: np.ndarray) -> np.ndarray:
        """The offset after a window of this mean and mean square: as before, or the mean."""
        before = np.zeros(len(mean)) if self._offset is None else self._offset.astype(np.float64)
        change = mean - before
        level = np.sqrt(np.maximum(power - 2 * before * mean + before**2, 0))
        differs = np.abs(change) > LEAST_SHARE * level
        taken = differs | self._settling
        self._settling = differs if self._offset is not None else self._settling
        return np.where(taken, mean, before).astype(np.float32)

    def _less(self, samples: np.ndarray, measured: np.ndarray) -> np.ndarray:
        """Samples without the offset, which changes from the last one to this one."""
        before = measured if self._offset is None else self._offset
        if (before == measured).all():
            return samples - measured if measured.any() else samples
        return samples - (before + self._rise * (measured - before)).astype(np.float32)


def _sums_of(samples: np.ndarray) -> np.ndarray:
    """Sums of samples and of their squares over parts of a step: `[parts, 2, channels]`."""
    parts = np.ascontiguousarray(samples.T).reshape(samples.shape[1], _SUMS, -1)
    sums = parts.sum(axis=2), np.einsum("cpt,cpt->cp", parts, parts)
    return np.stack(sums).astype(np.float64).transpose(2, 0, 1)
