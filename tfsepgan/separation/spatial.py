"""Refines estimates of stereo recordings by the position of each source between both channels.

The networks process one channel at a time, so they cannot use the position of a source between the
channels. A multichannel Wiener filter uses it. From the estimates, it measures how every source
(and the residual) is distributed over both channels, for each frequency: its spread. Then it
divides each bin of the mixture among the sources by these spreads and by the magnitudes of the
estimates.

Source: Duong, Vincent & Gribonval 2010, "Under-determined reverberant audio source separation using
a full-rank spatial covariance model" (arXiv:0912.0171), equations 3, 4 and 22; with estimates of a
network, Nugraha, Liutkus & Vincent 2016, as in Open-Unmix (Stoeter et al. 2019).
Departs from them:
- The share of a source in a bin follows its magnitude, not its power, so that two equal channels
  give the same stems as one channel alone.
- The spreads are measured over 13 s of music around each 0.7 s of output, not over the recording:
  the context is finite, so streams of any length have bounded memory.
- All frames of a group share their spreads, and groups are counted from the start of the recording,
  so the stems do not depend on the lengths of the pieces.
"""

from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor

import numpy as np

from tfsepgan.dsp import transforms
from tfsepgan.dsp.filterbank import root_hann
from tfsepgan.separation.engine import Engine

FRAME_SECONDS = 0.093  # of the transform: 4096 samples at 44.1 kHz
GROUP = 16  # frames that share their spreads: 0.7 s
REACH = 8  # groups on either side whose frames are measured too
BANDS = 5  # neighbouring bins whose spreads are averaged
DIFFUSE = 0.1  # of every spread is equal in both channels and independent: bounds the filter
SILENCE = np.float32(1e-30)
CHANNELS = 2


class SpatialFilter:
    """An engine for stereo that refines the estimates of another engine.

    Call `push` with pieces of any length, then `finish` once. The returned blocks follow each other
    without gaps and are together exactly as long as the mixture. Holds about 8 s of the mixture.
    """

    def __init__(self, engine: Engine, *, sources: int, sample_rate_hz: int):
        """
        Args:
          engine: separates each of the two channels.
          sources: number of its estimates.
          sample_rate_hz: of the mixture, the model's.
        """
        self._engine = engine
        self._frame = 2 ** round(np.log2(FRAME_SECONDS * sample_rate_hz))
        self._hop = self._frame // 2
        self._window = root_hann(self._frame)
        self._mixture = np.zeros((0, CHANNELS), np.float32)  # its estimates are not ready yet
        # the mixture and its estimates, [signals, channels, time], from the first frame of the next
        # group on; one hop of silence comes before the recording
        self._held = np.zeros((1 + sources, CHANNELS, self._hop), np.float32)
        self._overlap = np.zeros((sources, CHANNELS, self._hop), np.float32)
        self._groups: deque[np.ndarray] = deque()  # spectra that wait for later ones
        self._spreads: deque[np.ndarray] = deque()  # of REACH groups before them at most, and these
        self._silence = self._hop  # samples before the recording that are still to be cut off
        self._left = 0  # samples of the recording that are taken in and not returned
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="tfsepgan-spatial")
        self._work: Future[list[np.ndarray]] | None = None  # refines the last blocks of the engine

    def push(self, samples: np.ndarray) -> list[np.ndarray]:
        """Add the next `[time, 2]` float32 of the mixture.

        A thread refines estimates while the engine makes the next ones.

        Returns: the blocks that are ready, `[sources, time, 2]` each; often none.
        """
        self._mixture = np.concatenate([self._mixture, samples])
        blocks = self._engine.push(samples)
        return self._refine(blocks) if blocks else []

    def finish(self) -> list[np.ndarray]:
        """End the mixture; returns its last blocks."""
        ready = self._refine(self._engine.finish(), last=True)
        ready += self._done()
        self._pool.shutdown()
        return ready

    def _done(self) -> list[np.ndarray]:
        """What the thread has refined, when it is ready."""
        ready = self._work.result() if self._work else []
        self._work = None
        return ready

    def _refine(self, blocks: list[np.ndarray], *, last: bool = False) -> list[np.ndarray]:
        """Give blocks to the thread; returns the refined blocks that it was given before."""
        done = self._done()
        pieces = []
        for block in blocks:
            mixture, self._mixture = np.split(self._mixture, [block.shape[1]])
            self._left += len(mixture)
            pieces.append((mixture, block))
        self._work = self._pool.submit(self._refined, pieces, last=last)
        return done

    def _refined(
        self, pieces: list[tuple[np.ndarray, np.ndarray]], *, last: bool
    ) -> list[np.ndarray]:
        """Take in pieces of the mixture with their estimates; returns the blocks that are ready.

        Runs in the thread.
        """
        groups, step = [], GROUP * self._hop
        for mixture, block in pieces:
            for start in range(0, len(mixture), step):
                some = slice(start, start + step)
                signals = np.concatenate([mixture[None, some], block[:, some]])
                groups += self._take_in(signals.transpose(0, 2, 1))
        if last:
            silence = np.zeros((len(self._held), CHANNELS, step + self._hop), np.float32)
            groups += self._take_in(silence)
            groups += [self._oldest() for _ in range(len(self._groups))]
        return [block for block in map(self._of_recording, groups) if block.size]

    def _of_recording(self, group: np.ndarray) -> np.ndarray:
        """Cut off the silence before and after the recording: `[sources, time, channels]`."""
        block = group[..., self._silence :][..., : self._left]
        self._silence = 0
        self._left -= block.shape[-1]
        return block.transpose(0, 2, 1)

    def _take_in(self, signals: np.ndarray) -> list[np.ndarray]:
        """Add `[signals, channels, time]`; returns the refined groups that are ready."""
        self._held = np.concatenate([self._held, signals], axis=-1)
        step, ready = GROUP * self._hop, []
        while self._held.shape[-1] >= step + self._hop:
            parts = self._analysis(self._held[..., : step + self._hop])
            self._held = self._held[..., step:]
            self._groups.append(parts)
            self._spreads.append(spreads_of(parts))
            if len(self._groups) > REACH:
                ready.append(self._oldest())
        return ready

    def _analysis(self, signals: np.ndarray) -> np.ndarray:
        """Transform a group.

        Args:
          signals: the mixture and its estimates, `[1 + sources, channels, time]`.
        Returns: the spectra of the estimates and of the residual, `[sources + 1, channels, frames,
          bins]`, complex64; their sum is that of the mixture.
        """
        frames = np.lib.stride_tricks.sliding_window_view(signals, self._frame, axis=-1)
        parts = np.empty((*signals.shape[:2], GROUP, self._frame // 2 + 1), np.complex64)
        for signal, spectrum in zip(frames[:, :, :: self._hop], parts, strict=True):
            spectrum[...] = transforms.rfft(signal * self._window)
        residual = parts[0] - parts[1:].sum(axis=0)
        return np.concatenate([parts[1:], residual[None]])

    def _oldest(self) -> np.ndarray:
        """Refine the group that waits longest; returns `[sources, channels, time]`."""
        before = len(self._spreads) - len(self._groups)
        near = list(self._spreads)[: before + 1 + REACH]
        if before == REACH:
            self._spreads.popleft()
        spectra = refined(self._groups.popleft(), np.sum(near, axis=0))
        waves = transforms.irfft(spectra, self._frame) * self._window
        return self._overlapped(waves.astype(np.float32, copy=False))

    def _overlapped(self, waves: np.ndarray) -> np.ndarray:
        """Overlap-add of `[sources, channels, frames, time]`: one hop for each frame."""
        hops = waves[..., : self._hop].copy()
        hops[:, :, 0] += self._overlap
        hops[:, :, 1:] += waves[:, :, :-1, self._hop :]
        self._overlap = waves[:, :, -1, self._hop :].copy()
        return hops.reshape(*hops.shape[:2], -1)


def spreads_of(parts: np.ndarray) -> np.ndarray:
    """Sum the products of the channels over frames.

    Args:
      parts: `[parts, 2, frames, bins]`, complex.
    Returns: `[4, parts, bins]` float32: power left, power right, real and imaginary part of left
      times the conjugate of right.
    """
    left, right = parts[:, 0], parts[:, 1]
    both = (left * right.conj()).sum(axis=1)
    return np.stack([_power(left).sum(axis=1), _power(right).sum(axis=1), both.real, both.imag])


def refined(parts: np.ndarray, spreads: np.ndarray) -> np.ndarray:
    """Divide the mixture among its parts by their magnitudes and spreads.

    Args:
      parts: estimates and residual, `[parts, 2, frames, bins]`, complex64.
      spreads: of these and other frames, as `spreads_of` gives them.
    Returns: the refined estimates, `[parts - 1, 2, frames, bins]`.
    """
    left, right = parts.sum(axis=0)
    shares = np.sqrt(_power(parts)).sum(axis=1) + SILENCE
    shares /= shares.sum(axis=0)
    spreads = _over_bins(spreads)
    spreads = spreads / ((spreads[0] + spreads[1]) / 2 + SILENCE)
    spreads[:2] += DIFFUSE
    # the mixture is the sum of the parts, so its spread is that of their shares: a matrix
    # [[ll, lr], [conj(lr), rr]] for each bin, whose inverse whitens the mixture
    ll, rr, real, imaginary = np.einsum("ptf,cpf->ctf", shares, spreads)
    lr = real + 1j * imaginary
    scale = 1 / (ll * rr - _power(lr))
    white = (rr * left - lr * right) * scale, (ll * right - lr.conj() * left) * scale
    estimates = np.empty_like(parts[:-1])
    for part, share in enumerate(shares[:-1]):
        ll, rr, real, imaginary = spreads[:, part]
        lr = real + 1j * imaginary
        estimates[part, 0] = share * (ll * white[0] + lr * white[1])
        estimates[part, 1] = share * (lr.conj() * white[0] + rr * white[1])
    return estimates


def _power(values: np.ndarray) -> np.ndarray:
    return values.real**2 + values.imag**2


def _over_bins(values: np.ndarray) -> np.ndarray:
    """Add each bin's neighbours to it; the first and the last bin are repeated beyond the ends."""
    side, bins = BANDS // 2, values.shape[-1]
    wide = np.pad(values, [(0, 0)] * (values.ndim - 1) + [(side, side)], mode="edge")
    return sum(wide[..., first : first + bins] for first in range(BANDS))
