"""How far what the parts add up to is from the mixture that is heard, and how much the parts jump
about: losses of magnitudes.

Every function keeps the frames apart, so that what a search minimises is a sum over frames, and no
frame's steps depend on how many others there are.
"""

from keras import ops

FLOOR = 1e-8  # of a rate, relative to a frame of mean magnitude 1: a logarithm's argument


def poisson_loss(rate, observed):
    """Negative logarithm of the probability of magnitudes, were each a count with a mean of its
    own.

    Args:
      rate: `[..., bins]`, what the parts add up to, zero or above.
      observed: `[..., bins]`, magnitudes of the mixture, zero or above.
    Returns: `[...]`, mean over bins of rate - observed log(rate); the term that no rate changes,
      log(observed!), is left out.
    Source: Subakan & Smaragdis 2018, arXiv:1710.10779: the likelihood of the mixture; as KL-NMF,
      Fevotte & Cemgil 2009.
    """
    return ops.mean(rate - observed * ops.log(rate + FLOOR), axis=-1)


def divergence(rate, observed):
    """Generalised Kullback-Leibler divergence of magnitudes from what they should be; the Poisson
    loss over its smallest value.

    Args:
      rate, observed: see `poisson_loss`.
    Returns: `[...]`, mean over bins; zero where both are equal.
    """
    return poisson_loss(rate, observed) - poisson_loss(observed, observed)


def jumps(parts, levels):
    """How much the parts change from each frame to the next.

    Args:
      parts: magnitudes, `[batch, frames, parts, bins]`.
      levels: what counts as loud there, `[batch, frames, 1]`, above zero: the mixture's mean
        magnitude in each frame.
    Returns: `[batch, frames - 1]`: mean over bins of the absolute change, over the mean level of
      both frames, summed over parts.
    Source: Subakan & Smaragdis 2018, arXiv:1710.10779: the smoothness term.
    Departs from it: relative to the level, so that quiet passages are smoothed as loud ones are.
    """
    change = ops.sum(ops.mean(ops.abs(parts[:, 1:] - parts[:, :-1]), axis=-1), axis=-1)
    return change / (0.5 * (levels[:, 1:, 0] + levels[:, :-1, 0]))
