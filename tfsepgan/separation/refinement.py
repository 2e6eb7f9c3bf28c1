"""Refines estimates by what the network does not use: repetition, and both channels of stereo.

The network sees a few seconds of one channel. `Refinement` takes its estimates of half a minute and
divides the mixture again, bin by bin: by approximations of the estimates with a few spectra
(`dsp/low_rank.py`), and in stereo by the position of each source (`spatial.py`).

The context is finite, so streams of any length have bounded memory. All frames of a group share
their spreads, those of a block their approximations. Groups and blocks are counted from the start
of the recording, so the stems do not depend on the lengths of the pieces.
"""

from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, NamedTuple, get_args

import numpy as np

from tfsepgan.dsp import transforms
from tfsepgan.dsp.filterbank import root_hann
from tfsepgan.dsp.low_rank import LowRank, low_rank_shares, sharpened
from tfsepgan.errors import ConfigError
from tfsepgan.separation.blas import one_thread_each
from tfsepgan.separation.engine import Engine
from tfsepgan.separation.spatial import SILENCE, divided, power, spreads_of

if TYPE_CHECKING:
    from tfsepgan.models.folders import Manifest

FRAME_SECONDS = 0.186  # of the transform: 8192 samples at 44.1 kHz tell low notes apart
OVERLAP = 2  # frames over each sample
GROUP = 8  # frames that share their spreads: 0.7 s
REACH = 8  # groups on either side whose spreads count too: 6 s
BLOCK = 16  # groups that share their approximations: 12 s
NEAR = 4  # groups on either side that are approximated with a block: 3 s
HELPERS = 2  # threads
LEAKAGE = 16  # bins above a network's cutoff in which its windows still leave something

Stereo = Literal["together", "apart"]
"""How two channels are separated: refined by what they share (see `spatial`), or each alone."""
LowRankSwitch = Literal["auto", "on", "off"]
"""Whether estimates are refined by a few spectra (see `dsp.low_rank`); 'auto': by the model."""


@dataclass(frozen=True, kw_only=True)
class Refining:
    """How estimates are refined. Raises: ConfigError for an unknown way."""

    stereo: Stereo = "together"
    low_rank: LowRankSwitch = "auto"

    def __post_init__(self) -> None:
        for name, ways in (("stereo", Stereo), ("low_rank", LowRankSwitch)):
            got, wanted = getattr(self, name), get_args(ways)
            if got not in wanted:
                raise ConfigError(f"got {name}={got!r}; wanted one of {', '.join(wanted)}")

    def around(self, engine: Engine, manifest: "Manifest", *, channels: int) -> Engine:
        """Return an engine that refines the estimates of `engine`, or `engine` itself."""
        together = channels == 2 and self.stereo == "together"
        fitted = None if self.low_rank == "off" else manifest.low_rank
        if self.low_rank == "on":
            fitted = fitted or LowRank()
        if not together and fitted is None:
            return engine
        return Refinement(
            engine,
            sources=len(manifest.sources),
            channels=channels,
            together=together,
            sample_rate_hz=manifest.sample_rate_hz,
            low_rank=fitted,
            cutoff_hz=manifest.network_settings.get("cutoff_hz"),
        )


class Measured(NamedTuple):
    """What is measured in a group for itself and its neighbours."""

    magnitudes: list[np.ndarray]
    """Of the parts, `[parts, frames, bins]`: for each channel, or one sum of both. Never zero."""
    spreads: np.ndarray | None
    """Of the parts, see `spreads_of`; None where channels are apart."""


class Refinement:
    """An engine that refines the estimates of another engine.

    Call `push` with pieces of any length, then `finish` once. The returned blocks follow each other
    without gaps and are together exactly as long as the mixture. Holds the mixture and its
    estimates for about 18 s; without approximations, for 7 s.
    """

    def __init__(
        self,
        engine: Engine,
        *,
        sources: int,
        channels: int,
        together: bool,
        sample_rate_hz: int,
        low_rank: LowRank | None,
        cutoff_hz: float | None = None,
    ):
        """
        Args:
          engine: separates each channel.
          sources: number of its estimates.
          channels: of the mixture.
          together: refine two channels by their spreads; False: each channel alone.
          sample_rate_hz: of the mixture, the model's.
          low_rank: how the parts are approximated; None: they are not.
          cutoff_hz: the estimates have nothing above it; None: they have all frequencies.
        """
        self._engine = engine
        self._frame = 2 ** round(np.log2(FRAME_SECONDS * sample_rate_hz))
        self._hop = self._frame // OVERLAP
        self._ends = self._frame - self._hop  # silence before and after the recording
        # once before the transform and once after it
        self._window = root_hann(self._frame) / np.float32(np.sqrt(OVERLAP / 2))
        self._together = together
        self._sounding = self._frame // 2 + 1  # bins that may be in an estimate
        if cutoff_hz is not None:
            cutoff = int(cutoff_hz * self._frame / sample_rate_hz)
            self._sounding = min(self._sounding, cutoff + LEAKAGE)
        self._low_rank, self._block = low_rank, 1 if low_rank is None else BLOCK
        self._bins = 0
        if low_rank is not None:
            below = round(low_rank.below_hz * self._frame / sample_rate_hz)
            self._bins = min(below, self._sounding)
        self._mixture = np.zeros((0, channels), np.float32)  # its estimates are not ready yet
        # the mixture and its estimates, [signals, channels, time], from the first frame of the next
        # group on
        self._held = np.zeros((1 + sources, channels, self._ends), np.float32)
        self._overlap = np.zeros((sources, channels, OVERLAP - 1, self._hop), np.float32)
        self._groups: deque[np.ndarray] = deque()  # spectra of the mixture that wait
        self._measured: deque[Measured] = deque()  # of REACH groups before them at most, and these
        self._silence = self._ends  # samples before the recording that are still to be cut off
        self._left = 0  # samples of the recording that are taken in and not returned
        # one thread refines the last blocks of the engine; helpers do the groups and parts in it
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="tfsepgan-refinement")
        self._helpers = ThreadPoolExecutor(HELPERS, thread_name_prefix="tfsepgan-refinement-of")
        self._work: Future[list[np.ndarray]] | None = None

    def push(self, samples: np.ndarray) -> list[np.ndarray]:
        """Add the next `[time, channels]` float32 of the mixture.

        A thread refines estimates while the engine makes the next ones.

        Returns: the blocks that are ready, `[sources, time, channels]` each; often none.
        """
        self._mixture = np.concatenate([self._mixture, samples])
        blocks = self._engine.push(samples)
        return self._refine(blocks) if blocks else []

    def finish(self) -> list[np.ndarray]:
        """End the mixture; returns its last blocks."""
        ready = self._refine(self._engine.finish(), last=True)
        ready += self._done()
        self._pool.shutdown()
        self._helpers.shutdown()
        return ready

    def _done(self) -> list[np.ndarray]:
        """What the thread has refined, when it is ready."""
        ready = self._work.result() if self._work else []
        self._work = None
        return ready

    def _refine(self, blocks: list[np.ndarray], *, last: bool = False) -> list[np.ndarray]:
        """Give blocks to the thread; returns what it was given before, refined."""
        done = self._done()
        pieces = []
        for block in blocks:
            mixture, self._mixture = np.split(self._mixture, [block.shape[1]])
            self._left += len(mixture)
            pieces.append(np.concatenate([mixture[None], block]).transpose(0, 2, 1))
        self._work = self._pool.submit(self._refined, pieces, last=last)
        return done

    def _refined(self, pieces: list[np.ndarray], *, last: bool) -> list[np.ndarray]:
        """Take in `[signals, channels, time]` each; returns the blocks that are ready.

        Runs in the thread.
        """
        step, groups = HELPERS * GROUP * self._hop, []
        for piece in pieces:
            for start in range(0, piece.shape[-1], step):
                groups += self._take_in(piece[..., start : start + step])
        if last:
            silent = np.zeros((*self._held.shape[:2], GROUP * self._hop + self._ends), np.float32)
            groups += self._take_in(silent)
            while self._groups:
                groups += self._oldest(min(self._block, len(self._groups)))
        return [block for block in map(self._of_recording, groups) if block.size]

    def _of_recording(self, group: np.ndarray) -> np.ndarray:
        """Cut off the silence before and after the recording: `[sources, time, channels]`."""
        block = group[..., self._silence :][..., : self._left]
        self._silence = 0
        self._left -= block.shape[-1]
        return block.transpose(0, 2, 1)

    def _take_in(self, signals: np.ndarray) -> list[np.ndarray]:
        """Add the mixture and its estimates; returns the refined groups that are ready."""
        self._held = np.concatenate([self._held, signals], axis=-1)
        step, ready = GROUP * self._hop, []
        whole = max(0, self._held.shape[-1] - self._ends) // step * step
        spans = [self._held[..., at : at + step + self._ends] for at in range(0, whole, step)]
        self._held = self._held[..., whole:].copy()
        for mixture, measured in self._helpers.map(self._of_group, spans):
            self._groups.append(mixture)
            self._measured.append(measured)
            if len(self._groups) == self._block + REACH:
                ready += self._oldest(self._block)
        return ready

    def _of_group(self, signals: np.ndarray) -> tuple[np.ndarray, Measured]:
        """The spectrum of the mixture in a group, and what is measured in it."""
        mixture, parts = self._analysis(signals)
        powers = power(parts)
        magnitudes = np.sqrt(powers)
        if self._together:
            sums = magnitudes.sum(axis=1) + SILENCE
            return mixture, Measured([sums], spreads_of(parts, powers))
        return mixture, Measured(list(magnitudes.swapaxes(0, 1) + SILENCE), None)

    def _analysis(self, signals: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Transform a group.

        Args:
          signals: the mixture and its estimates, `[1 + sources, channels, time]`.
        Returns: the spectrum of the mixture, `[channels, frames, bins]`, complex64; those of the
          estimates and of the residual, `[sources + 1, channels, frames, bins]`.
        """
        frames = np.lib.stride_tricks.sliding_window_view(signals, self._frame, axis=-1)
        parts = np.empty((*signals.shape[:2], GROUP, self._sounding), np.complex64)
        for place, signal in enumerate(frames[:, :, :: self._hop]):  # the mixture becomes the last
            parts[place - 1] = transforms.rfft(signal * self._window)[..., : self._sounding]
        mixture = parts[-1].copy()
        for source in parts[:-1]:
            parts[-1] -= source
        return mixture, parts

    def _oldest(self, count: int) -> list[np.ndarray]:
        """Refine the `count` groups that wait longest; returns `[sources, channels, time]` each."""
        before = len(self._measured) - len(self._groups)
        near = list(self._measured)[: before + count + REACH]
        first = max(0, before - NEAR)
        views = _views(near[first : before + count + NEAR])
        # `[channels, parts, frames, bins]` for each group; one channel where they are together
        shares = zip(*(self._shares(view, before - first, count) for view in views), strict=True)
        around = [near[max(0, at - REACH) : at + 1 + REACH] for at in range(before, before + count)]
        mixtures = [self._groups.popleft() for _ in range(count)]
        waves = self._helpers.map(self._divided, mixtures, shares, around)
        refined = list(map(self._overlapped, waves))
        while len(self._measured) - len(self._groups) > REACH:
            self._measured.popleft()
        return refined

    def _divided(
        self, mixture: np.ndarray, share: tuple[np.ndarray, ...], around: list[Measured]
    ) -> np.ndarray:
        """Divide a group's spectrum; returns the frames of the sources, windowed."""
        if self._together:
            spectra = divided(mixture, share[0], np.sum([one.spreads for one in around], axis=0))
        else:
            spectra = np.stack(share, axis=1)[:-1] * mixture
        whole = np.zeros((*spectra.shape[:-1], self._frame // 2 + 1), transforms.COMPLEX)
        whole[..., : self._sounding] = spectra
        waves = transforms.irfft(whole, self._frame) * self._window
        return waves.astype(np.float32, copy=False)

    def _shares(self, near: list[np.ndarray], first: int, count: int) -> list[np.ndarray]:
        """The shares of the parts in `count` groups of those near, by the magnitudes of all."""
        own = slice(first, first + count)
        if self._low_rank is None:
            return [sharpened(one, 1) for one in near[own]]
        with one_thread_each():  # the last bits of a product depend on the number of threads
            return low_rank_shares(
                near, self._low_rank, bins=self._bins, own=own, map_parts=self._helpers.map
            )

    def _overlapped(self, waves: np.ndarray) -> np.ndarray:
        """Overlap-add of `[sources, channels, frames, time]`: one hop for each frame."""
        *lead, frames, _ = waves.shape
        hops = np.zeros((*lead, frames + OVERLAP - 1, self._hop), np.float32)
        hops[:, :, : OVERLAP - 1] = self._overlap
        for part in range(OVERLAP):
            piece = slice(part * self._hop, (part + 1) * self._hop)
            hops[:, :, part : part + frames] += waves[..., piece]
        self._overlap = hops[:, :, frames:].copy()
        return hops[:, :, :frames].reshape(*lead, -1)


def _views(near: list[Measured]) -> list[list[np.ndarray]]:
    """The magnitudes of groups, for each channel or for their sum."""
    return [list(view) for view in zip(*(one.magnitudes for one in near), strict=True)]
