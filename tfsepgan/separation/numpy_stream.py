"""The filterbank masker in NumPy on a stream: block by block, equal to one pass over the signal.

Each place in the network that looks at other frames keeps those before, and waits for those after.
At the start of the signal and after its end there are zeros, as in one pass.
"""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np

from tfsepgan.errors import ShapeError
from tfsepgan.models.folders import Manifest
from tfsepgan.ondevice.blocks import BlockwiseSeparator
from tfsepgan.separation.blas import shared_by
from tfsepgan.separation.engine import CHANNELS_PER_PASS, BlockSeparator, check_finite
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
        masker = self._masker
        self._edges = _StreamEdges()
        self._past = np.zeros((self.channels, masker.frame - masker.hop), np.float32)
        # The first frames complete hops before the start, which nobody gets.
        self._before_start = masker.synthesis_frame - masker.hop
        shape = (masker.sources, self.channels, self._before_start)
        self._sums = np.zeros(shape, np.float32)  # of the frames so far, where more will overlap
        self._estimates = np.zeros((masker.sources, self._delay, self.channels), np.float32)
        self._mixture = np.zeros((self._delay, self.channels), np.float32)

    def _step(self, samples: np.ndarray) -> dict[str, np.ndarray]:
        block = np.zeros((self.block_samples, self.channels), np.float32)
        block[: len(samples)] = samples
        mixture = np.concatenate([self._mixture, block])
        estimates = self._estimates
        if not self._edges.last:
            estimates = np.concatenate([estimates, self._separated(samples)], axis=1)
        count = self.block_samples
        self._estimates, self._mixture = _detached(estimates[:, count:]), _detached(mixture[count:])
        # After the end there may be fewer than a block: samples that nobody gets.
        ready = np.zeros((self._masker.sources, count, self.channels), np.float32)
        ready[:, : estimates.shape[1]] = estimates[:, :count]
        residual = mixture[:count] - ready.sum(axis=0)
        return dict(zip(self.stems, (*ready, residual), strict=True))

    def _separated(self, samples: np.ndarray) -> np.ndarray:
        """The estimates that `[time, channels]` completes, `[sources, ready, channels]`."""
        masker, channels = self._masker, self.channels
        tail = -len(samples) % masker.hop
        if len(samples) < self.block_samples:  # the frames that are waited for are silent
            self._edges.last = True
            tail += masker.synthesis_frame - masker.hop
        time = len(samples) + tail
        extended = np.zeros((channels, self._past.shape[1] + time), np.float32)
        extended[:, :-time] = self._past
        extended[:, self._past.shape[1] : extended.shape[1] - tail] = samples.T
        self._past = _detached(extended[:, time:])
        spectra = np.stack([masker.analysis(one) for one in extended], axis=1)
        spectrum = spectra.reshape(-1, spectra.shape[-1])  # the channels take turns
        masks = masker.masks(spectrum, self._edges, channels=channels)
        spectrum = self._edges.delayed("spectrum", spectrum, masker.look_ahead * channels)
        estimates = np.stack(
            [
                [
                    masker.synthesis(spectrum[channel::channels], mask[channel::channels], sums)
                    for channel, sums in enumerate(self._sums[source])
                ]
                for source in range(masker.sources)
                for mask in [masker.of_source(masks, source)]
            ]
        )
        skipped = min(self._before_start, estimates.shape[-1])
        self._before_start -= skipped
        return estimates[:, :, skipped:].transpose(0, 2, 1)


class NumpyBlocks(BlockSeparator):
    """A `BlockSeparator` that computes each frame once; its blocks need no context around them.

    A mixture that is shorter than a block takes one pass.
    """

    def __init__(self, masker: NumpyMasker, manifest: Manifest, *arguments, **named):
        """
        Args:
          masker, manifest: the network and the description of its model.
          arguments, named: of `BlockSeparator`.
        """
        super().__init__(*arguments, **named)
        self._streams = [
            NumpyStream(masker, manifest, hops=self._block // masker.hop)
            for _ in range(self._channels)
        ]
        self._names, self._is_long = manifest.sources, False
        self._threads = min(self._channels, CHANNELS_PER_PASS)
        # new threads for each block would each keep memory of their own
        self._pool = ThreadPoolExecutor(self._threads, thread_name_prefix="tfsepgan-numpy")

    def finish(self) -> list[np.ndarray]:
        """End the mixture; returns and raises as `BlockSeparator.finish`."""
        if self._is_long:
            ready = self._estimates(self._joined(), last=True)
        else:
            ready = super().finish()
        self._pool.shutdown()
        return ready

    def _whole_blocks(self) -> list[np.ndarray]:
        if self._held < self._block:
            return []
        self._is_long = True
        held = self._joined()
        whole = self._held - self._held % self._block
        self._pieces, self._held = [held[whole:].copy()], self._held - whole
        ready = []
        for first in range(0, whole, self._block):
            ready += self._estimates(held[first : first + self._block])
        return ready

    def _estimates(self, samples: np.ndarray, *, last: bool = False) -> list[np.ndarray]:
        """What the next `[time, channels]` complete; each channel has a thread."""

        def run(channel: int) -> np.ndarray:
            stream = self._streams[channel]
            ready = [stream.push(samples[:, channel])] + ([stream.finish()] if last else [])
            return np.stack([np.concatenate([one[name] for one in ready]) for name in self._names])

        with shared_by(self._threads):
            estimates = np.stack(list(self._pool.map(run, range(self._channels))), axis=-1)
        check_finite(estimates)
        return [estimates] if estimates.shape[1] else []


class _StreamEdges:
    """The context of a piece of a stream: the frames that were kept of earlier pieces."""

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
        self._kept[place] = _detached(joined[count:])
        return joined if count else np.zeros((before + after, *rest), frames.dtype)

    def delayed(self, place: Any, frames: np.ndarray, by: int) -> np.ndarray:
        """Return the frames that were added `by` frames earlier."""
        if not by:
            return frames
        joined = self.around(place, frames, 0, by)
        return joined[: len(joined) - by]


def _detached(part: np.ndarray) -> np.ndarray:
    """The same part of an array; a copy where a view would keep much more than it in memory."""
    whole = part if part.base is None else part.base
    return part.copy() if whole.nbytes > 2 * part.nbytes else part
