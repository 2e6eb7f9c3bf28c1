"""Random matrices keep lengths on average; measuring and back-projection equal the equations."""

import numpy as np
import pytest

from tfsepgan.dsp.measurements import back_projection, gaussian_matrix, measure, relative_error
from tfsepgan.errors import ConfigError, ShapeError


def windows(count=3, time=64, seed=0):
    return np.random.default_rng(seed).standard_normal((count, time)).astype(np.float32)


def orthonormal(rows, time, seed=1):
    basis, _ = np.linalg.qr(np.random.default_rng(seed).standard_normal((time, time)))
    return basis[:rows].astype(np.float32)


@pytest.mark.parametrize("measurements", [10, 400])
def test_entries_are_normal_with_variance_one_over_the_measurements(measurements):
    matrix = gaussian_matrix(measurements, 1000, seed=0)
    assert matrix.shape == (measurements, 1000) and matrix.dtype == np.float32
    scaled = matrix * np.sqrt(measurements)
    assert abs(scaled.mean()) < 0.05
    assert scaled.var() == pytest.approx(1, abs=0.05)
    assert np.mean(scaled**4) == pytest.approx(3, abs=0.3)  # a normal distribution's


def test_lengths_are_kept_on_average():
    signal = windows(1)
    lengths = [
        np.sum(measure(signal, gaussian_matrix(20, 64, seed=seed)) ** 2) for seed in range(400)
    ]
    assert np.mean(lengths) == pytest.approx(np.sum(signal**2), rel=0.05)


def test_the_same_seed_gives_the_same_matrix_and_another_does_not():
    assert np.array_equal(gaussian_matrix(5, 8, seed=3), gaussian_matrix(5, 8, seed=3))
    assert not np.array_equal(gaussian_matrix(5, 8, seed=3), gaussian_matrix(5, 8, seed=4))


def test_measurements_are_the_matrix_times_the_window():
    signal, matrix = windows(), gaussian_matrix(7, 64, seed=0)
    expected = [[sum(matrix[row] * one) for row in range(7)] for one in signal]
    np.testing.assert_allclose(measure(signal, matrix), expected, atol=1e-5)


def test_noise_has_the_requested_length():
    signal, matrix = np.zeros((500, 64), np.float32), gaussian_matrix(9, 64, seed=0)
    noise = measure(signal, matrix, noise=0.3, seed=5)
    assert np.sqrt(np.mean(np.sum(noise**2, axis=1))) == pytest.approx(0.3, rel=0.05)
    assert np.array_equal(noise, measure(signal, matrix, noise=0.3, seed=5))
    assert not np.array_equal(noise, measure(signal, matrix, noise=0.3, seed=6))


def test_with_as_many_orthonormal_rows_as_samples_the_back_projection_is_the_window():
    signal, matrix = windows(), orthonormal(64, 64)
    np.testing.assert_allclose(back_projection(measure(signal, matrix), matrix), signal, atol=1e-5)


def test_with_fewer_it_is_the_closest_window_in_their_span():
    signal, matrix = windows(), orthonormal(10, 64)
    projected = back_projection(measure(signal, matrix), matrix)
    fitted, *_ = np.linalg.lstsq(matrix.T, signal.T, rcond=None)
    np.testing.assert_allclose(projected, (matrix.T @ fitted).T, atol=1e-5)


def test_with_random_rows_it_is_the_window_with_noise_of_n_over_m_times_its_power():
    signal, found = windows(1), []
    for seed in range(600):
        matrix = gaussian_matrix(16, 64, seed=seed)
        found.append(back_projection(measure(signal, matrix), matrix)[0])
    np.testing.assert_allclose(np.mean(found, axis=0), signal[0], atol=0.35)
    noise = np.mean(np.sum((found - signal) ** 2, axis=1)) / np.sum(signal**2)
    assert noise == pytest.approx(65 / 16, rel=0.1)  # (n + 1) / m, a Wishart matrix's variance


def test_the_relative_error_is_zero_when_exact_and_one_for_silence():
    signal = windows()
    np.testing.assert_array_equal(relative_error(signal, signal), 0)
    np.testing.assert_allclose(relative_error(signal, np.zeros_like(signal)), 1)
    np.testing.assert_allclose(relative_error(signal, -signal), 4)


def test_shapes_that_do_not_fit_are_refused_with_both_shapes():
    with pytest.raises(ShapeError, match=r"\[3, 64\].*\[7, 63\]"):
        measure(windows(), gaussian_matrix(7, 63, seed=0))
    with pytest.raises(ShapeError, match=r"\[3, 64\] and \[2, 64\]"):
        relative_error(windows(), windows(2))
    with pytest.raises(ShapeError, match="silent"):
        relative_error(np.zeros((2, 8)), np.ones((2, 8)))
    with pytest.raises(ConfigError, match="got 0 measurements of 8 samples"):
        gaussian_matrix(0, 8, seed=0)
