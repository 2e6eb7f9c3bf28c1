"""The sources must add up to the mixture."""

from collections.abc import Callable

from keras import ops

from tfsepgan.losses.reconstruction import l1


def additive_loss(mixture, estimates, distance: Callable = l1):
    """How far all estimates together are from the mixture they were taken out of.

    Args:
      mixture: `[batch, time, 1]`.
      estimates: `[batch, parts, time, 1]`; every part of the mixture, the rest among them.
      distance: of `losses.reconstruction`: `l1`, or `mean_square`, which is the source's.
    Returns: scalar, that distance; zero where nothing is lost or made up.
    Source: Stoller, Ewert & Dixon 2018 (arXiv:1711.00048), the additive penalty L_add.
    Departs from it: waveforms, which do add, instead of magnitudes, which only nearly do.
    """
    return distance(mixture, ops.sum(ops.cast(estimates, "float32"), axis=1))
