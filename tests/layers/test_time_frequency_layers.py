"""Layers over time and frequency equal Keras' own or closed forms, also on blocks."""

import keras
import numpy as np
import pytest

from tfsepgan.errors import ConfigError
from tfsepgan.layers.time_frequency import (
    FoldBins,
    FrameNorm,
    FrequencyDense,
    Places,
    TimeFrequencyConv,
    UnfoldBins,
    positions_of,
)


def noise(*shape, seed=0):
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)


def stirred(layer, shape):
    """Return a built layer whose biases are not zero."""
    layer.build(shape)
    layer.set_weights(
        [noise(*weight.shape, seed=number + 1) for number, weight in enumerate(layer.weights)]
    )
    return layer


KERNELS = [
    ((3, 3), 1),
    ((5, 1), 1),
    ((1, 3), 1),
    ((3, 1), 1),
    ((3, 1), 2),
    ((3, 1), 5),
    ((5, 1), 3),
]


@pytest.mark.parametrize("frames", [1, 2, 5, 17])
@pytest.mark.parametrize(("kernel", "dilation"), KERNELS)
def test_the_convolution_is_keras_own(kernel, dilation, frames):
    signal = noise(2, frames, 6, 3)
    layer = stirred(TimeFrequencyConv(4, kernel, dilation, activation="relu"), signal.shape)
    twin = keras.layers.Conv2D(
        4, kernel, padding="same", dilation_rate=(dilation, 1), activation="relu"
    )
    twin.build(signal.shape)
    twin.set_weights(layer.get_weights())
    np.testing.assert_allclose(layer(signal), twin(signal), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize(("kernel", "dilation"), KERNELS)
def test_inside_with_context_equals_the_padded_layer(kernel, dilation):
    signal = noise(2, 23, 6, 3)
    layer = stirred(TimeFrequencyConv(4, kernel, dilation), signal.shape)
    assert layer.reach == dilation * (kernel[0] // 2)
    whole = np.asarray(layer(signal))
    np.testing.assert_allclose(
        layer.inside(signal), whole[:, layer.reach : 23 - layer.reach], rtol=1e-5, atol=1e-5
    )


def test_a_dilated_kernel_that_spans_positions_is_refused():
    with pytest.raises(ConfigError, match=r"\(3, 3\) cannot have dilation 2"):
        TimeFrequencyConv(4, (3, 3), 2)


def test_the_norm_of_a_frame_does_not_depend_on_other_frames():
    signal = noise(2, 5, 6, 3)
    normed = np.asarray(FrameNorm(epsilon=1e-9)(signal))
    np.testing.assert_allclose(np.square(normed).mean(axis=(2, 3)), 1, rtol=1e-4)
    louder = signal * np.arange(1, 6, dtype="float32")[None, :, None, None]
    np.testing.assert_allclose(FrameNorm(epsilon=1e-9)(louder), normed, rtol=1e-4)
    assert not np.any(FrameNorm()(np.zeros((1, 2, 3, 4), "float32")))


def test_the_norm_is_computed_in_float32():
    """The error of a mean of many bfloat16 squares would exceed their own rounding."""
    signal = keras.ops.cast(noise(1, 2, 400, 16), "bfloat16")
    normed = np.asarray(keras.ops.cast(FrameNorm(dtype="bfloat16")(signal), "float32"))
    # of the factor itself
    np.testing.assert_allclose(np.square(normed).mean(axis=(2, 3)), 1, rtol=1e-2)


def test_the_dense_layer_across_frequency_is_the_same_for_every_channel():
    signal = noise(2, 5, 6, 3)
    layer = stirred(FrequencyDense(2), signal.shape)
    squeeze, squeeze_bias, expand, expand_bias = layer.get_weights()
    expected = np.empty_like(signal)
    for channel in range(3):
        narrow = np.maximum(signal[..., channel] @ squeeze + squeeze_bias, 0)
        expected[..., channel] = narrow @ expand + expand_bias
    np.testing.assert_allclose(layer(signal), expected, rtol=1e-4, atol=1e-4)


def test_places_add_the_same_bias_in_every_frame():
    layer = stirred(Places(), (2, 5, 6, 3))
    np.testing.assert_array_equal(
        layer(np.zeros((2, 5, 6, 3), "float32"))[1, 3], layer.get_weights()[0]
    )
    fresh = Places()
    fresh.build((2, 5, 6, 3))
    assert not np.any(fresh.get_weights()[0])


@pytest.mark.parametrize("features", [1, 3])
def test_a_position_holds_its_neighbouring_bins_of_every_feature(features):
    bins, patch = 10, 4
    inputs = noise(2, 5, features * bins)
    folded = np.asarray(FoldBins(bins, patch, 4)(inputs))
    each = inputs.reshape(2, 5, features, bins)
    assert folded.shape == (2, 5, 4, features * patch)
    np.testing.assert_array_equal(folded[:, :, 1], each[..., 4:8].reshape(2, 5, -1))
    np.testing.assert_array_equal(
        folded[:, :, 2].reshape(2, 5, features, patch)[..., :2], each[..., 8:]
    )
    np.testing.assert_array_equal(folded[:, :, 2].reshape(2, 5, features, patch)[..., 2:], 0)
    np.testing.assert_array_equal(folded[:, :, 3], 0)


@pytest.mark.parametrize("sources", [1, 3])
def test_unfolding_is_the_inverse_of_folding(sources):
    inputs = noise(2, 5, sources * 10)
    np.testing.assert_array_equal(UnfoldBins(10, sources)(FoldBins(10, 4, 4)(inputs)), inputs)


@pytest.mark.parametrize(
    ("bins", "patch", "levels", "expected"),
    [(1487, 4, 3, 376), (33, 4, 0, 9), (1, 1, 2, 4), (32, 4, 3, 8)],
)
def test_positions_are_the_fewest_that_can_be_halved(bins, patch, levels, expected):
    assert positions_of(bins, patch=patch, levels=levels) == expected
    assert expected % 2**levels == 0
    assert expected * patch >= bins > (expected - 2**levels) * patch


@pytest.mark.parametrize(
    "layer",
    [
        TimeFrequencyConv(4, (3, 1), 2, activation="relu"),
        FrequencyDense(2),
        FrameNorm(0.1),
        Places(),
        FoldBins(12, 3, 8),
    ],
    ids=lambda layer: type(layer).__name__,
)
def test_layers_are_restored_from_their_config_with_known_shapes(layer):
    shape = (2, 5, 24) if isinstance(layer, FoldBins) else (2, 5, 6, 3)
    again = keras.layers.deserialize(keras.layers.serialize(layer))
    layer.build(shape), again.build(shape)
    again.set_weights(layer.get_weights())
    signal = noise(*shape)
    np.testing.assert_array_equal(again(signal), layer(signal))
    assert tuple(layer.compute_output_shape(shape)) == tuple(layer(signal).shape)
