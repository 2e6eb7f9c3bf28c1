"""Distance of spectrograms at several frame lengths: short ones for onsets, long ones for notes.

At each frame length it is the sum of two terms: the error of the magnitudes relative to their
energy (spectral convergence), dominated by loud bins, and the mean difference of their logarithms,
where all bins count the same.

Source: Yamamoto, Song & Kim 2020, "Parallel WaveGAN" (arXiv:1910.11480), eqs. 3 to 6.
Departs from it: frame lengths are powers of two, the hop is a quarter of each.

It is the loss of `losses.reconstruction` in NumPy, for whole tracks of any number of channels.
"""

import numpy as np
import scipy.fft

from tfsepgan.errors import ConfigError
from tfsepgan.metrics.validation import check_pair

FRAMES = (512, 1024, 2048)  # samples; Yamamoto et al. 2020, table 1, rounded to powers of two
POWER_FLOOR = 1e-7  # added to the power of every bin: 24-bit silence through a Hann window


def multi_resolution_distance(reference, estimate, frames=FRAMES) -> float:
    """Spectral convergence plus mean log-magnitude distance, averaged over frame lengths.

    Args:
      reference, estimate: `[time]` or `[time, channels]`, the same shape, full scale at 1; the
        reference not silent.
      frames: frame lengths in samples, multiples of four.
    Returns: dimensionless, 0 for the source itself; less is better. It depends on volume:
      a gain g gives `|1 - g| + |log g|`.
    Raises: ShapeError when the shapes differ, a value is not finite, or the reference is silent;
      ConfigError for invalid frames.
    """
    reference, estimate = check_pair(reference, estimate)
    if not frames or any(frame < 4 or frame % 4 for frame in frames):
        raise ConfigError(
            f"frames are {list(frames)}, wanted one or more lengths, each a multiple of 4"
        )
    return float(np.mean([_distance(reference, estimate, frame) for frame in frames]))


def _distance(reference: np.ndarray, estimate: np.ndarray, frame: int) -> float:
    real, fake = _magnitudes(reference, frame), _magnitudes(estimate, frame)
    convergence = np.sqrt(np.sum((real - fake) ** 2) / np.sum(real**2))
    return convergence + np.mean(np.abs(np.log(real) - np.log(fake)))


def _magnitudes(signal: np.ndarray, frame: int) -> np.ndarray:
    """`[channels, frames, bins]`; zeros around the signal put every sample into four frames."""
    hop = frame // 4
    channels = np.atleast_2d(signal.T)
    padding = (frame - hop, -channels.shape[1] % hop + frame - hop)
    padded = np.pad(channels, ((0, 0), padding))
    frames = np.lib.stride_tricks.sliding_window_view(padded, frame, axis=1)[:, ::hop]
    spectrum = scipy.fft.rfft(frames * np.hanning(frame + 1)[:-1], axis=-1)
    return np.sqrt(spectrum.real**2 + spectrum.imag**2 + POWER_FLOOR)
