"""The diversity loss: generated sounds must differ from each other as much as recordings do.

Source: the idea is that of mode seeking, Mao et al. 2019, arXiv:1903.05628, eq. 5: sounds of
different latents should differ.
Departs from it: differences are those of the discriminator's features, averaged over time. Sounds
need not differ more than recordings do. So no distance of latents is needed, and the loss is zero
where there is enough diversity.
"""

from keras import ops


def missing_diversity(real_features, made_features):
    """Return how much less generated sounds differ than recordings, by a discriminator's features.

    Args:
      real_features, made_features: lists of outputs of its layers for recordings and generated
        sounds, `[batch, ..., channels]`, a batch of at least two; the first gets no gradient.
    Returns: scalar in [0, 1], mean over layers: 1 where all generated sounds are equal, 0 where
      they differ as much as recordings or more.
    """
    missing = []
    for real, made in zip(real_features, made_features, strict=True):
        wanted = ops.stop_gradient(_difference(real))
        missing.append(ops.relu(1.0 - _difference(made) / (wanted + 1e-6)))
    return sum(missing) / len(missing)


def _difference(feature):
    """Return the mean absolute difference between batch neighbours of time-averaged features."""
    feature = ops.cast(feature, "float32")
    average = ops.mean(feature, axis=tuple(range(1, len(feature.shape) - 1)))
    return ops.mean(ops.abs(average - ops.roll(average, 1, axis=0)))
