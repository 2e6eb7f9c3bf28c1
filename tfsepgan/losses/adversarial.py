"""Losses of discriminator and generator from scores, for each adversarial objective.

`scores` is a list with one tensor of any shape for each branch of the discriminator. Every loss is
the mean over the scores of a branch, then over branches, so that its size does not depend on the
kind of discriminator.

Sources: vanilla, Goodfellow et al. 2014 (arXiv:1406.2661), the generator's loss non-saturating as
in its section 3; LSGAN, Mao et al. 2017 (arXiv:1611.04076); hinge, Lim & Ye 2017
(arXiv:1705.02894); Wasserstein, Gulrajani et al. 2017 (arXiv:1704.00028).
"""

from keras import ops

from tfsepgan.config import nearest
from tfsepgan.errors import ConfigError


def _above_one(scores):
    return ops.relu(1.0 - scores)


def _below_minus_one(scores):
    return ops.relu(1.0 + scores)


def _certainly(scores):
    return ops.softplus(-scores)


def _close_to_one(scores):
    return ops.square(scores - 1.0)


# For each objective: the loss of a score that should be high, the loss of a score that should be
# low, and the generator's loss of the score of an estimate.
OBJECTIVES = {
    "vanilla": (_certainly, ops.softplus, _certainly),
    "lsgan": (_close_to_one, ops.square, _close_to_one),
    "hinge": (_above_one, _below_minus_one, ops.negative),
    "wgan-gp": (ops.negative, ops.convert_to_tensor, ops.negative),
}


def _objective(name: str):
    if name not in OBJECTIVES:
        raise ConfigError(f"There is no objective {name!r}; {nearest(name, OBJECTIVES)}")
    return OBJECTIVES[name]


def _mean(per_score, scores):
    means = [ops.mean(per_score(ops.cast(score, "float32"))) for score in scores]
    return sum(means) / len(means)


def real_loss(objective: str, scores):
    """Return the discriminator's loss on scores that should be high; scalar."""
    return _mean(_objective(objective)[0], scores)


def fake_loss(objective: str, scores):
    """Return the discriminator's loss on scores that should be low; scalar."""
    return _mean(_objective(objective)[1], scores)


def generator_loss(objective: str, scores):
    """Return the generator's loss on the scores of its estimates; scalar."""
    return _mean(_objective(objective)[2], scores)


def three_term_discriminator_loss(
    objective: str, real, generated, mixture, *, mixture_weight: float = 1.0
):
    """Return S-SepGAN's discriminator loss: target real, estimate fake, raw mixture fake.

    Args:
      real, generated, mixture: lists of scores of target, estimate and mixture.
      mixture_weight: weight of the third term.
    Returns: scalar.
    Source: ElAraby, Ni & Tran, "S-SepGAN", section 3.3.
    """
    loss = real_loss(objective, real) + fake_loss(objective, generated)
    return loss + mixture_weight * fake_loss(objective, mixture)


def feature_matching(real_features, fake_features):
    """Return the mean distance of the discriminator's layer outputs between target and estimate.

    Args:
      real_features, fake_features: lists of tensors of equal shapes; the first gets no gradient.
    Returns: scalar: each layer's mean absolute difference over its mean absolute value, averaged
      over layers.
    Source: Larsen et al. 2016 (arXiv:1512.09300); Kumar et al. 2019, MelGAN (arXiv:1910.06711), eq.
    4. Departs from it: relative to the size of the layer's output, so that wide layers do not
    dominate.
    """
    distances = []
    for real, fake in zip(real_features, fake_features, strict=True):
        real = ops.stop_gradient(ops.cast(real, "float32"))
        fake = ops.cast(fake, "float32")
        distances.append(ops.mean(ops.abs(real - fake)) / (ops.mean(ops.abs(real)) + 1e-5))
    return sum(distances) / len(distances)
