"""Long signals in blocks through a finite network, equal to one pass over the whole signal.

A convolutional generator has a finite receptive field: an output sample depends on at most
`context` samples of the mixture on either side. Each block is separated together with that much of
the surrounding signal, and the output near the artificial edges is discarded. At the true ends of
the signal nothing is added; there the network pads with zeros, as it does in one pass. Blocks start
on multiples of `hop`, because the estimates shift with the mixture in steps of `hop` samples only.
"""

from collections.abc import Callable
from typing import Protocol

import numpy as np

from tfsepgan.errors import CheckpointError, ShapeError

MIN_CONTEXTS_PER_BLOCK = 4  # context on both sides then adds at most half to the work
CHANNELS_PER_PASS = 2  # in one batch; more channels take more passes, not more memory

Network = Callable[[np.ndarray], np.ndarray]
"""Maps `[batch, time, 1]` to `[batch, sources, time, 1]`, float32, for at least one sample."""


class Engine(Protocol):
    """The interface of `BlockSeparator`, and of the filters that refine its estimates."""

    def push(self, samples: np.ndarray) -> list[np.ndarray]:
        """The next `[time, channels]` to blocks of estimates, `[sources, time, channels]`."""

    def finish(self) -> list[np.ndarray]:
        """The last blocks."""


def block_samples(seconds: float, *, sample_rate_hz: int, hop: int, context: int) -> int:
    """The length of a block in samples, a multiple of `hop`.

    Args:
      seconds: the least length, above zero; a block also has at least four contexts.
      sample_rate_hz: of the model.
      hop, context: of the generator, in samples.
    """
    wanted = max(round(seconds * sample_rate_hz), MIN_CONTEXTS_PER_BLOCK * context, 1)
    return _round_up(wanted, hop)


def check_finite(estimates: np.ndarray) -> None:
    """Raises: CheckpointError for estimates of a finite mixture that are not finite."""
    if not np.isfinite(estimates).all():
        raise CheckpointError(
            "the generator returned values that are not finite for a finite mixture; its weights"
            " are broken: use an earlier checkpoint"
        )


class BlockSeparator:
    """Takes pieces of a mixture and returns blocks of estimates that together equal one pass.

    Call `push` with pieces of any length, then `finish` once. The returned blocks follow each other
    without gaps and are together exactly as long as the mixture. At most one block and three
    contexts of the mixture are held in memory.
    """

    def __init__(
        self, network: Network, *, channels: int, sources: int, hop: int, context: int, block: int
    ):
        """
        Args:
          network: see `Network`; the joined blocks equal one pass of it over the whole signal.
          channels: of the mixture; each is separated on its own.
          sources: number of estimates that the network returns.
          hop: the estimates shift with the mixture in steps of this many samples.
          context: samples on either side that an output sample depends on.
          block: new samples of output per pass, a multiple of `hop`.
        """
        if block < 1 or block % hop:
            raise ShapeError(
                f"got blocks of {block} samples; wanted a multiple of its hop, {hop}, at least one"
            )
        self._network = network
        self._channels, self._sources = channels, sources
        self._context, self._block = _round_up(context, hop), block
        self._pieces: list[np.ndarray] = []
        self._held = 0  # samples in `_pieces`
        self._lead = 0  # how many of them, at the front, are context whose estimates are returned

    def push(self, samples: np.ndarray) -> list[np.ndarray]:
        """Add the next piece of the mixture.

        Args:
          samples: `[time, channels]` float32, any length.
        Returns: the blocks of estimates that are ready, each `[sources, time, channels]`; often
          none.
        Raises: ShapeError for another shape; CheckpointError for a network that returns another
          shape or values that are not finite.
        """
        if samples.ndim != 2 or samples.shape[1] != self._channels:
            raise ShapeError(
                f"got a piece of shape {samples.shape}; wanted [time, {self._channels}]"
            )
        if len(samples):
            self._pieces.append(samples)
            self._held += len(samples)
        return self._whole_blocks()

    def finish(self) -> list[np.ndarray]:
        """End the mixture.

        Returns: a list of the last block, `[sources, time, channels]`, or of nothing if none is
          left.
        Raises: CheckpointError as `push` does.
        """
        if self._held <= self._lead:
            return []
        last = self._estimate(self._joined())[:, self._lead :]
        self._pieces, self._held, self._lead = [], 0, 0
        return [last]

    def _whole_blocks(self) -> list[np.ndarray]:
        ready = []
        while self._held >= self._lead + self._block + self._context:
            ready.append(self._interior_block())
        return ready

    def _interior_block(self) -> np.ndarray:
        held = self._joined()
        end = self._lead + self._block
        estimate = self._estimate(held[: end + self._context])[:, self._lead : end]
        kept = held[max(0, end - self._context) :].copy()  # a view would keep the old block alive
        self._lead = min(self._context, end)
        self._pieces, self._held = [kept], len(kept)
        return estimate

    def _joined(self) -> np.ndarray:
        return self._pieces[0] if len(self._pieces) == 1 else np.concatenate(self._pieces)

    def _estimate(self, chunk: np.ndarray) -> np.ndarray:
        """`[time, channels]` to `[sources, time, channels]`, one pass per pair of channels."""
        estimate = np.empty((self._sources, *chunk.shape), np.float32)
        for first in range(0, self._channels, CHANNELS_PER_PASS):
            some = slice(first, first + CHANNELS_PER_PASS)
            batch = np.ascontiguousarray(chunk[:, some].T)[..., None]
            output = self._network(batch)
            wanted = (len(batch), self._sources, len(chunk), 1)
            if output.shape != wanted:
                raise CheckpointError(
                    f"the generator returned {output.shape} for {batch.shape}; wanted {wanted}."
                    " Its manifest does not fit its weights: export the model again"
                )
            check_finite(output)
            estimate[:, :, some] = output[..., 0].transpose(1, 2, 0)
        return estimate


def _round_up(samples: int, multiple: int) -> int:
    return -(-samples // multiple) * multiple
