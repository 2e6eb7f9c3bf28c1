"""Moving statistics of batch normalisation in a generator with several kinds of input.

An exported generator uses the moving statistics of its batch normalisation, and its inputs are
mixtures only. Some training passes have other inputs (a source alone, a mixture made of sources).
They normalise by the statistics of their own batch and must not change the moving ones.

The running mean of a generator's weights needs statistics of its own where a layer normalises the
output of a layer with weights: averaged weights give activations of smaller variance than the
weights that they average (Izmailov et al. 2018, arXiv:1803.05407, section 3.2).
"""

from collections.abc import Iterator
from contextlib import contextmanager

import keras
from keras import ops


@contextmanager
def statistics_kept(network: keras.Model, *, unless=False):
    """Within this context, calls with `training=True` do not change a network's moving statistics.

    Args:
      network: any model, also one without batch normalisation.
      unless: if True, or a boolean tensor that is true, the statistics change as usual.
    """
    if unless is True:
        yield
        return
    moving = [(layer.moving_mean, layer.moving_variance) for layer in batch_normalisations(network)]
    variables = [variable for pair in moving for variable in pair]
    # `convert_to_tensor` would return the variable itself
    before = [ops.copy(variable) for variable in variables]
    yield
    for variable, value in zip(variables, before, strict=True):
        variable.assign(value if unless is False else ops.where(unless, variable, value))


def batch_normalisations(network: keras.Model) -> Iterator[keras.layers.BatchNormalization]:
    """The batch normalisation layers of a network and of models inside it, first to last."""
    for layer in network.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            yield layer
        elif isinstance(layer, keras.Model):
            yield from batch_normalisations(layer)


def normalises_weighted_outputs(network: keras.Model) -> bool:
    """Whether a Functional network has batch normalisation after a layer with weights."""
    learns = False
    for layer in network.layers:  # in the order of the forward pass
        if learns and _has_normalisation(layer):
            return True
        learns = learns or bool(layer.trainable_weights)
    return False


def _has_normalisation(layer: keras.layers.Layer) -> bool:
    if isinstance(layer, keras.Model):
        return next(batch_normalisations(layer), None) is not None
    return isinstance(layer, keras.layers.BatchNormalization)
