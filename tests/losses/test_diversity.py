"""Equal sounds cost one, sounds that differ as recordings do cost nothing."""

import keras
import numpy as np
import pytest

from tfsepgan.losses.diversity import missing_diversity


def features(count=4, seed=0):
    """Return layer outputs of a discriminator: over time, and over time and period."""
    random = np.random.default_rng(seed)
    return [
        random.standard_normal((count, *shape)).astype(np.float32) for shape in ((9, 3), (5, 2, 4))
    ]


def test_equal_sounds_cost_one_and_recordings_cost_nothing():
    real = features()
    assert float(
        missing_diversity(real, [np.repeat(one[:1], 4, axis=0) for one in real])
    ) == pytest.approx(1.0, abs=1e-5)
    assert float(missing_diversity(real, real)) == pytest.approx(0.0, abs=1e-4)


def test_half_the_difference_costs_a_half_and_more_than_that_of_recordings_nothing():
    real = features()
    for scale, expected in ((0.5, 0.5), (0.25, 0.75), (2.0, 0.0), (10.0, 0.0)):
        assert float(missing_diversity(real, [scale * one for one in real])) == pytest.approx(
            expected, abs=1e-4
        )


def test_differences_over_time_do_not_count():
    real = features()
    turned = [np.stack([np.roll(one[0], k, axis=0) for k in range(4)]) for one in real]
    assert float(missing_diversity(real, turned)) == pytest.approx(1.0, abs=1e-4)


def test_the_difference_is_that_of_each_sound_and_the_next():
    real, made = features(seed=1), [0.7 * one for one in features(seed=2)]

    def difference(one):
        average = one.reshape(one.shape[0], -1, one.shape[-1]).mean(axis=1)
        return np.abs(average - np.roll(average, 1, axis=0)).mean()

    expected = np.mean(
        [max(0.0, 1 - difference(m) / difference(r)) for r, m in zip(real, made, strict=True)]
    )
    assert float(missing_diversity(real, made)) == pytest.approx(expected, rel=1e-4)


def test_no_gradient_flows_into_the_features_of_recordings():
    import tensorflow as tf

    real, made = tf.constant(features()[0]), tf.constant(0.5 * features(seed=3)[0])
    with tf.GradientTape() as tape:
        tape.watch([real, made])
        loss = missing_diversity([real], [made])
    to_real, to_made = tape.gradient(loss, [real, made])
    assert to_real is None or not np.any(keras.ops.convert_to_numpy(to_real))
    assert np.any(keras.ops.convert_to_numpy(to_made))
