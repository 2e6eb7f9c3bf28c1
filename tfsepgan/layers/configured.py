"""Bases of layers: what a layer is saved with, and the shape of its output."""

import inspect

import keras

_OF_KERAS = inspect.signature(keras.layers.Layer.__init__).parameters


class ConfiguredLayer(keras.layers.Layer):
    """A layer that is saved with its arguments.

    Every argument of the subclass is an attribute of the same name: a plain value, or an activation
    or initializer of Keras.
    """

    def get_config(self):
        arguments = inspect.signature(type(self).__init__).parameters
        own = {name: self._saved(name) for name in arguments if name not in _OF_KERAS}
        return {**super().get_config(), **own}

    def _saved(self, name: str):
        value = getattr(self, name)
        if isinstance(value, keras.initializers.Initializer):
            return keras.initializers.serialize(value)
        return keras.activations.serialize(value) if callable(value) else value


class SameShapeLayer(ConfiguredLayer):
    """A layer whose output has the shape of its input."""

    def compute_output_shape(self, shape):
        return shape
