"""The filterbank masker in NumPy on a stream: block by block, equal to one pass over the signal.

Each place in the network that looks at other frames keeps those before, and waits for those after.
At the start of the signal and after its end there are zeros, as in one pass.
"""

from typing import Any

import numpy as np

from tfsepgan.errors import ShapeError
from tfsepgan.models.folders import Manifest
from tfsepgan.ondevice.blocks import BlockwiseSeparator
from tfsepgan.separation.numpy_masker import NumpyMasker
from tfsepgan.separation.stream import RESIDUAL


class NumpyStream(BlockwiseSeparator):
    """A `NumpyMasker` that processes a mixture as it arrives.

    Args:
      masker, manifest: the network and the description of its model.
      channels: of the mixture; each is separated on its own.
      hops: of a block.
    Raises: ShapeError for `channels` or `hops` below one.
    """

    def __init__(
        self, masker: NumpyMasker, manifest: Manifest, *, channels: int = 1, hops: int = 1
    ):
        if channels < 1 or hops < 1:
            raise ShapeError(f"got channels={channels} and hops={hops}; wanted at least 1 of each.")
        super().__init__(
            (*manifest.sources, RESIDUAL),
            channels=channels,
            sample_rate_hz=manifest.sample_rate_hz,
            block_samples=hops * masker.hop,
            delay=masker.synthesis_frame + (masker.look_ahead - 1) * masker.hop,
        )
        self._masker = masker
        self.reset()

    def reset(self) -> None:
        """Start a new recording."""
        super().reset()
        self._channels = [_Channel(self._masker) for _ in range(self.channels)]
        shape = (self._masker.sources, self._delay, self.channels)
        self._estimates = np.zeros(shape, np.float32)
        self._mixture = np.zeros(shape[1:], np.float32)

    def _step(self, samples: np.ndarray) -> dict[str, np.ndarray]:
        hops = -(-len(samples) // self._masker.hop)
        padded = np.zeros((hops * self._masker.hop, self.channels), np.float32)
        padded[: len(samples)] = samples
        last = len(samples) < self.block_samples
        each = [one.push(padded[:, c], last=last) for c, one in enumerate(self._channels)]
        estimates = np.concatenate([self._estimates, np.stack(each, axis=-1)], axis=1)
        block = np.zeros((self.block_samples, self.channels), np.float32)
        block[: len(samples)] = samples
        mixture = np.concatenate([self._mixture, block])
        count = self.block_samples
        self._estimates, self._mixture = estimates[:, count:], mixture[count:]
        # After the end there may be fewer than a block: samples that nobody gets.
        ready = np.zeros((self._masker.sources, count, self.channels), np.float32)
        ready[:, : estimates.shape[1]] = estimates[:, :count]
        residual = mixture[:count] - ready.sum(axis=0)
        return dict(zip(self.stems, (*ready, residual), strict=True))


class _Channel:
    """The state of one channel."""

    def __init__(self, masker: NumpyMasker):
        self._masker = masker
        self._edges = _StreamEdges()
        self._past = np.zeros(masker.frame - masker.hop, np.float32)
        # A whole signal begins with complete hops: those of frames that started before it.
        self._unwanted = masker.synthesis_frame - masker.hop
        self._sums = [np.zeros(self._unwanted, np.float32) for _ in range(masker.sources)]
        self._ended = False

    def push(self, samples: np.ndarray, *, last: bool) -> np.ndarray:
        """Add whole hops; after the last, the frames that were waited for are zeros.

        Args:
          samples: `[time]`.
        Returns: `[sources, ready]`.
        """
        masker = self._masker
        nothing = np.zeros((masker.sources, 0), np.float32)
        if self._ended:
            return nothing
        if last:
            after = np.zeros(masker.synthesis_frame - masker.hop, np.float32)
            samples = np.concatenate([samples, after])
        self._ended = self._edges.last = last
        extended = np.concatenate([self._past, samples])
        self._past = extended[len(samples) :]
        spectrum = masker.analysis(extended)
        masks = masker.masks(spectrum, self._edges)
        spectrum = self._edges.delayed("spectrum", spectrum, masker.look_ahead)
        estimates = [
            masker.synthesis(spectrum, masker.of_source(masks, source), sums)
            for source, sums in enumerate(self._sums)
        ]
        skipped = min(self._unwanted, len(estimates[0]))
        self._unwanted -= skipped
        return np.stack(estimates)[:, skipped:]


class _StreamEdges:
    """The edges of a piece of a stream: what was kept of the pieces before."""

    def __init__(self) -> None:
        self.last = False  # no piece follows
        self._kept: dict[Any, np.ndarray] = {}

    def around(self, place: Any, frames: np.ndarray, before: int, after: int) -> np.ndarray:
        """Return frames with their context: those whose context is complete by now."""
        if not before and not after:
            return frames
        rest = frames.shape[1:]
        kept = self._kept.get(place)
        if kept is None:
            kept = np.zeros((before, *rest), frames.dtype)
        end = np.zeros((after if self.last else 0, *rest), frames.dtype)
        joined = np.concatenate([kept, frames, end])
        count = max(len(joined) - before - after, 0)
        self._kept[place] = joined[count:]
        return joined if count else np.zeros((before + after, *rest), frames.dtype)

    def delayed(self, place: Any, frames: np.ndarray, by: int) -> np.ndarray:
        """Return the frames that were added `by` frames earlier."""
        if not by:
            return frames
        joined = self.around(place, frames, 0, by)
        return joined[: len(joined) - by]
