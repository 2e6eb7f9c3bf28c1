"""How alike the sounds of a generator are, beside how alike recordings are: what gives a collapsed
generator away.

Source: the idea is that of mode seeking, Mao et al. 2019, arXiv:1903.05628, eq. 5: sounds of
  different latents should differ.
Departs from it: the difference is heard by the discriminator, averaged over time, and wanted only
up to that of recordings, so that it needs no distance of latents and stops pushing where there is
enough of it.
"""

from keras import ops


def likeness(real_features, made_features):
    """How much less two made sounds differ than two recordings do, to a discriminator's ear.

    Args:
      real_features, made_features: lists of its layers' outputs, `[batch, ..., channels]`, a batch
        of at least two; no gradient flows into the first.
    Returns: scalar in [0, 1]: 1 where all made sounds are one, 0 where they differ as recordings do
      or more; mean over layers.
    """
    missing = []
    for real, made in zip(real_features, made_features, strict=True):
        wanted = ops.stop_gradient(_difference(real))
        missing.append(ops.relu(1.0 - _difference(made) / (wanted + 1e-6)))
    return sum(missing) / len(missing)


def _difference(feature):
    """Mean absolute difference between each sound of a batch and the next, of what is heard on
    average over time."""
    feature = ops.cast(feature, "float32")
    heard = ops.mean(feature, axis=tuple(range(1, len(feature.shape) - 1)))
    return ops.mean(ops.abs(heard - ops.roll(heard, 1, axis=0)))
