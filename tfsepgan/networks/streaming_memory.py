"""What a streaming model knows of the time before a block: the past of its signals, and where the
signal began and ended.

All of it is one vector of numbers, zeros at the start of a signal, that the caller carries from
block to block.
"""

import math

import keras
import numpy as np
from keras import ops

# hops; counters stop here, far beyond any delay and well within what float32 counts exactly
LONG_AGO = 2.0**20


class Memory:
    """Collects, while a network is built, what must be remembered from block to block.

    `before` are inputs of that network and `after` the outputs that replace them for the next
    block.
    """

    def __init__(self):
        self.before: list[keras.KerasTensor] = []
        self.after: list[keras.KerasTensor] = []

    def with_past(self, signal, length: int):
        """A signal behind its own past: `[1, frames, ...]` -> `[1, length + frames, ...]`, zeros
        before the first block."""
        if not length:
            return signal
        past = keras.Input(batch_shape=(1, length, *signal.shape[2:]))
        stretch = ops.concatenate([past, signal], axis=1)
        self.keep(past, stretch[:, signal.shape[1] :])
        return stretch

    def delayed(self, signal, length: int):
        """A signal `length` frames later: `[1, frames, ...]` -> the same."""
        return self.with_past(signal, length)[:, : signal.shape[1]]

    def keep(self, before, after) -> None:
        """Remember `after`, so that it is `before` in the next block."""
        self.before.append(before)
        self.after.append(after)

    @property
    def size(self) -> int:
        """Numbers in the vector."""
        return sum(math.prod(part.shape) for part in self.before)

    def unpack(self, state) -> list[keras.KerasTensor]:
        """The vector `[1, size]` as the inputs that were collected."""
        parts, first = [], 0
        for part in self.before:
            last = first + math.prod(part.shape)
            parts.append(ops.reshape(state[:, first:last], part.shape))
            first = last
        return parts

    def pack(self, parts) -> keras.KerasTensor:
        """The way back: parts to the vector `[1, size]`."""
        return ops.concatenate([ops.reshape(part, (1, -1)) for part in parts], axis=1)


class Clock:
    """Tells which frames of a hidden signal lie between the beginning and the end of the signal
    that streams by.

    Args:
      memory: keeps two numbers for it.
      valid: `[1]` int32, samples of the block that are signal.
      hop: samples; what is hidden goes by it.
      hops: in a block.
    """

    def __init__(self, memory: Memory, valid, *, hop: int, hops: int):
        counters = keras.Input(batch_shape=(1, 2))
        since_start, since_end = counters[:, :1], counters[:, 1:]  # hops
        # hops of this block, begun ones too
        signal = ops.cast(ops.floor_divide(valid + (hop - 1), hop), "float32")
        signal = ops.reshape(signal, (1, 1))
        after = ops.concatenate(
            [since_start + float(hops), since_end + (float(hops) - signal)], axis=1
        )
        memory.keep(counters, ops.minimum(after, LONG_AGO))
        self._since_start, self._since_end = since_start, since_end - signal
        self._valid, self._hop, self._hops = valid, hop, hops

    def signal_only(self, block):
        """A block `[1, time, 1]` with zeros where the signal has ended."""
        position = np.arange(block.shape[1], dtype="int32")[None]
        kept = ops.cast(ops.less(position, ops.expand_dims(self._valid, -1)), "float32")
        return block * ops.expand_dims(kept, -1)

    def inside(self, signal, *, late: int, more: int = 0):
        """Set to zero what lies before the first frame and after the last.

        Args:
          signal: `[1, frames, ...]`, any number of frames a hop.
          late: frames that it is behind the block.
          more: frames that one pass has beyond those of its hops.
        """
        a_hop = float(signal.shape[1] // self._hops)
        position = np.arange(signal.shape[1], dtype="float32")[None]
        begun = ops.greater_equal(a_hop * self._since_start + position, float(late))
        not_over = ops.less(a_hop * self._since_end + position, float(late + more))
        kept = ops.cast(ops.logical_and(begun, not_over), "float32")
        return signal * ops.reshape(kept, (1, -1) + (1,) * (len(signal.shape) - 2))
