"""Phase shuffle shifts every example separately, reflects edges, and follows its seed."""

import keras
import numpy as np
import pytest

from tfsepgan.errors import ConfigError
from tfsepgan.layers.phase_shuffle import PhaseShuffle

BATCH, TIME = 64, 12


@pytest.fixture
def signal():
    return np.random.default_rng(0).standard_normal((BATCH, TIME, 3)).astype(np.float32)


def shifts_of(signal, shuffled, reach):
    """Return the shift of each example, found by trying all on NumPy's reflection, or None."""
    padded = np.pad(signal, [[0, 0], [reach, reach], [0, 0]], mode="reflect")
    found = []
    for example, got in zip(padded, np.asarray(shuffled), strict=True):
        fits = [k for k in range(2 * reach + 1) if np.array_equal(example[k : k + TIME], got)]
        found.append(fits[0] - reach if fits else None)
    return found


@pytest.mark.parametrize("reach", [1, 2, 5])
def test_every_example_is_shifted_separately_within_reach(signal, reach):
    shifts = shifts_of(signal, PhaseShuffle(reach, seed=1)(signal, training=True), reach)
    # all of them among 64 examples, and nothing else
    assert set(shifts) == set(range(-reach, reach + 1))


def test_it_is_off_outside_training_and_for_no_reach(signal):
    assert np.array_equal(PhaseShuffle(2, seed=1)(signal), signal)
    assert np.array_equal(PhaseShuffle(2, seed=1)(signal, training=False), signal)
    assert np.array_equal(PhaseShuffle(0, seed=1)(signal, training=True), signal)


def test_calls_differ_and_follow_the_seed(signal):
    layer, same, other = PhaseShuffle(2, seed=1), PhaseShuffle(2, seed=1), PhaseShuffle(2, seed=2)
    first, second = (np.asarray(layer(signal, training=True)) for _ in range(2))
    assert not np.array_equal(first, second)
    assert np.array_equal(first, same(signal, training=True))
    assert np.array_equal(second, same(signal, training=True))
    assert not np.array_equal(first, other(signal, training=True))


def test_the_state_is_a_variable_so_that_a_resumed_run_continues(signal):
    layer, resumed = PhaseShuffle(2, seed=1), PhaseShuffle(2, seed=1)
    layer(signal, training=True)
    assert len(layer.variables) == 1
    resumed.draws.state.assign(layer.draws.state)
    assert np.array_equal(layer(signal, training=True), resumed(signal, training=True))


def test_it_shuffles_inside_a_compiled_model(signal):
    import tensorflow as tf

    waveform = keras.Input((TIME, 3))
    model = keras.Model(waveform, PhaseShuffle(2, seed=1)(waveform))
    shuffle = tf.function(lambda x: model(x, training=True))
    first, second = shuffle(signal), shuffle(signal)
    assert not np.array_equal(first, second)
    assert None not in shifts_of(signal, first, 2)


def test_a_signal_too_short_to_reflect_is_refused():
    with pytest.raises(ConfigError, match="phase_shuffle is 2, but it meets a layer of 2 samples"):
        PhaseShuffle(2, seed=1)(keras.Input((2, 3)))
