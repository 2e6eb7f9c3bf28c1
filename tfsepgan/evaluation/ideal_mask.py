"""The two bounds of a separation: the mixture itself and the ideal ratio mask.

The lower bound takes the mixture as the estimate of every source. The upper bound masks the
spectrogram of the mixture with the share of each source in the sum of magnitude spectrograms. The
shares are computed from the true sources; the phase is that of the mixture.

Source: IRM1 in Stoter, Liutkus & Ito 2018, arXiv:1804.06267, section 3; Hann window, as there.
Departs from it: no separate treatment of stereo; every channel has its own mask.
"""

from collections.abc import Mapping

import numpy as np
import scipy.signal

from tfsepgan.errors import ConfigError, ShapeError

FRAME = 2048  # samples: 46 ms at 44.1 kHz as in SiSEC 2018, 128 ms at 16 kHz
HOP = 512  # samples: a quarter of the frame


def ratio_mask_bound(
    references: Mapping[str, np.ndarray], mixture: np.ndarray, *, frame: int = FRAME, hop: int = HOP
) -> dict[str, np.ndarray]:
    """The estimates of the ideal ratio mask: real, from 0 to 1, in proportion to the magnitudes.

    Args:
      references: the true sources by name, the residual among them, each shaped like the mixture.
      mixture: `[time]` or `[time, channels]`.
      frame: length of a frame in samples.
      hop: samples between two frames, at most half a frame.
    Returns: an estimate for every reference, float32, shaped like the mixture; their sum is the
      mixture.
    Raises: ShapeError when a reference is not shaped like the mixture; ConfigError for a hop out
      of range.
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
        column = (slice(None), *channel)
        sources = {name: np.asarray(r, np.float32)[column] for name, r in references.items()}
        for name, estimate in _mask_one_channel(sources, mixture[column], frame, hop).items():
            estimates[name][column] = estimate
    return estimates


def mixture_bound(
    references: Mapping[str, np.ndarray], mixture: np.ndarray
) -> dict[str, np.ndarray]:
    """The estimates of a separator that does nothing: the mixture for every source.

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
    """The masked mixture for every reference, all `[time]`; equal shares where all are silent."""
    magnitudes = {name: np.abs(_analyse(r, frame, hop)) for name, r in references.items()}
    total = np.sum(list(magnitudes.values()), axis=0)
    spectrum = _analyse(mixture, frame, hop)
    equal = np.float32(1.0 / len(references))
    estimates = {}
    for name, magnitude in magnitudes.items():
        mask = np.divide(magnitude, total, out=np.full_like(total, equal), where=total > 0)
        estimates[name] = _synthesise(mask * spectrum, frame, hop)[: len(mixture)]
    return estimates


def _analyse(audio: np.ndarray, frame: int, hop: int) -> np.ndarray:
    """Complex spectrogram `[bins, frames]` of `[time]`; short signals are padded to one frame."""
    audio = np.pad(audio, (0, max(0, frame - len(audio))))
    return scipy.signal.stft(audio, window="hann", nperseg=frame, noverlap=frame - hop)[2]


def _synthesise(spectrum: np.ndarray, frame: int, hop: int) -> np.ndarray:
    """The waveform `[time]` of `[bins, frames]`, at least as long as the analysed signal."""
    return scipy.signal.istft(spectrum, window="hann", nperseg=frame, noverlap=frame - hop)[1]
