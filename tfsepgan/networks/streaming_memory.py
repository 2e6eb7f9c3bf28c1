"""The state of a streaming model: past signals, and the positions where a signal starts and ends.

All of it is one vector of numbers, zeros at the start of a signal. The caller passes it from block
to block.
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
    """

    def __init__(self):
        self.before: list[keras.KerasTensor] = []
        self.after: list[keras.KerasTensor] = []

    def with_past(self, signal, length: int):
        """Put the past before a signal: `[1, frames, ...]` -> `[1, length + frames, ...]`.

        The past is zero in the first block.
        """
        if not length:
            return signal
        past = keras.Input(batch_shape=(1, length, *signal.shape[2:]))
        extended = ops.concatenate([past, signal], axis=1)
        self.keep(past, extended[:, signal.shape[1] :])
        return extended

    def delayed(self, signal, length: int):
        """Delay a signal by `length` frames: `[1, frames, ...]` -> the same shape."""
        return self.with_past(signal, length)[:, : signal.shape[1]]

    def keep(self, before, after) -> None:
        """Register `after` as the value of `before` in the next block."""
        self.before.append(before)
        self.after.append(after)

    @property
    def size(self) -> int:
        """Numbers in the state vector."""
        return sum(math.prod(part.shape) for part in self.before)

    def unpack(self, state) -> list[keras.KerasTensor]:
        """Split the vector `[1, size]` into the inputs that were collected."""
        parts, first = [], 0
        for part in self.before:
            last = first + math.prod(part.shape)
            parts.append(ops.reshape(state[:, first:last], part.shape))
            first = last
        return parts

    def pack(self, parts) -> keras.KerasTensor:
        """Concatenate the parts of the state to the vector `[1, size]`."""
        return ops.concatenate([ops.reshape(part, (1, -1)) for part in parts], axis=1)


class Clock:
    """Marks the frames of a hidden signal between the start and the end of the input.

    Args:
      memory: keeps its two counters.
      valid: `[1]` int32, samples of the block that are signal.
      hop: samples of a hop, the unit of the counters.
      hops: hops in a block.
    """

    def __init__(self, memory: Memory, valid, *, hop: int, hops: int):
        counters = keras.Input(batch_shape=(1, 2))
        since_start, since_end = counters[:, :1], counters[:, 1:]  # hops
        # hops of this block that contain signal, partial ones included
        signal = ops.cast(ops.floor_divide(valid + (hop - 1), hop), "float32")
        signal = ops.reshape(signal, (1, 1))
        after = [since_start + float(hops), since_end + (float(hops) - signal)]
        memory.keep(counters, ops.minimum(ops.concatenate(after, axis=1), LONG_AGO))
        self._since_start, self._since_end = since_start, since_end - signal
        self._valid, self._hop, self._hops = valid, hop, hops

    def signal_only(self, block):
        """Set a block `[1, time, 1]` to zero where the signal has ended."""
        position = np.arange(block.shape[1], dtype="int32")[None]
        kept = ops.cast(ops.less(position, ops.expand_dims(self._valid, -1)), "float32")
        return block * ops.expand_dims(kept, -1)

    def inside(self, signal, *, late: int, more: int = 0):
        """Set to zero what lies before the first frame and after the last.

        Args:
          signal: `[1, frames, ...]`, any number of frames a hop.
          late: delay relative to the block, in frames.
          more: frames that one pass has in addition to those of its hops.
        """
        a_hop = float(signal.shape[1] // self._hops)
        position = np.arange(signal.shape[1], dtype="float32")[None]
        begun = ops.greater_equal(a_hop * self._since_start + position, float(late))
        not_over = ops.less(a_hop * self._since_end + position, float(late + more))
        kept = ops.cast(ops.logical_and(begun, not_over), "float32")
        return signal * ops.reshape(kept, (1, -1) + (1,) * (len(signal.shape) - 2))
