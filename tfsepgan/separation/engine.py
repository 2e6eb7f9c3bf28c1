"""Long signals through a finite network: block + true context + discard, equal to one pass.

A convolutional generator has a finite receptive field, so an output sample needs only `context`
samples of the mixture on either side. Each block is given that much of the true neighbourhood and
what its artificial edges touched is thrown away. At the true ends of the signal nothing is added:
there the network sees its own zero edges, as it would in one pass. Blocks start on multiples of
`hop`, because the network commutes with those shifts only.
"""

from collections.abc import Callable

import numpy as np

from tfsepgan.errors import CheckpointError, ShapeError

# at most half of the work is context, and a third of a percent at 25 s blocks
MIN_CONTEXTS_PER_BLOCK = 4
# stereo goes in one batch; more channels in turns, so that memory does not grow with them
CHANNELS_PER_PASS = 2

Network = Callable[[np.ndarray], np.ndarray]
"""Maps `[batch, time, 1]` to `[batch, sources, time, 1]`, float32, any time of at least one sample."""


def network_function(generator) -> Network:
    """A generator as a plain function of arrays, traced once for every length and batch.

    Args:
      generator: Functional `keras.Model`, `[batch, time, 1]` to `[batch, sources, time, 1]`; or a
        system that searches, or a model in another runtime, whose `separate` is such a function.
    Returns: the same function on NumPy arrays, in inference mode.
    """
    if hasattr(generator, "separate"):
        return generator.separate
    import tensorflow as tf

    @tf.function(input_signature=[tf.TensorSpec([None, None, 1], tf.float32)])
    def graph(mixture):
        return generator(mixture, training=False)

    return lambda mixture: graph(tf.constant(mixture)).numpy()


def block_samples(seconds: float, *, sample_rate_hz: int, hop: int, context: int) -> int:
    """Length of a block: at least the seconds asked for and four contexts, and a multiple of `hop`.

    Args:
      seconds: length asked for, above zero.
      sample_rate_hz: rate of the model.
      hop, context: of the generator, samples.
    Returns: samples.
    """
    wanted = max(round(seconds * sample_rate_hz), MIN_CONTEXTS_PER_BLOCK * context, 1)
    return _round_up(wanted, hop)


class BlockSeparator:
    """Takes a mixture piece by piece and gives back estimates block by block, equal to one pass.

    Push pieces of any length with `push`, then call `finish` once; the blocks that come back follow
    each other without a gap and are together exactly as long as the mixture. It holds at most one
    block and three contexts.
    """

    def __init__(
        self, network: Network, *, channels: int, sources: int, hop: int, context: int, block: int
    ):
        """
        Args:
          network: see `Network`; one pass of it over the whole signal is what the blocks equal.
          channels: of the mixture; each goes through the mono network on its own.
          sources: how many estimates the network gives.
          hop: the network commutes with shifts by multiples of this many samples.
          context: samples on either side that an output sample depends on.
          block: samples of new output a pass gives, a multiple of `hop`.
        """
        if block < 1 or block % hop:
            raise ShapeError(
                f"got blocks of {block} samples; the generator needs a multiple of its hop, {hop}"
            )
        self._network = network
        self._channels, self._sources = channels, sources
        self._context, self._block = _round_up(context, hop), block
        self._pieces: list[np.ndarray] = []
        self._held = 0  # samples in `_pieces`
        self._lead = 0  # how many of them, at the front, are context of samples already given back

    def push(self, samples: np.ndarray) -> list[np.ndarray]:
        """Take the next piece of the mixture.

        Args:
          samples: `[time, channels]` float32, any length.
        Returns: the blocks that became ready, each `[sources, time, channels]`; often none.
        """
        if samples.ndim != 2 or samples.shape[1] != self._channels:
            raise ShapeError(
                f"got a piece of shape {samples.shape}; wanted [time, {self._channels}]"
            )
        if len(samples):
            self._pieces.append(samples)
            self._held += len(samples)
        ready = []
        while self._held >= self._lead + self._block + self._context:
            ready.append(self._interior_block())
        return ready

    def finish(self) -> list[np.ndarray]:
        """Say that the mixture has ended.

        Returns: the last block, `[sources, time, channels]`, in a list; an empty list if nothing is
          left.
        """
        if self._held <= self._lead:
            return []
        last = self._estimate(self._joined())[:, self._lead :]
        self._pieces, self._held, self._lead = [], 0, 0
        return [last]

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
        """`[time, channels]` to `[sources, time, channels]` in one pass of the network per pair of
        channels."""
        estimate = np.empty((self._sources, *chunk.shape), np.float32)
        for first in range(0, self._channels, CHANNELS_PER_PASS):
            some = slice(first, first + CHANNELS_PER_PASS)
            batch = np.ascontiguousarray(chunk[:, some].T)[..., None]
            given = self._network(batch)
            wanted = (len(batch), self._sources, len(chunk), 1)
            if given.shape != wanted:
                raise CheckpointError(
                    f"the generator gave {given.shape} for {batch.shape}; wanted {wanted}"
                )
            if not np.isfinite(given).all():
                raise CheckpointError(
                    "the generator gave values that are not finite for a mixture that is; its"
                    " weights are broken: use an earlier checkpoint"
                )
            estimate[:, :, some] = given[..., 0].transpose(1, 2, 0)
        return estimate


def _round_up(samples: int, multiple: int) -> int:
    return -(-samples // multiple) * multiple
