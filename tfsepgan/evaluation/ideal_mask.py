"""How far a mask could go, and where it starts: the two bounds that a score is read against.

The lower one is the mixture itself, handed back as if it were every source. The upper one is the
ideal ratio
mask: the share of each source in the magnitude spectrogram, computed from the true sources, applied
  to the mixture
and played with the mixture's phase.

Source: the IRM1 oracle of Stoter, Liutkus & Ito 2018, arXiv:1804.06267, section 3; Hann window, as
  there.
Departs from it: no separate treatment of stereo; every channel has its own mask.
"""

from collections.abc import Mapping

import numpy as np
import scipy.signal

from tfsepgan.errors import ConfigError, ShapeError

FRAME = 2048  # samples: 46 ms at 44.1 kHz as in SiSEC 2018, 128 ms at 16 kHz
HOP = 512  # samples: a quarter of the frame


def ratio_mask_bound(
    references: Mapping[str, np.ndarray],
    mixture: np.ndarray,
    *,
    frame: int = FRAME,
    hop: int = HOP,
) -> dict[str, np.ndarray]:
    """The best that a real mask between 0 and 1, shared out by magnitude, does to this mixture.

    Args:
      references: the true sources by name, the residual among them, each shaped like the mixture.
      mixture: `[time]` or `[time, channels]`.
      frame, hop: samples in a frame and between two, the hop at most half a frame.
    Returns: an estimate for every reference, float32, shaped like the mixture; they sum to the
      mixture.
    Raises: ShapeError when a reference is not shaped like the mixture; ConfigError when the hop
      does not fit.
    """
    mixture = np.asarray(mixture, np.float32)
    if not 0 < hop <= frame // 2:
        raise ConfigError(f"hop of {hop} samples in frames of {frame}, wanted 1 to {frame // 2}")
    for name, reference in references.items():
        if np.shape(reference) != mixture.shape:
            raise ShapeError(
                f"reference {name!r} of shape {list(np.shape(reference))} under a mixture of shape "
                f"{list(mixture.shape)}; give both the same length and channels"
            )
    estimates = {name: np.empty_like(mixture) for name in references}
    for channel in np.ndindex(mixture.shape[1:]):
        here = (slice(None), *channel)
        parts = {
            name: np.asarray(reference, np.float32)[here] for name, reference in references.items()
        }
        for name, estimate in _mask_one_channel(parts, mixture[here], frame, hop).items():
            estimates[name][here] = estimate
    return estimates


def mixture_bound(
    references: Mapping[str, np.ndarray], mixture: np.ndarray
) -> dict[str, np.ndarray]:
    """What doing nothing scores: the mixture as the estimate of every source.

    Args:
      references: the true sources by name; only the names are used.
      mixture: `[time]` or `[time, channels]`.
    Returns: the same mixture, float32, under every name.
    """
    mixture = np.asarray(mixture, np.float32)
    return dict.fromkeys(references, mixture)


def _mask_one_channel(
    references: Mapping[str, np.ndarray], mixture: np.ndarray, frame: int, hop: int
) -> dict[str, np.ndarray]:
    """The masked mixture for every reference, all `[time]`; where all are silent, equal shares."""
    magnitudes = {
        name: np.abs(_analyse(reference, frame, hop)) for name, reference in references.items()
    }
    total = np.sum(list(magnitudes.values()), axis=0)
    spectrum = _analyse(mixture, frame, hop)
    equal = np.float32(1.0 / len(references))
    estimates = {}
    for name, magnitude in magnitudes.items():
        mask = np.divide(magnitude, total, out=np.full_like(total, equal), where=total > 0)
        estimates[name] = _synthesise(mask * spectrum, frame, hop)[: len(mixture)]
    return estimates


def _analyse(audio: np.ndarray, frame: int, hop: int) -> np.ndarray:
    """Complex spectrogram `[bins, frames]` of `[time]`, a signal shorter than a frame being padded
    to one."""
    audio = np.pad(audio, (0, max(0, frame - len(audio))))
    return scipy.signal.stft(audio, window="hann", nperseg=frame, noverlap=frame - hop)[2]


def _synthesise(spectrum: np.ndarray, frame: int, hop: int) -> np.ndarray:
    """The waveform `[time]` of `[bins, frames]`, at least as long as what was analysed."""
    return scipy.signal.istft(spectrum, window="hann", nperseg=frame, noverlap=frame - hop)[1]
