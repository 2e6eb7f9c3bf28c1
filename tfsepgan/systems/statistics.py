"""Batch normalisation of a generator that is called on more than mixtures.

A generator ships with the moving statistics of its batch normalisation, and then hears mixtures only. Passes that ask something else
of it in training (a source alone, a mixture made of sources) use the statistics of their own batch and leave the moving ones alone.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import keras
from keras import ops


@contextmanager
def statistics_kept(network: keras.Model):
    """Calls of a network in here, with `training=True`, leave its moving means and variances as they were.

    Args:
      network: any model; one without batch normalisation is left as it is.
    """
    moving = [(layer.moving_mean, layer.moving_variance) for layer in batch_normalisations(network)]
    variables = [variable for pair in moving for variable in pair]
    before = [ops.copy(variable) for variable in variables]  # convert_to_tensor would give the variable itself
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
