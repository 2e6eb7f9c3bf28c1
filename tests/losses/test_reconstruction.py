"""Distances are zero on equal waveforms, positive otherwise, and equal NumPy's."""

import numpy as np
import pytest
import tensorflow as tf

from tfsepgan.losses.reconstruction import RESOLUTIONS, l1, mean_square, multi_resolution_spectral


def noise(*shape, seed=0):
    return 0.3 * np.random.default_rng(seed).standard_normal(shape).astype(np.float32)


def numpy_magnitude(signal, frame):
    """Return magnitudes of Hann-windowed frames a quarter apart, `[batch, frames, bins]`."""
    hop = frame // 4
    hann = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(frame) / frame)
    rows = []
    for one in signal[..., 0].astype(np.float64):
        padded = np.pad(np.pad(one, (0, -len(one) % hop)), frame - hop)
        frames = [
            padded[start : start + frame] * hann for start in range(0, len(padded) - frame + 1, hop)
        ]
        rows.append(np.sqrt(np.abs(np.fft.rfft(frames)) ** 2 + 1e-7))
    return np.array(rows)


def numpy_spectral(target, estimate, frames):
    total = 0.0
    for frame in frames:
        real, fake = numpy_magnitude(target, frame), numpy_magnitude(estimate, frame)
        total += np.sqrt(np.sum((real - fake) ** 2) / np.sum(real**2)) + np.mean(
            np.abs(np.log(real / fake))
        )
    return total / len(frames)


def test_l1_is_the_mean_absolute_difference():
    target, estimate = noise(2, 3, 50, 1), noise(2, 3, 50, 1, seed=1)
    assert float(l1(target, estimate)) == pytest.approx(
        np.mean(np.abs(target - estimate)), rel=1e-5
    )
    assert float(l1(target, target)) == 0


def test_the_mean_square_is_numpys_and_in_float32():
    target, estimate = noise(2, 3, 50, 1), noise(2, 3, 50, 1, seed=1)
    assert float(mean_square(target, estimate)) == pytest.approx(
        np.mean(np.square(target - estimate)), rel=1e-5
    )
    assert float(mean_square(target, tf.cast(0 * target, tf.bfloat16))) == pytest.approx(
        np.mean(np.square(target)), rel=1e-5
    )


def test_under_doubt_the_mean_square_favours_the_mean_and_l1_the_median():
    """Four of five times the samples are the target's; the question is the best gain."""
    target = np.repeat([0.5, 0.0], [80, 20]).astype(np.float32)[None, :, None]
    share = np.linspace(0, 1, 101)
    for distance, best in ((mean_square, 0.8), (l1, 1.0)):
        distances = [float(distance(target, np.full_like(target, 0.5 * part))) for part in share]
        assert share[np.argmin(distances)] == pytest.approx(best)


def test_l1_of_half_precision_is_measured_in_float32():
    target = np.full((1, 4096, 1), 0.1, np.float32)
    assert float(l1(target, tf.cast(0 * target, tf.bfloat16))) == pytest.approx(0.1, rel=1e-5)


@pytest.mark.parametrize("frames", [(64,), (64, 128), RESOLUTIONS])
@pytest.mark.parametrize("time", [2048, 2100])
def test_the_spectral_distance_is_numpys(frames, time):
    target, estimate = noise(2, time, 1), noise(2, time, 1, seed=1)
    got = float(multi_resolution_spectral(target, estimate, frames))
    assert got == pytest.approx(numpy_spectral(target, estimate, frames), rel=1e-3)


def test_the_spectral_distance_is_zero_on_equal_waveforms_and_positive_otherwise():
    target = noise(2, 3000, 1)
    assert float(multi_resolution_spectral(target, target)) == pytest.approx(0, abs=1e-5)
    assert float(multi_resolution_spectral(target, -target)) == pytest.approx(0, abs=1e-4)
    assert float(multi_resolution_spectral(target, 0.5 * target)) > 0.5
    assert float(multi_resolution_spectral(target, 0 * target)) > 1


def test_half_the_level_costs_a_half_plus_the_logarithm_of_two():
    target = 10 * noise(1, 4096, 1)
    got = float(multi_resolution_spectral(target, 0.5 * target, (256,)))
    assert got == pytest.approx(0.5 + np.log(2), abs=0.01)


@pytest.mark.parametrize("factor", [0.0, 1.0, 1e-3])
def test_gradients_are_finite_on_silence_and_on_equal_waveforms(factor):
    target = factor * noise(2, 2048, 1)
    estimate = tf.constant(target)
    with tf.GradientTape() as tape:
        tape.watch(estimate)
        loss = multi_resolution_spectral(target, estimate)
    assert np.isfinite(tape.gradient(loss, estimate)).all()
