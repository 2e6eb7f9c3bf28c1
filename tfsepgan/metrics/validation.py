"""Checks of the signals that metrics compare.

The ratio of two wrong arrays is still a number, so every metric of this package checks first.
"""

import numpy as np

from tfsepgan.errors import ShapeError


def check_audio(name: str, audio) -> np.ndarray:
    """Check that a signal holds finite real numbers.

    Args:
      name: its name in error messages, such as "reference".
      audio: array of integers or floats, any shape.
    Returns: the same values as float64.
    Raises: ShapeError when it is empty, not numeric, or has a value that is NaN or infinite.
    """
    audio = np.asarray(audio)
    if audio.dtype.kind not in "fiu":
        raise ShapeError(
            f"{name} is of type {audio.dtype}, wanted real numbers; convert it to float32"
        )
    if audio.size == 0:
        raise ShapeError(
            f"{name} of shape {list(audio.shape)} holds no samples, wanted at least one"
        )
    audio = audio.astype(np.float64)
    broken = int(np.count_nonzero(~np.isfinite(audio)))
    if broken:
        raise ShapeError(
            f"{name} of shape {list(audio.shape)} holds {broken} values that are NaN or infinite, "
            "wanted none; check the recording or the model that it comes from"
        )
    return audio


def check_pair(reference, estimate) -> tuple[np.ndarray, np.ndarray]:
    """Check that a reference and its estimate can be compared.

    Args:
      reference, estimate: `[time]` or `[time, channels]`, the same shape; the reference not silent.
    Returns: both as float64.
    Raises: ShapeError when they cannot.
    """
    reference = check_audio("reference", reference)
    estimate = check_audio("estimate", estimate)
    if reference.shape != estimate.shape:
        raise ShapeError(
            f"reference of shape {list(reference.shape)} and estimate of shape"
            f" {list(estimate.shape)} differ; bring both to the same length and channels, [time] or"
            " [time, channels]"
        )
    if reference.ndim not in (1, 2):
        raise ShapeError(
            f"reference and estimate of shape {list(reference.shape)}, wanted [time] or [time,"
            " channels]; score one item of a batch at a time"
        )
    if not reference.any():
        raise ShapeError(
            f"reference of shape {list(reference.shape)} is silent (all zeros), so no ratio to it"
            " is defined; leave this excerpt out or score one where the source sounds"
        )
    return reference, estimate
