"""How differently an estimate fills the spectrogram than its source, at several frame lengths:
short ones see onsets, long ones notes.

At each frame length two parts are added: the error of the magnitudes over their energy (spectral
convergence), which the loud bins decide, and the mean difference of their logarithms, in which all
bins count alike.

Source: Yamamoto, Song & Kim 2020, "Parallel WaveGAN" (arXiv:1910.11480), eqs. 3 to 6.
Departs from it: frame lengths are powers of two, the hop is a quarter of each. It is the loss
`losses.reconstruction` trains on, in NumPy, over whole tracks of any number of channels.
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
    Returns: without a unit, 0 for the source itself; less is better. Volume counts: a gain g costs
      `|1 - g| + |log g|`.
    Raises: ShapeError when the shapes differ, a value is not finite, or the reference is silent;
      ConfigError for impossible frames.
    """
    reference, estimate = check_pair(reference, estimate)
    if not frames or any(frame < 4 or frame % 4 for frame in frames):
        raise ConfigError(
            f"frames are {list(frames)}, wanted one length or more, each a multiple of 4"
        )
    return float(np.mean([_distance(reference, estimate, frame) for frame in frames]))


def _distance(reference: np.ndarray, estimate: np.ndarray, frame: int) -> float:
    real, fake = _magnitudes(reference, frame), _magnitudes(estimate, frame)
    convergence = np.sqrt(np.sum((real - fake) ** 2) / np.sum(real**2))
    return convergence + np.mean(np.abs(np.log(real) - np.log(fake)))


def _magnitudes(signal: np.ndarray, frame: int) -> np.ndarray:
    """`[channels, frames, bins]`, with zeros around the signal, so that every sample is in four
    frames."""
    hop = frame // 4
    channels = np.atleast_2d(signal.T)
    around = (frame - hop, -channels.shape[1] % hop + frame - hop)
    frames = np.lib.stride_tricks.sliding_window_view(
        np.pad(channels, ((0, 0), around)), frame, axis=1
    )[:, ::hop]
    spectrum = scipy.fft.rfft(frames * np.hanning(frame + 1)[:-1], axis=-1)
    return np.sqrt(spectrum.real**2 + spectrum.imag**2 + POWER_FLOOR)
