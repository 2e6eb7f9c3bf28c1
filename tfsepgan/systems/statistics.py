"""Batch normalisation of a generator that is called on more than mixtures.

A generator ships with the moving statistics of its batch normalisation, and then hears mixtures
only. Passes that ask something else of it in training (a source alone, a mixture made of sources)
use the statistics of their own batch and leave the moving ones alone.

The running mean of a generator's weights needs statistics of its own where a layer normalises what
weights have made: averaged weights give activations of smaller variance than the weights that they
average (Izmailov et al. 2018, arXiv:1803.05407, section 3.2).
"""

from collections.abc import Iterator
from contextlib import contextmanager

import keras
from keras import ops


@contextmanager
def statistics_kept(network: keras.Model):
    """Calls of a network in here, with `training=True`, leave its moving means and variances as
    they were.

    Args:
      network: any model; one without batch normalisation is left as it is.
    """
    moving = [(layer.moving_mean, layer.moving_variance) for layer in batch_normalisations(network)]
    variables = [variable for pair in moving for variable in pair]
    # convert_to_tensor would give the variable itself
    before = [ops.copy(variable) for variable in variables]
    yield
    for variable, value in zip(variables, before, strict=True):
        variable.assign(value)


def batch_normalisations(network: keras.Model) -> Iterator[keras.layers.BatchNormalization]:
    """The batch normalisation layers of a network and of the models inside it, first to last."""
    for layer in network.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            yield layer
        elif isinstance(layer, keras.Model):
            yield from batch_normalisations(layer)


def normalises_what_weights_made(network: keras.Model) -> bool:
    """Whether a batch normalisation of a Functional network follows a layer that learns."""
    learns = False
    for layer in network.layers:  # in the order of use
        if learns and (
            isinstance(layer, keras.layers.BatchNormalization) or _has_normalisation(layer)
        ):
            return True
        learns = learns or bool(layer.trainable_weights)
    return False


def _has_normalisation(layer: keras.layers.Layer) -> bool:
    return isinstance(layer, keras.Model) and next(batch_normalisations(layer), None) is not None
