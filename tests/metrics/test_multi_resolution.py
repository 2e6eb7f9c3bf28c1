"""The multi-resolution distance: closed form of a gain, and equality with the loss."""

import numpy as np
import pytest

from tfsepgan.errors import ConfigError, ShapeError
from tfsepgan.losses.reconstruction import multi_resolution_spectral
from tfsepgan.metrics.multi_resolution import multi_resolution_distance


def noise(seed=0, shape=(8000,)):
    return np.random.default_rng(seed).standard_normal(shape)


@pytest.mark.parametrize("gain", [0.25, 0.5, 3.0])
def test_a_gain_has_the_distance_of_the_closed_form(gain):
    signal = noise()
    assert multi_resolution_distance(signal, gain * signal) == pytest.approx(
        abs(1 - gain) + abs(np.log(gain)), abs=1e-3
    )


def test_the_distance_is_zero_for_the_source_and_grows_with_noise():
    assert multi_resolution_distance(noise(), noise()) == 0.0
    nearer, further = (
        multi_resolution_distance(noise(), noise() + scale * noise(1)) for scale in (0.1, 1.0)
    )
    assert 0 < nearer < further


@pytest.mark.parametrize("samples", [300, 8000, 8001])
def test_the_distance_equals_the_loss(samples):
    target, estimate = noise(0, (samples,)), 0.3 * noise(0, (samples,)) + 0.1 * noise(1, (samples,))
    loss = multi_resolution_spectral(
        target[None, :, None].astype("float32"), estimate[None, :, None].astype("float32")
    )
    assert multi_resolution_distance(target, estimate) == pytest.approx(float(loss), rel=1e-4)


def test_two_equal_channels_count_as_one():
    target, estimate = noise(), noise() + 0.2 * noise(1)
    both = multi_resolution_distance(np.stack([target] * 2, 1), np.stack([estimate] * 2, 1))
    assert both == pytest.approx(multi_resolution_distance(target, estimate), rel=1e-12)


def test_invalid_arguments_are_refused():
    with pytest.raises(ShapeError, match="is silent"):
        multi_resolution_distance(np.zeros(100), np.ones(100))
    for frames in ((), (510,), (0,)):
        with pytest.raises(ConfigError, match="multiple of 4"):
            multi_resolution_distance(np.ones(100), np.ones(100), frames)
