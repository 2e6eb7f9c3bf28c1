"""Bands cover every bin once; their layers equal separate dense layers in NumPy."""

import keras
import numpy as np
import pytest

from tfsepgan.layers.bands import BandDense, BandMerge, BandSplit, Group, band_groups, bins_in

BINS = 19
# 3 x 2, 3 x 4, 1 x 8: the last reaches beyond the bins
GROUPS = band_groups(BINS, narrowest=2, a_width=3)


def noise(*shape, seed=0):
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)


def stirred(layer, shape):
    layer.build(shape)
    layer.set_weights(
        [noise(*weight.shape, seed=number + 1) for number, weight in enumerate(layer.weights)]
    )
    return layer


def bins_of_bands():
    """Return the first bin and the end of each band, cut to the existing bins."""
    widths = [width for bands, width in GROUPS for _ in range(bands)]
    ends = np.cumsum(widths)
    return [(end - width, min(end, BINS)) for end, width in zip(ends, widths, strict=True)]


def test_band_widths_double_upwards():
    assert list(GROUPS) == [Group(3, 2), Group(3, 4), Group(1, 8)]
    assert bins_in(GROUPS) == 26
    piano = band_groups(1487, narrowest=8, a_width=16)
    assert piano == ((16, 8), (16, 16), (16, 32), (10, 64))
    assert sum(group.bands for group in piano) == 58


@pytest.mark.parametrize("bins", [1, 2, 7, 64, 513, 2049])
@pytest.mark.parametrize("narrowest", [1, 8])
def test_bands_cover_the_bins_and_none_is_unused(bins, narrowest):
    groups = band_groups(bins, narrowest=narrowest, a_width=5)
    assert bins_in(groups) - groups[-1].width < bins <= bins_in(groups)
    assert [group.width for group in groups] == [
        narrowest * 2**number for number in range(len(groups))
    ]
    assert all(group.bands == 5 for group in groups[:-1])


@pytest.mark.parametrize("features", [1, 2])
def test_each_band_is_projected_by_its_own_weights(features):
    inputs = noise(2, 3, features * BINS)
    layer = stirred(BandSplit(GROUPS, BINS, 5), inputs.shape)
    kernel, bias = layer.get_weights()
    each = inputs.reshape(2, 3, features, BINS)
    expected = [
        np.einsum("btfi,fic->btc", each[..., first:end], kernel[:, first:end]) + bias[band]
        for band, (first, end) in enumerate(bins_of_bands())
    ]
    np.testing.assert_allclose(layer(inputs), np.stack(expected, axis=2), rtol=1e-4, atol=1e-4)


def test_a_bands_dense_layer_is_its_own():
    signal = noise(2, 3, 7, 5)
    layer = stirred(BandDense(4, activation="relu"), signal.shape)
    kernel, bias = layer.get_weights()
    np.testing.assert_allclose(
        layer(signal),
        np.maximum(np.einsum("btki,kio->btko", signal, kernel) + bias, 0),
        rtol=1e-4,
        atol=1e-4,
    )


@pytest.mark.parametrize("sources", [1, 2])
def test_every_bin_depends_on_its_bands_channels(sources):
    signal = noise(2, 3, 7, 5)
    layer = stirred(BandMerge(GROUPS, BINS, sources, activation="tanh"), signal.shape)
    kernel, bias = layer.get_weights()
    expected = np.empty((2, 3, sources * BINS), "float32")
    for source in range(sources):
        for band, (first, end) in enumerate(bins_of_bands()):
            columns = slice(source * BINS + first, source * BINS + end)
            expected[..., columns] = np.tanh(
                signal[:, :, band] @ kernel[:, columns] + bias[columns]
            )
    np.testing.assert_allclose(layer(signal), expected, rtol=1e-4, atol=1e-4)


def test_initial_weights_keep_the_level():
    inputs = noise(4, 50, 1487)
    groups = band_groups(1487, narrowest=8, a_width=16)
    keras.utils.set_random_seed(0)
    signal = BandSplit(groups, 1487, 64)(inputs)
    assert 0.2 < np.std(signal) < 1.5
    assert 0.5 < np.std(BandDense(64)(noise(4, 50, 58, 64))) < 1.5
    assert 0.8 < np.std(BandMerge(groups, 1487, 1)(noise(4, 50, 58, 64))) < 1.2


@pytest.mark.parametrize(
    ("layer", "shape"),
    [
        (BandSplit(GROUPS, BINS, 5), (2, 3, 2 * BINS)),
        (BandDense(4, activation="relu"), (2, 3, 7, 5)),
        (BandMerge(GROUPS, BINS, 2, activation="sigmoid"), (2, 3, 7, 5)),
    ],
    ids=["split", "dense", "merge"],
)
def test_layers_are_restored_from_their_config_with_known_shapes(layer, shape):
    again = keras.layers.deserialize(keras.layers.serialize(layer))
    layer.build(shape), again.build(shape)
    again.set_weights(layer.get_weights())
    signal = noise(*shape)
    np.testing.assert_array_equal(again(signal), layer(signal))
    assert tuple(layer.compute_output_shape(shape)) == tuple(layer(signal).shape)
