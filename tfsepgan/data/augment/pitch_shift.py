"""Pitch shift at constant speed: a phase vocoder stretches the recording, then it is resampled.

Source:
- Laroche & Dolson 1999, "Improved phase vocoder time-scale modification of audio": sections III.B
  (rigid phase locking: every bin rotates with its peak) and III.A (peaks and their bins).
- Puckette 1995, "Phase-locked vocoder": the phase advance in a hop is measured in a second frame,
  one hop earlier in the recording, so no phase is unwrapped.

Departs from them: a peak three times as high as one hop earlier is a new sound and starts with its
recorded phase, so that attacks of hammers and plectra stay sharp (similar to Röbel 2003, "A new
approach to transient processing in the phase vocoder").
"""

import numpy as np
import scipy.fft
from numpy.lib.stride_tricks import sliding_window_view

from tfsepgan.data.augment.effects import at_speed

# Hops in a frame: the fewest for which squared Hann windows sum to a constant. Four give no better
# spectra and take a third more time.
OVERLAP = 3
HOP_SECONDS = 0.0217  # frames of 65 ms; 46 ms blur bass notes, 93 ms blur attacks
# Increase in a hop (10 dB) that marks a new sound. With 6 dB, noise restarts so often that it loses
# level; with 15 dB, clicks smear.
RISE = 3.0
_WINDOW_SUM = OVERLAP * 0.375  # the sum of the squared Hann windows
_FRAMES = 16  # processed at a time: the arrays fit into a processor's cache
_NEIGHBOURS = 2  # bins on either side that a peak exceeds: the main lobe of a Hann window


def at_pitch(
    samples: np.ndarray, semitones: float, sample_rate_hz: int, speed: float = 1.0
) -> np.ndarray:
    """The same music at another pitch, and optionally another speed.

    The whole spectrum is shifted, both overtones and resonances, as if the instrument were smaller
    or larger. Everything shifted above half the sample rate is removed.

    Args:
      samples: float32 `[time]`.
      semitones: pitch shift; 0 leaves the samples unchanged, except for the speed.
      sample_rate_hz: rate of the audio.
      speed: playing speed, which shifts the pitch further, like a tape; one resampling does both.
    Returns: float32 `[floor(time / speed)]`.
    """
    ratio, time = 2.0 ** (semitones / 12), int(len(samples) / speed + 1e-6)
    if not semitones and speed == 1:
        return samples
    moved = at_speed(
        stretched(samples, ratio, sample_rate_hz) if semitones else samples, ratio * speed
    )[:time]
    return np.pad(moved, (0, time - len(moved)))


def stretched(samples: np.ndarray, ratio: float, sample_rate_hz: int) -> np.ndarray:
    """The same music at the same pitch, slower.

    Args:
      samples: float32 `[time]`.
      ratio: by which it gets longer.
      sample_rate_hz: rate of the audio.
    Returns: float32 `[ceil(time * ratio)]`.
    """
    hop = scipy.fft.next_fast_len(round(HOP_SECONDS * sample_rate_hz), real=True)
    frame, length = OVERLAP * hop, int(np.ceil(len(samples) * ratio))
    count = -(-length // hop) + OVERLAP - 1
    centres = hop * (np.arange(count) - (OVERLAP - 1)) + frame / 2
    # positions of the frames in the recording
    starts = np.rint(centres / ratio - frame / 2).astype(np.int64)
    before = hop - min(0, int(starts[0]))
    padded = np.pad(samples, (before, max(0, int(starts[-1]) + frame - len(samples))))
    frames, starts = sliding_window_view(padded, frame), starts + before
    window = (0.5 - 0.5 * np.cos(2 * np.pi * np.arange(frame) / frame)).astype(np.float32)
    total = np.zeros((count + OVERLAP - 1, hop), np.float32)
    bins = frame // 2 + 1
    last, turns = np.zeros((1, bins), np.complex64), np.ones((1, bins), np.complex64)
    for first in range(0, count, _FRAMES):
        here = starts[first : first + _FRAMES]
        now = scipy.fft.rfft(frames[here] * window, axis=1)
        earlier = scipy.fft.rfft(frames[here - hop] * window, axis=1)
        turns = _turns(now, np.concatenate([last, now[:-1]]), earlier, turns[-1])
        last = now[-1:]
        parts = scipy.fft.irfft(now * turns, n=frame, axis=1) * (window / np.float32(_WINDOW_SUM))
        for number in range(OVERLAP):
            own = slice(number * hop, (number + 1) * hop)
            total[first + number : first + number + len(here)] += parts[:, own]
    return total[OVERLAP - 1 :].ravel()[:length]


def _turns(
    now: np.ndarray, previous: np.ndarray, earlier: np.ndarray, turned: np.ndarray
) -> np.ndarray:
    """The rotation of each bin of each frame that continues the phase of the frame before.

    Args:
      now: spectra of some frames, complex64 `[frames, bins]`.
      previous: of the frame before each.
      earlier: of the recording one hop before each.
      turned: the rotation of the frame before the first, `[bins]`.
    Returns: complex64 `[frames, bins]`, of magnitude one.
    """
    power = np.square(now.real) + np.square(now.imag)
    peaks, widths, ends = _regions(power)
    was = earlier.ravel()[peaks]
    turn = previous.ravel()[peaks] * np.conj(was)
    new = power.ravel()[peaks] > np.float32(RISE**2) * (np.square(was.real) + np.square(was.imag))
    size = np.abs(turn)
    new |= size == 0
    turn *= ~new / (size + new)
    start = new.astype(np.complex64)
    turns = np.empty_like(now)
    peaks = peaks % now.shape[1]
    for row, (low, high) in enumerate(zip(ends[:-1], ends[1:], strict=True)):
        at_peaks = turned[peaks[low:high]] * turn[low:high] + start[low:high]
        turns[row] = turned = np.repeat(at_peaks, widths[low:high])
    return turns


def _regions(power: np.ndarray) -> tuple[np.ndarray, np.ndarray, list[int]]:
    """Peaks of spectra, and the bins that are nearer to each than to the next.

    Args:
      power: `[frames, bins]`; the lowest bin of each frame counts as a peak, so that each frame has
        one.
    Returns: the index of each peak among all bins of all frames, and its number of bins, both
      `[peaks]`; and the index of the first peak of each frame, `[frames + 1]`.
    """
    top = np.ones(power.shape, bool)
    for distance in range(1, _NEIGHBOURS + 1):
        higher = power[:, distance:] > power[:, :-distance]
        top[:, distance:] &= higher
        top[:, :-distance] &= ~higher
    top[:, 0] = True
    peaks = np.flatnonzero(top)
    first = np.searchsorted(peaks, power.shape[1] * np.arange(len(power)))
    edges = np.empty(len(peaks) + 1, np.int64)
    edges[1:-1] = (peaks[:-1] + peaks[1:] + 1) // 2
    edges[first], edges[-1] = peaks[first], power.size
    return peaks, np.diff(edges), [*first.tolist(), len(peaks)]
