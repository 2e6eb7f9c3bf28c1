"""Windows of a batch as losses and networks get them: at one level, cropped, by source."""

import keras
from keras import ops


def gain_to_level(mixture, level_dbfs: float | None):
    """The factor that brings each mixture to one RMS level.

    At one level, quiet windows count as much as loud ones.

    Args:
      mixture: `[batch, time, channels]`.
      level_dbfs: the level, in dB relative to full scale; None: all factors are one.
    Returns: `[batch, 1, 1]`.
    """
    if level_dbfs is None:
        return ops.ones_like(mixture[:, :1, :1])
    power = ops.mean(ops.square(mixture), axis=(1, 2), keepdims=True)
    return 10 ** (level_dbfs / 20) / ops.sqrt(power + 1e-10)


def random_start(window: int, length: int, seed: keras.random.SeedGenerator):
    """First sample of a random crop of a window; each place is equally likely."""
    return keras.random.randint((), 0, window - length + 1, seed=seed) if window > length else 0


def crops(start, length: int, *windows):
    """The same crop of all windows; each source becomes a separate window.

    Args:
      start: first sample.
      length: samples.
      windows: each `[batch, time, 1]` or `[batch, sources, time, 1]`.
    Returns: a tuple of `[batch, length, 1]` or `[batch * sources, length, 1]`.
    """
    flat = [window if len(window.shape) == 3 else sources_as_windows(window) for window in windows]
    return tuple(ops.slice(x, (0, start, 0), (x.shape[0], length, 1)) for x in flat)


def sources_as_windows(windows):
    """`[batch, sources, time, channels]` -> `[batch * sources, time, channels]`."""
    return ops.reshape(windows, (-1, *windows.shape[2:]))


def only_source(sources, index: int):
    """Sources `[batch, sources, time, channels]`, all silent but one."""
    windows = [sources[:, k] for k in range(sources.shape[1])]
    kept = [w if k == index else ops.zeros_like(w) for k, w in enumerate(windows)]
    return ops.stack(kept, axis=1)


def with_residual(mixture, sources):
    """The sources, then their residual: `[batch, sources + 1, time, channels]`.

    Args:
      mixture: `[batch, time, channels]`.
      sources: `[batch, sources, time, channels]`.
    """
    residual = mixture[:, None] - ops.sum(sources, axis=1, keepdims=True)
    return ops.concatenate([sources, residual], axis=1)


def root_mean_square(windows, floor: float = 0.0):
    """Root mean square of each window, `[batch, time, 1]` -> `[batch, 1, 1]`.

    Args:
      floor: added to the mean square, so that the result can be a divisor.
    """
    power = ops.mean(ops.square(windows), axis=(1, 2), keepdims=True)
    return ops.sqrt(power + floor) if floor else ops.sqrt(power)


def magnitudes_by_source(spectra, solo):
    """Magnitudes of each source's frames, `[sources, frames, bins]`, at one level.

    Args:
      spectra: a `layers.spectra.Spectra`.
      solo: windows of each source alone, `[batch, sources, time, 1]`.
    """
    batch, sources, time = solo.shape[:3]
    windows = ops.reshape(solo, (-1, time, 1))
    magnitudes = spectra.magnitude(spectra.analyse(gain_to_level(windows, 0.0) * windows))
    by_source = ops.reshape(magnitudes, (batch, sources, -1, spectra.bins))
    return ops.reshape(ops.transpose(by_source, (1, 0, 2, 3)), (sources, -1, spectra.bins))
