"""Linear measurements of windows: random matrices, measurements, and back-projection.

y = A x + noise, with x a window of n samples, y its m measurements, and A a matrix of m rows.

Source: Bora, Jalal, Price & Dimakis 2017, "Compressed sensing using generative models",
arXiv:1703.03208, eq. 1 and its section on experiments (entries of A independent, normal, of
variance 1 / m).
"""

import numpy as np

from tfsepgan.errors import ConfigError, ShapeError


def gaussian_matrix(measurements: int, window: int, *, seed: int) -> np.ndarray:
    """Draw a random matrix that keeps the length of a window on average.

    Args:
      measurements: rows, m.
      window: columns, n samples.
      seed: the same seed draws the same matrix.
    Returns: `[measurements, window]` float32, entries normal with variance 1 / m, so that
      E|A x|^2 = |x|^2.
    Raises: ConfigError for no rows or no columns.
    """
    if measurements < 1 or window < 1:
        raise ConfigError(
            f"got {measurements} measurements of {window} samples; both must be at least 1."
        )
    entries = np.random.default_rng(seed).standard_normal((measurements, window), dtype=np.float32)
    return entries / np.float32(np.sqrt(measurements))


def measure(windows, matrix, *, noise: float = 0.0, seed: int = 0) -> np.ndarray:
    """Return the measurements of each window.

    Args:
      windows: `[batch, n]`.
      matrix: `[m, n]`.
      noise: root of the expected squared length of the noise that is added to each window's
        measurements.
      seed: seed of the noise.
    Returns: `[batch, m]` float32.
    Raises: ShapeError when the matrix does not fit the windows.
    """
    windows, matrix = np.asarray(windows, np.float32), np.asarray(matrix, np.float32)
    if windows.ndim != 2 or matrix.ndim != 2 or windows.shape[1] != matrix.shape[1]:
        raise ShapeError(
            f"got windows of shape {list(windows.shape)} and a matrix of shape"
            f" {list(matrix.shape)}; wanted [batch, n] and [m, n]"
        )
    measurements = windows @ matrix.T
    if not noise:
        return measurements
    drawn = np.random.default_rng(seed).standard_normal(measurements.shape, dtype=np.float32)
    return measurements + drawn * np.float32(noise / np.sqrt(len(matrix)))


def back_projection(measurements, matrix) -> np.ndarray:
    """Return a first guess of the windows: the rows of the matrix, weighted by their measurements.

    With normal entries of variance 1 / m, the result is on average the window, plus noise of n / m
    times its power. With orthonormal rows, it is the projection of the window on their span; with n
    orthonormal rows, it is the window itself.

    Args:
      measurements: `[batch, m]`.
      matrix: `[m, n]`.
    Returns: `[batch, n]` float32.
    """
    return np.asarray(measurements, np.float32) @ np.asarray(matrix, np.float32)


def relative_error(windows, recovered) -> np.ndarray:
    """Return the energy of the error over that of the window, `[batch]`: 0 is exact, 1 silence.

    Args:
      windows, recovered: `[batch, n]`; no window silent.
    Raises: ShapeError when the shapes differ or a window is silent.
    """
    windows, recovered = np.asarray(windows, np.float64), np.asarray(recovered, np.float64)
    if windows.shape != recovered.shape or windows.ndim != 2:
        raise ShapeError(
            f"got {list(windows.shape)} and {list(recovered.shape)}; wanted the same [batch, n]"
        )
    energy = np.sum(windows**2, axis=1)
    if not np.all(energy):
        raise ShapeError("a window is silent, so no error relative to it is defined; leave it out")
    return np.sum((recovered - windows) ** 2, axis=1) / energy
