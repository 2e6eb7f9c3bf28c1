"""The additive loss: estimates must sum to the mixture."""

from collections.abc import Callable

from keras import ops

from tfsepgan.losses.reconstruction import l1


def additive_loss(mixture, estimates, distance: Callable = l1):
    """Return the distance between a mixture and the sum of its estimates.

    Args:
      mixture: `[batch, time, 1]`.
      estimates: `[batch, parts, time, 1]`, one for each source and the residual.
      distance: `l1` or `mean_square` of `losses.reconstruction`; the paper's is `mean_square`.
    Returns: scalar; zero where the estimates sum to the mixture exactly.
    Source: Stoller, Ewert & Dixon 2018 (arXiv:1711.00048), the additive penalty L_add.
    Departs from it: on waveforms, which add up exactly, instead of magnitudes, which do so roughly.
    """
    return distance(mixture, ops.sum(ops.cast(estimates, "float32"), axis=1))
