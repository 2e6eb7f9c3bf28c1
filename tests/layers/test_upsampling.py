"""Upsampling and convolution in one layer equal Keras' two layers."""

import keras
import numpy as np
import pytest

from tfsepgan.layers.upsampling import UpsampledConv1D


def noise(*shape, seed=0):
    return np.random.default_rng(seed).standard_normal(shape).astype("float32")


def pair(kernel_size, stride, *, channels=3, filters=2):
    """Return the layer, and Keras' two layers with the same weights."""
    layer = UpsampledConv1D(filters, kernel_size, stride)
    convolution = keras.layers.Conv1D(filters, kernel_size, padding="same")
    layer.build((None, None, channels))
    convolution.build((None, None, channels))
    weights = [noise(kernel_size, channels, filters), noise(filters, seed=1)]
    layer.set_weights(weights)
    convolution.set_weights(weights)
    return layer, lambda signal: convolution(keras.layers.UpSampling1D(stride)(signal))


@pytest.mark.parametrize("frames", [1, 2, 9])
@pytest.mark.parametrize(
    ("kernel_size", "stride"), [(25, 4), (3, 4), (27, 4), (5, 2), (1, 3), (7, 1)]
)
def test_it_is_nearest_neighbours_and_then_a_convolution(kernel_size, stride, frames):
    layer, two_layers = pair(kernel_size, stride)
    signal = noise(2, frames, 3)
    assert layer(signal).shape == (2, stride * frames, 2)
    np.testing.assert_allclose(layer(signal), two_layers(signal), atol=1e-5)


def test_gradients_are_those_of_the_two_layers():
    import tensorflow as tf

    layer, two_layers = pair(25, 4)
    signal = tf.constant(noise(2, 9, 3))
    gradients = []
    for network in (layer, two_layers):
        with tf.GradientTape() as tape:
            tape.watch(signal)
            loss = tf.reduce_sum(tf.sin(network(signal)))
        gradients.append(tape.gradient(loss, signal))
    np.testing.assert_allclose(*gradients, atol=1e-4)


def test_frames_with_context_need_no_padding():
    layer, _ = pair(25, 4)
    signal, reach = noise(1, 20, 3), layer.reach
    inner = layer.inside(signal[:, 5 - reach : 12 + reach])
    np.testing.assert_allclose(inner, layer(signal)[:, 4 * 5 : 4 * 12], atol=1e-5)


def test_upsampling_is_restored_from_its_config():
    layer, _ = pair(25, 4)
    again = UpsampledConv1D.from_config(layer.get_config())
    again.build((None, None, 3))
    again.set_weights(layer.get_weights())
    np.testing.assert_array_equal(again(noise(1, 6, 3)), layer(noise(1, 6, 3)))
