"""A recording piece by piece through a model that takes blocks of one length.

The model returns the stems of the samples that were its input `delay` samples earlier. This class
collects pieces of any length to blocks and removes the delay; its subclasses run the model.
"""

from collections.abc import Sequence

import numpy as np

from tfsepgan.errors import ShapeError, TfsepganError


class BlockwiseSeparator:
    """Pieces of a mixture in, its stems out as soon as they are ready.

    The returned stems together have the length of the mixture, equal one pass of the network over
    all of it, and sum to it. A subclass has `_step`, and calls `reset` once it is made.

    Args:
      stems: names of the sources, and "residual".
      channels: of the mixture; each is separated on its own.
      sample_rate_hz: of the model.
      block_samples: samples of a block.
      delay: samples by which the stems that a call returns are later than its block.
    """

    def __init__(
        self,
        stems: Sequence[str],
        *,
        channels: int,
        sample_rate_hz: int,
        block_samples: int,
        delay: int,
    ):
        self.stems, self.channels = tuple(stems), channels
        self.sample_rate_hz, self.block_samples, self._delay = sample_rate_hz, block_samples, delay

    @property
    def latency_samples(self) -> int:
        """The longest time from a sample to its stems: the network's look-ahead, and a block."""
        return self._delay + self.block_samples

    @property
    def latency_ms(self) -> float:
        """The same in milliseconds, without the time for computation."""
        return 1000 * self.latency_samples / self.sample_rate_hz

    def reset(self) -> None:
        """Start a new recording."""
        self._pending = np.zeros((0, self.channels), np.float32)
        # numbers of samples: pushed, computed by the model, returned
        self._received = self._computed = self._returned = 0
        self._finished, self._flat = False, self.channels == 1

    def push(self, samples: np.ndarray) -> dict[str, np.ndarray]:
        """Add the next piece of the mixture.

        Args:
          samples: `[time, channels]`, or `[time]` for one channel; floating point in [-1, 1] at
            `sample_rate_hz`, of any length.
        Returns: the sources and "residual" by name, `[ready]` or `[ready, channels]` float32; often
          without samples.
        Raises: ShapeError for another shape or type, or values that are not finite; TfsepganError
          after `finish`.
        """
        samples = self._checked(samples)
        pending = np.concatenate([self._pending, samples])
        whole = len(pending) - len(pending) % self.block_samples
        blocks = [
            self._step(pending[first : first + self.block_samples])
            for first in range(0, whole, self.block_samples)
        ]
        self._pending = pending[whole:].copy()
        self._received += len(samples)
        return self._ready(blocks)

    def finish(self) -> dict[str, np.ndarray]:
        """End the mixture.

        Returns: its last stems, as `push` does.
        Raises: TfsepganError when it was ended before.
        """
        self._check_open()
        blocks = [self._step(self._pending)] if len(self._pending) else []
        while self._computed + len(blocks) * self.block_samples < self._received + self._delay:
            blocks.append(self._step(self._pending[:0]))
        self._pending, self._finished = self._pending[:0], True
        return self._ready(blocks)

    def _step(self, samples: np.ndarray) -> dict[str, np.ndarray]:
        """Run the model on `[block_samples, channels]`; a shorter block ends the signal.

        Returns: every stem by name, `[block_samples, channels]`.
        """
        raise NotImplementedError

    def _check_open(self) -> None:
        if self._finished:
            raise TfsepganError("this stream has ended; call reset() before the next one.")

    def _checked(self, samples: np.ndarray) -> np.ndarray:
        """Samples as `[time, channels]` float32."""
        self._check_open()
        samples = np.asarray(samples)
        self._flat = samples.ndim == 1
        columns = samples[:, None] if self._flat else samples
        if (
            columns.ndim != 2
            or columns.shape[1] != self.channels
            or not np.issubdtype(samples.dtype, np.floating)
        ):
            raise ShapeError(
                f"got samples of shape {samples.shape}, {samples.dtype}; wanted floating point"
                f" [time, {self.channels}]{' or [time]' if self.channels == 1 else ''}."
            )
        if not np.isfinite(columns).all():
            raise ShapeError(
                "got samples that are not finite; they would spoil the state of the stream. Wanted"
                " finite ones."
            )
        return columns.astype(np.float32)

    def _ready(self, blocks: list[dict[str, np.ndarray]]) -> dict[str, np.ndarray]:
        """The samples of some blocks, without the delay at the start and the surplus at the end."""
        count = len(blocks) * self.block_samples
        first = min(max(self._delay - self._computed, 0), count)
        self._computed += count
        last = first + min(count - first, self._received - self._returned)
        self._returned += last - first
        empty = np.zeros((0, self.channels), np.float32)
        joined = {
            name: np.concatenate([empty, *(block[name] for block in blocks)])[first:last]
            for name in self.stems
        }
        return {name: one[:, 0] for name, one in joined.items()} if self._flat else joined
