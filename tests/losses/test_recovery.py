"""The objectives of the search equal NumPy twins of the paper's equations."""

import numpy as np
import pytest

from tfsepgan.losses.recovery import (
    FLOOR,
    latent_energy,
    loudness,
    loudness_distance,
    measured_error,
    shares,
    spectral_power,
    squared_error,
)

FRAME, HOP = 64, 32


def noise(*shape, seed=0):
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)


def twin_power(signal):
    """Cut frames under the square root of a Hann window, one by one; return their power."""
    window = np.sqrt(0.5 - 0.5 * np.cos(2 * np.pi * np.arange(FRAME) / FRAME))
    padded = np.pad(signal, FRAME - HOP)
    starts = range(0, len(padded) - FRAME + 1, HOP)
    return np.stack(
        [np.abs(np.fft.rfft(window * padded[start : start + FRAME])) ** 2 for start in starts]
    )


def test_power_is_that_of_each_windowed_frame():
    signal = noise(2, 3, 256, 1)
    power = np.asarray(spectral_power(signal, FRAME, HOP))
    assert power.shape == (2, 3, 9, 33)
    for one, two in np.ndindex(2, 3):
        np.testing.assert_allclose(
            power[one, two], twin_power(signal[one, two, :, 0]), rtol=1e-3, atol=1e-4
        )
    np.testing.assert_allclose(spectral_power(signal[:, 0], FRAME, HOP), power[:, 0], rtol=1e-5)


def test_loudness_rises_by_a_tenth_for_each_factor_e_of_power():
    assert float(loudness(np.float32(np.e)) - loudness(np.float32(1.0))) == pytest.approx(
        0.1, abs=1e-5
    )
    assert float(loudness(np.float32(0.0))) == pytest.approx(0.1 * np.log(FLOOR) + 0.4, abs=1e-5)


@pytest.mark.parametrize("weight", [1.0, 0.25, 0.0])
def test_the_loudness_distance_weights_unexplained_energy(weight):
    observed, made = np.exp(noise(2, 4, 5)), np.exp(noise(2, 4, 5, seed=1))
    difference = 0.1 * np.log((2 * made + FLOOR) / (2 * observed + FLOOR))
    expected = np.where(difference > 0, difference, -weight * difference).mean(axis=(1, 2))
    np.testing.assert_allclose(
        loudness_distance(observed, made, unexplained_weight=weight), expected, rtol=1e-4
    )


def test_the_loudness_distance_ignores_phase_and_is_zero_for_equal_windows():
    signal = noise(1, 256, 1)
    observed, turned = spectral_power(signal, FRAME, HOP), spectral_power(-signal, FRAME, HOP)
    assert float(loudness_distance(observed, turned)[0]) == 0
    assert float(squared_error(signal, -signal)[0]) == pytest.approx(
        4 * np.sum(signal**2), rel=1e-5
    )


def test_the_measured_error_is_the_papers_squared_norm():
    matrix, made, measurements = noise(5, 16), noise(3, 16, 1, seed=1), noise(3, 5, seed=2)
    expected = [np.linalg.norm(matrix @ made[k, :, 0] - measurements[k]) ** 2 for k in range(3)]
    np.testing.assert_allclose(measured_error(measurements, matrix, made), expected, rtol=1e-4)


def test_the_latent_energy_is_the_squared_norm_of_all_numbers_of_an_example():
    latents = noise(3, 2, 8)
    expected = [np.linalg.norm(one) ** 2 for one in latents]
    np.testing.assert_allclose(latent_energy(latents), expected, rtol=1e-5)


def test_shares_are_powers_over_their_sum_and_sum_to_one():
    power = np.exp(noise(2, 3, 4, 5))
    given = np.asarray(shares(power))
    np.testing.assert_allclose(given, power / power.sum(axis=1, keepdims=True), rtol=1e-4)
    np.testing.assert_allclose(given.sum(axis=1), 1, atol=1e-6)
    np.testing.assert_allclose(shares(np.zeros((1, 2, 1, 1), np.float32)), 0.5)


def test_with_a_residual_shares_are_of_the_mixture():
    power = np.array([4.0, 4.0, 4.0], np.float32).reshape(1, 1, 1, 3)
    mixture = np.array([16.0, 4.0, 1.0], np.float32).reshape(1, 1, 3)
    np.testing.assert_allclose(np.ravel(shares(power, mixture)), [0.25, 1, 1], rtol=1e-5)
