"""Gradient penalties, which bound the slope of a critic."""

from keras import ops


def mix_at_random(real, fake, position):
    """Return points between real and fake windows.

    Args:
      real, fake: `[batch, time, channels]`.
      position: `[batch, 1, 1]` in [0, 1]: 0 gives real, 1 gives fake.
    Returns: `[batch, time, channels]`.
    Source: Gulrajani et al. 2017, arXiv:1704.00028, algorithm 1, line 6.
    """
    return real + position * (fake - real)


def slope_penalty(gradient):
    """Return the mean squared distance of the critic's slope from one.

    Args:
      gradient: gradient of the critic's score with respect to its input, `[batch, time, channels]`.
    Returns: scalar; zero when the gradient of every example has length one.
    Source: Gulrajani et al. 2017, arXiv:1704.00028, eq. 3.
    """
    return ops.mean(ops.square(_slope(gradient) - 1.0))


def one_sided_slope_penalty(gradient):
    """Return the mean square of the critic's slope above one; smaller slopes cost nothing.

    Args:
      gradient: gradient of the critic's score with respect to its input, `[batch, time, channels]`.
    Returns: scalar; zero when no example's gradient is longer than one.
    Source: Gulrajani et al. 2017, arXiv:1704.00028, section 4 ("two-sided penalty") mentions it;
      Petzka, Fischer & Lukovnicov 2018, arXiv:1709.08894, eq. 8, argue for it; the code of Stoller,
      Ewert & Dixon 2018 uses it.
    """
    return ops.mean(ops.square(ops.relu(_slope(gradient) - 1.0)))


def _slope(gradient):
    return ops.sqrt(ops.sum(ops.square(gradient), axis=(1, 2)) + 1e-12)
