"""Both channels of stereo together: estimates refined by where each source sounds from.

The networks hear one channel at a time, so they miss what stereo tells: a source keeps its place
between the channels, whatever it plays. A multichannel Wiener filter adds that. From the estimates
it measures, for each frequency, how every source (and the residual) spreads over both channels;
then it divides each bin of the mixture among the sources by these spreads and by the magnitudes of
the estimates.

Source: Duong, Vincent & Gribonval 2010, "Under-determined reverberant audio source separation using
a full-rank spatial covariance model" (arXiv:0912.0171), equations 3, 4 and 22; with estimates of a
network, Nugraha, Liutkus & Vincent 2016, as in Open-Unmix (Stoeter et al. 2019).
Departs from them:
- The share of a source in a bin follows its magnitude, not its power, so that two equal channels
  give what one gives alone.
- The spreads are measured over 13 s of music around each 0.7 s of output, not over the recording:
  the context is finite, so streams of any length have bounded memory.
- All frames of a group share their spreads, and groups are counted from the start of the recording,
  so the stems do not depend on the lengths of the pieces.
"""

from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from tfsepgan.dsp.filterbank import root_hann
from tfsepgan.separation.engine import Engine

FRAME_SECONDS = 0.093  # of the transform: 4096 samples at 44.1 kHz
GROUP = 16  # frames that share their spreads: 0.7 s
REACH = 8  # groups on either side whose frames are measured too
BANDS = 5  # neighbouring bins whose spreads are averaged
DIFFUSE = 0.1  # of every spread is equal in both channels and independent: bounds the filter
SILENCE = np.float32(1e-30)
CHANNELS = 2
THREADS = 2  # groups that are computed at the same time


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

    def push(self, samples: np.ndarray) -> list[np.ndarray]:
        """Add the next `[time, 2]` float32 of the mixture.

        Returns: a list of the next block, `[sources, time, 2]`, or of nothing if none is ready.
        """
        self._mixture = np.concatenate([self._mixture, samples])
        return self._cut(self._take_in(self._engine.push(samples)))

    def finish(self) -> list[np.ndarray]:
        """End the mixture; returns a list of the last block, or of nothing if none is left."""
        ready = self._take_in(self._engine.finish())
        end = np.zeros((len(self._held), CHANNELS, (GROUP + 1) * self._hop), np.float32)
        ready += self._groups_of(end)
        ready += self._refine(len(self._groups))
        return self._cut(ready)

    def _cut(self, groups: list[np.ndarray]) -> list[np.ndarray]:
        """Join groups, without the silence before and after the recording."""
        if not groups:
            return []
        block = np.concatenate(groups, axis=-1)[..., self._silence :][..., : self._left]
        self._silence = 0
        self._left -= block.shape[-1]
        return [block.transpose(0, 2, 1)] if block.size else []

    def _take_in(self, blocks: list[np.ndarray]) -> list[np.ndarray]:
        """Blocks of the engine to refined groups, `[sources, channels, time]` each."""
        ready = []
        for block in blocks:
            count = block.shape[1]
            mixture, self._mixture = self._mixture[:count], self._mixture[count:]
            self._left += count
            ready += self._groups_of(np.concatenate([mixture[None], block]).transpose(0, 2, 1))
        return ready

    def _groups_of(self, signals: np.ndarray) -> list[np.ndarray]:
        """Take in `[signals, channels, time]`; returns the refined groups that are ready."""
        held = np.concatenate([self._held, signals], axis=-1)
        step, ready = GROUP * self._hop, []
        starts = range(0, held.shape[-1] - step - self._hop + 1, step)
        for first in range(0, len(starts), THREADS):
            some = [
                held[..., start : start + step + self._hop]
                for start in starts[first : first + THREADS]
            ]
            for parts, spreads in _in_threads(self._analysis, some):
                self._groups.append(parts)
                self._spreads.append(spreads)
            ready += self._refine(len(self._groups) - REACH)
        self._held = held[..., len(starts) * step :].copy()
        return ready

    def _analysis(self, signals: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Transform a group: the spectra of its estimates and residual, and their spreads.

        Args:
          signals: the mixture and its estimates, `[1 + sources, channels, time]`.
        Returns: `[sources + 1, channels, frames, bins]`, complex64, whose sum is the mixture's
          spectrum; `spreads_of` them.
        """
        frames = np.lib.stride_tricks.sliding_window_view(signals, self._frame, axis=-1)
        parts = np.empty((*signals.shape[:2], GROUP, self._frame // 2 + 1), np.complex64)
        for signal, spectrum in zip(frames[:, :, :: self._hop], parts, strict=True):
            spectrum[...] = np.fft.rfft(signal * self._window)
        residual = parts[0] - parts[1:].sum(axis=0)
        parts = np.concatenate([parts[1:], residual[None]])
        return parts, spreads_of(parts)

    def _refine(self, count: int) -> list[np.ndarray]:
        """Refine the groups that wait longest; returns `[sources, channels, time]` of each."""
        work = []
        for _ in range(count):
            before = len(self._spreads) - len(self._groups)
            near = list(self._spreads)[: before + 1 + REACH]
            work.append((self._groups.popleft(), near))
            if before == REACH:
                self._spreads.popleft()
        ready = []
        for first in range(0, len(work), THREADS):
            for waves in _in_threads(self._waves, work[first : first + THREADS]):
                ready.append(self._overlapped(waves))
        return ready

    def _waves(self, group: tuple[np.ndarray, list[np.ndarray]]) -> np.ndarray:
        """Refine a group with the spreads near it; returns windowed frames, float32."""
        parts, near = group
        spectra = refined(parts, np.sum(near, axis=0))
        return (np.fft.irfft(spectra, self._frame) * self._window).astype(np.float32)

    def _overlapped(self, waves: np.ndarray) -> np.ndarray:
        """Overlap-add of `[sources, channels, frames, time]`: one hop for each frame."""
        hops = waves[..., : self._hop].copy()
        hops[:, :, 0] += self._overlap
        hops[:, :, 1:] += waves[:, :, :-1, self._hop :]
        self._overlap = waves[:, :, -1, self._hop :].copy()
        return hops.reshape(*hops.shape[:2], -1)


def _in_threads(function: Callable, items: list) -> list:
    """The results of a function for each item, in order."""
    if len(items) == 1:
        return [function(items[0])]
    with ThreadPoolExecutor(len(items)) as pool:
        return list(pool.map(function, items))


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
