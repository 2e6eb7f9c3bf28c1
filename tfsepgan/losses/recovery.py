"""Distances between generated windows and a mixture or its measurements, for the search of latents.

Source: Bora, Jalal, Price & Dimakis 2017, arXiv:1703.03208: the objective of the search is
|A G(z) - y|^2 + lambda |z|^2, eq. 3 and the regularised form of its experiments. The authors' code
takes the mean over measurements; here it is the sum, as in the equation. For measurements both are
the same number: their matrix has entries of variance 1, here they have 1 / m.
"""

from keras import ops

from tfsepgan.dsp.filterbank import FLOOR, LOG_OFFSET, LOG_SCALE, root_hann
from tfsepgan.layers.filterbank import cut_frames


def spectral_power(windows, frame: int, hop: int):
    """Return the power of each bin of each frame.

    Args:
      windows: `[..., time, 1]`, time a multiple of `hop`.
      frame, hop: samples.
    Returns: `[..., frames, frame / 2 + 1]`.
    """
    around = windows.shape[:-2]
    flat = ops.reshape(windows, (-1, windows.shape[-2]))
    real, imaginary = ops.rfft(cut_frames(flat, frame, hop) * root_hann(frame))
    power = ops.square(real) + ops.square(imaginary)
    return ops.reshape(power, (-1, *around[1:], *power.shape[1:])) if len(around) > 1 else power


def loudness(power):
    """Return the scaled logarithm of power, about -1 to 1 for music; a step of 0.1 is 4.3 dB."""
    return LOG_SCALE * ops.log(2 * power + FLOOR) + LOG_OFFSET


def loudness_distance(observed, made, *, unexplained_weight: float = 1.0):
    """Return the mean difference of the loudness of bins.

    Args:
      observed, made: power, `[batch, ..., frames, bins]`, see `spectral_power`.
      unexplained_weight: weight of bins where `observed` is louder; where `made` is louder it is 1.
        Use a weight below 1 for a mixture that contains more than what is generated: observed sound
        that is not generated then costs less than generated sound that is not observed.
    Returns: `[batch]`, the mean over all bins of the weighted absolute difference of their
    loudness.
    """
    excess = loudness(made) - loudness(observed)
    distance = ops.relu(excess) + unexplained_weight * ops.relu(-excess)
    return ops.mean(distance, axis=tuple(range(1, len(distance.shape))))


def squared_error(observed, made):
    """Return |made - observed|^2 of each example, `[batch, ...]` -> `[batch]`."""
    return ops.sum(ops.square(made - observed), axis=tuple(range(1, len(made.shape))))


def measured_error(measurements, matrix, made):
    """Return |A x - y|^2 of each example.

    Args:
      measurements: y, `[batch, m]`.
      matrix: A, `[m, time]`.
      made: x, `[batch, time, 1]`.
    Returns: `[batch]`.
    """
    return squared_error(measurements, ops.matmul(made[..., 0], ops.transpose(matrix)))


def latent_energy(latents):
    """Return |z|^2 of each example, `[batch, ...]` -> `[batch]`."""
    return ops.sum(ops.square(latents), axis=tuple(range(1, len(latents.shape))))


def shares(made_power, mixture_power=None):
    """Return the share that each source has of every bin, as a Wiener filter.

    Args:
      made_power: `[batch, tracks, frames, bins]`, one track for each source.
      mixture_power: `[batch, frames, bins]`, if the mixture has more than these sources; what is
        left belongs to the residual. None: it has no more.
    Returns: `[batch, tracks, frames, bins]` in [0, 1]; the sum over tracks is 1, or less with a
      residual.
    """
    made_power = made_power + 1e-9  # equal shares where all is silent
    whole = ops.sum(made_power, axis=1, keepdims=True)
    if mixture_power is not None:
        whole = ops.maximum(whole, mixture_power[:, None])
    return made_power / whole
