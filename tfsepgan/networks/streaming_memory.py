"""The state of a streaming model: past signals, and the positions where a signal starts and ends.

All of it is one vector of numbers for each channel, zeros at the start of a signal. The caller
passes it from block to block.
"""

import math

import keras
import numpy as np
from keras import ops

# hops; counters stop here: above any delay, and small enough that float32 is exact
LONG_AGO = 2.0**20


class Memory:
    """Collects, while a network is built, what must be kept from block to block.

    `before` are inputs of that network; `after` are the outputs that replace them in the next
    block.

    Args:
      channels: of the signal, each with a state of its own.
    """

    def __init__(self, channels: int = 1):
        self.channels = channels
        self.before: list[keras.KerasTensor] = []
        self.after: list[keras.KerasTensor] = []

    def with_past(self, signal, length: int):
        """Put the past before a signal, zeros in the first block.

        `[channels, frames, ...]` -> `[channels, length + frames, ...]`.
        """
        if not length:
            return signal
        past = keras.Input(batch_shape=(self.channels, length, *signal.shape[2:]))
        extended = ops.concatenate([past, signal], axis=1)
        self.keep(past, _frames_of(extended, signal.shape[1], length))
        return extended

    def delayed(self, signal, length: int):
        """Delay a signal by `length` frames: `[channels, frames, ...]` -> the same shape."""
        return _frames_of(self.with_past(signal, length), 0, signal.shape[1])

    def keep(self, before, after) -> None:
        """Register `after` as the value of `before` in the next block."""
        self.before.append(before)
        self.after.append(after)

    @property
    def size(self) -> int:
        """Numbers in the state of a channel."""
        return sum(math.prod(part.shape[1:]) for part in self.before)

    def unpack(self, state) -> list[keras.KerasTensor]:
        """Split the state `[channels, size]` into the inputs that were collected."""
        parts, first = [], 0
        for part in self.before:
            size = math.prod(part.shape[1:])
            parts.append(ops.reshape(_frames_of(state, first, size), part.shape))
            first += size
        return parts

    def pack(self, parts) -> keras.KerasTensor:
        """Concatenate the parts of the state to `[channels, size]`."""
        return ops.concatenate([ops.reshape(part, (self.channels, -1)) for part in parts], axis=1)


class Clock:
    """Marks the frames of a hidden signal between the start and the end of the input.

    Args:
      memory: keeps its two counters.
      valid: `[1]` int32, samples of the block that are signal.
      hop: samples of a hop, the unit of the counters.
      hops: hops in a block.
    """

    def __init__(self, memory: Memory, valid, *, hop: int, hops: int):
        counters = keras.Input(batch_shape=(memory.channels, 2))
        since_start, since_end = counters[:, :1], counters[:, 1:]  # hops
        # hops of this block that contain signal, partial ones included
        signal = ops.cast(ops.floor_divide(valid + (hop - 1), hop), "float32")
        signal = ops.reshape(signal, (1, 1))
        after = [since_start + float(hops), since_end + (float(hops) - signal)]
        memory.keep(counters, ops.minimum(ops.concatenate(after, axis=1), LONG_AGO))
        self._since_start, self._since_end = since_start, since_end - signal
        self._valid, self._hop, self._hops = valid, hop, hops

    def signal_only(self, block):
        """Set a block `[channels, time, 1]` to zero where the signal has ended."""
        # hop by hop: the positions of all samples would be a constant as long as the block
        left = ops.reshape(self._valid, (1, 1, 1)) - self._hop * _counted(self._hops)[:, None]
        kept = ops.cast(ops.less(_counted(self._hop), left), "float32")
        hops = ops.reshape(block, (-1, self._hops, self._hop))
        return ops.reshape(hops * kept, block.shape)

    def inside(self, signal, *, late: int, more: int = 0):
        """Set the frames before the first frame of the signal and after its last frame to zero.

        Args:
          signal: `[channels, frames, ...]`, any number of frames a hop.
          late: delay relative to the block, in frames.
          more: frames that one pass has in addition to those of its hops.
        """
        a_hop = float(signal.shape[1] // self._hops)
        position = np.arange(signal.shape[1], dtype="float32")[None]
        begun = ops.greater_equal(a_hop * self._since_start + position, float(late))
        not_over = ops.less(a_hop * self._since_end + position, float(late + more))
        kept = ops.cast(ops.logical_and(begun, not_over), "float32")
        return signal * ops.reshape(kept, (*kept.shape, *(1 for _ in signal.shape[2:])))


def _frames_of(signal, first: int, count: int):
    """Return `signal[:, first : first + count]` as TFLite's SLICE, which copies whole rows.

    TFLite's STRIDED_SLICE copies number by number.
    """
    shape = (signal.shape[0], count, *signal.shape[2:])
    return ops.slice(signal, (0, first, *(0 for _ in shape[2:])), shape)


def _counted(count: int) -> np.ndarray:
    return np.arange(count, dtype="int32")
