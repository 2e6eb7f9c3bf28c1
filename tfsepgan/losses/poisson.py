"""Losses of magnitudes: how well sources explain a mixture, and how smooth they are over time.

Every function keeps the frames apart, so that a search minimises a sum over frames, and the steps
of a frame do not depend on the number of frames.
"""

from keras import ops

FLOOR = 1e-8  # added to a rate before the logarithm, for frames of mean magnitude 1


def poisson_loss(rate, observed):
    """Return the negative log-likelihood of magnitudes as Poisson counts.

    Args:
      rate: `[..., bins]`, the sum of the sources' magnitudes, zero or above.
      observed: `[..., bins]`, magnitudes of the mixture, zero or above.
    Returns: `[...]`, mean over bins of rate - observed log(rate), without log(observed!), which
      does not depend on the rate.
    Source: Subakan & Smaragdis 2018, arXiv:1710.10779: the likelihood of the mixture; as KL-NMF,
      Fevotte & Cemgil 2009.
    """
    return ops.mean(rate - observed * ops.log(rate + FLOOR), axis=-1)


def divergence(rate, observed):
    """Return the generalised Kullback-Leibler divergence: the Poisson loss minus its minimum.

    Args:
      rate, observed: see `poisson_loss`.
    Returns: `[...]`, mean over bins; zero where both are equal.
    """
    return poisson_loss(rate, observed) - poisson_loss(observed, observed)


def smoothness(parts, levels):
    """Return how much the sources change from each frame to the next.

    Args:
      parts: magnitudes, `[batch, frames, parts, bins]`.
      levels: mean magnitude of the mixture in each frame, `[batch, frames, 1]`, above zero.
    Returns: `[batch, frames - 1]`: mean over bins of the absolute change, relative to the mean
      level of both frames, summed over sources.
    Source: Subakan & Smaragdis 2018, arXiv:1710.10779: the smoothness term.
    Departs from it: relative to the level, so that quiet passages are smoothed as much as loud
    ones.
    """
    change = ops.sum(ops.mean(ops.abs(parts[:, 1:] - parts[:, :-1]), axis=-1), axis=-1)
    return change / (0.5 * (levels[:, 1:, 0] + levels[:, :-1, 0]))
