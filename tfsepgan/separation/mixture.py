"""Checks of what is given to a separator: samples, sample rate and channels."""

import os
from numbers import Real

import numpy as np

from tfsepgan.audio.formats import MOST_CHANNELS, RATES_HZ
from tfsepgan.errors import ShapeError


def check_rate_and_channels(sample_rate_hz: float, channels: int) -> None:
    """Raise ShapeError for a rate or a channel count beyond the limits of recordings."""
    low, high = RATES_HZ
    if not isinstance(sample_rate_hz, Real) or not low <= sample_rate_hz <= high:
        raise ShapeError(
            f"got a sample rate of {sample_rate_hz!r}; wanted a number from {low} to {high}, in Hz"
        )
    if not 1 <= channels <= MOST_CHANNELS:
        raise ShapeError(f"got {channels} channels; wanted 1 to {MOST_CHANNELS}")


def checked_mixture(mixture: np.ndarray) -> np.ndarray:
    """The mixture as float32, in the same shape.

    Args:
      mixture: `[time]` or `[time, channels]`, floating point, finite, not empty.
    Raises: ShapeError for anything else.
    """
    if isinstance(mixture, str | os.PathLike):
        raise ShapeError(
            f"got the path {os.fspath(mixture)!r}; wanted samples. For files:"
            " tfsepgan.separate_file(separator, path, output_dir)"
        )
    mixture = np.asarray(mixture)
    if mixture.ndim not in (1, 2):
        raise ShapeError(
            f"got an array of shape {mixture.shape}; wanted [time] or [time, channels], one"
            " recording at a time"
        )
    if mixture.size == 0:
        raise ShapeError(f"got an empty array of shape {mixture.shape}; wanted at least one sample")
    if mixture.ndim == 2 and mixture.shape[1] > MOST_CHANNELS:
        raise ShapeError(
            f"got {mixture.shape[1]} channels of {len(mixture)} samples; wanted [time, channels]:"
            " transpose it (.T)"
        )
    if not np.issubdtype(mixture.dtype, np.floating):
        raise ShapeError(
            f"got {mixture.dtype} samples; wanted floating point in [-1, 1]: divide 16-bit integers"
            " by 32768"
        )
    with np.errstate(over="ignore"):
        single = mixture.astype(np.float32)
    if not np.isfinite(single).all():
        first = int(np.argwhere(~np.isfinite(single))[0][0])
        raise ShapeError(
            f"got a value that is not a finite float32 at sample {first}; repair the recording"
            " first"
        )
    return single
