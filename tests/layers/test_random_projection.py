"""Random projections are linear, fixed, different from each other, and keep lengths."""

import keras
import numpy as np
import pytest

from tfsepgan.errors import ConfigError
from tfsepgan.layers.random_projection import RandomProjection, random_filters


def noise(*shape, seed=0):
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)


@pytest.mark.parametrize(("kernel_size", "stride"), [(8, 2), (12, 12), (7, 3), (192, 12), (5, 5)])
def test_the_projection_is_numpys_product_with_every_position(kernel_size, stride):
    waveform = noise(2, 9 * stride, 1)
    layer = RandomProjection(3, kernel_size, stride, seed=4)
    got = np.asarray(layer(waveform))
    assert got.shape == layer.compute_output_shape(waveform.shape) == (2, 9, 3)
    before = (kernel_size - stride) // 2
    padded = np.pad(waveform[..., 0], [[0, 0], [before, kernel_size - stride - before]])
    stretches = np.stack(
        [padded[:, i * stride : i * stride + kernel_size] for i in range(9)], axis=1
    )
    np.testing.assert_allclose(got, stretches @ random_filters(3, kernel_size, 4), atol=1e-5)


def test_it_is_linear():
    layer = RandomProjection(4, 24, 6, seed=0)
    one, two = noise(2, 120, 1), noise(2, 120, 1, seed=1)
    together = layer(3 * one - 0.5 * two)
    np.testing.assert_allclose(together, 3 * layer(one) - 0.5 * layer(two), atol=1e-5)
    assert not np.any(layer(0 * one))


def test_filters_are_of_unit_length_and_nearly_at_right_angles():
    filters = random_filters(64, 192, seed=0)
    assert filters.dtype == np.float32
    products = filters.T @ filters
    np.testing.assert_allclose(np.diag(products), 1, atol=1e-6)
    between = products[~np.eye(64, dtype=bool)]
    assert np.abs(between).max() < 0.4
    # of two uniform directions in n dimensions: 1 / sqrt(n)
    assert np.std(between) == pytest.approx(192**-0.5, rel=0.1)


def test_white_noise_keeps_its_power():
    waveform = 0.3 * noise(1, 12 * 20000, 1)
    power = np.mean(np.square(RandomProjection(8, 192, 12, seed=0)(waveform)), axis=(0, 1))
    np.testing.assert_allclose(power, 0.09, rtol=0.05)


@pytest.mark.parametrize("cycles", [0.0, 0.01, 0.37])
def test_over_many_filters_any_sound_keeps_its_power(cycles):
    # E (w . x)^2 = |x|^2 / n, for w uniform on the sphere of n dimensions.
    waveform = np.cos(2 * np.pi * cycles * np.arange(240) + 0.4).astype(np.float32)[None, :, None]
    projected = np.asarray(RandomProjection(20000, 24, 6, seed=0)(waveform))[0]
    padded = np.pad(waveform[0, :, 0], 9)
    expected = [np.mean(padded[i * 6 : i * 6 + 24] ** 2) for i in range(40)]
    np.testing.assert_allclose(np.mean(projected**2, axis=1), expected, rtol=0.06)


def test_more_projections_keep_distances_better():
    # Johnson and Lindenstrauss: the error of a squared distance falls as one over the root of the
    # number of values kept.
    one, two = noise(1, 240, 1), noise(1, 240, 1, seed=1)
    distance = np.sum((one - two)[0, :, 0] ** 2)
    errors = []
    for count in (1, 16, 256):
        ratios = []
        for seed in range(30):
            layer = RandomProjection(count, 240, 240, seed=seed)
            projected = np.asarray(layer(one)) - np.asarray(layer(two))
            ratios.append(240 * np.sum(projected**2) / count / distance)
        errors.append(np.std(ratios))
        assert errors[-1] == pytest.approx(
            np.sqrt(2 / count), rel=0.5
        )  # of the mean of `count` chi-squares of one degree
    assert errors[0] > 2 * errors[1] > 4 * errors[2]


def test_projections_differ_and_follow_the_seed():
    waveform = noise(1, 240, 1)
    projected, again, other = (
        np.asarray(RandomProjection(6, 24, 6, seed=seed)(waveform)) for seed in (1, 1, 2)
    )
    assert np.array_equal(projected, again)
    together = np.concatenate([projected, other], axis=-1)[0]
    correlations = np.corrcoef(together.T)[~np.eye(12, dtype=bool)]
    assert np.abs(correlations).max() < 0.9


def test_more_projections_keep_the_first_ones():
    assert np.array_equal(random_filters(3, 50, seed=7), random_filters(12, 50, seed=7)[:, :3])


def test_a_filter_is_not_the_noise_that_its_seed_draws_elsewhere():
    for seed in (0, 1):
        drawn = np.random.default_rng(seed).standard_normal(50)
        assert np.abs(drawn @ random_filters(3, 50, seed) / np.linalg.norm(drawn)).max() < 0.5


def test_the_filters_are_weights_that_are_not_trained():
    layer = RandomProjection(3, 24, 6, seed=0)
    layer(noise(1, 24, 1))
    assert not layer.trainable_weights
    assert [tuple(weight.shape) for weight in layer.non_trainable_weights] == [(24, 1, 3)]


def test_the_projection_is_restored_from_its_config_with_known_shape():
    layer = RandomProjection(3, 24, 6, seed=5)
    assert layer(keras.Input((None, 1))).shape == (None, None, 3)
    assert layer(keras.Input((30, 1))).shape == (None, 5, 3)
    twin = RandomProjection.from_config(layer.get_config())
    waveform = noise(1, 30, 1)
    assert np.array_equal(twin(waveform), layer(waveform))


@pytest.mark.parametrize(("kernel_size", "stride"), [(4, 5), (4, 0)])
def test_filters_that_skip_samples_are_refused(kernel_size, stride):
    with pytest.raises(ConfigError, match=f"{kernel_size} samples long and {stride} apart"):
        RandomProjection(2, kernel_size, stride)
