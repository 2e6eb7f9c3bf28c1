"""The pool of past fakes: every fake is returned or kept, and past ones were made before."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from tfsepgan.layers.past_fakes import PastFakes

WINDOW = 3


def fakes(*numbers):
    """Return windows that are identified by their number."""
    return np.tile(np.float32(numbers)[:, None, None], (1, WINDOW, 1))


def numbers_of(windows):
    """Return the number of each window, all of whose samples must be equal."""
    windows = np.asarray(windows)
    assert np.ptp(windows, axis=1).max() == 0
    return [int(number) for number in windows[:, 0, 0]]


def test_until_the_pool_is_full_every_fake_is_returned_and_kept():
    pool = PastFakes(5, WINDOW, seed=0)
    assert numbers_of(pool(fakes(1, 2))) == [1, 2]
    assert numbers_of(pool(fakes(3, 4))) == [3, 4]
    assert sorted(numbers_of(pool.fakes)) == [0, 1, 2, 3, 4]
    assert int(pool.count) == 4


@pytest.mark.parametrize(("size", "batch"), [(4, 2), (3, 2), (2, 5), (1, 1)])
def test_a_full_pool_neither_loses_nor_doubles_a_fake(size, batch):
    """Each input is once among what was returned for the first time or what is kept."""
    pool, came, went = PastFakes(size, WINDOW, seed=1), [], []
    for step in range(20):
        new = [100 * step + item + 1 for item in range(batch)]
        came += new
        went += numbers_of(pool(fakes(*new)))
    kept = numbers_of(pool.fakes)
    first = came[:size]  # these were returned when they were kept, and may be returned once more
    assert len(went) == len(came)
    assert sorted(went + kept) == sorted(came + first)


def test_the_pool_equals_a_plain_list(size=4, batch=3):
    """The reference is a list that is updated fake by fake with the layer's own coins."""
    pool, coins, kept = PastFakes(size, WINDOW, seed=5), keras.random.SeedGenerator(5), []
    for step in range(12):
        new = [10 * step + item + 1 for item in range(batch)]
        expected = []
        for number in new:
            tails = float(keras.random.uniform((), seed=coins)) < 0.5
            place = int(keras.random.randint((), 0, size, seed=coins))
            if len(kept) < size:
                kept.append(number)
                expected.append(number)
            elif tails:
                expected.append(kept[place])
                kept[place] = number
            else:
                expected.append(number)
        assert numbers_of(pool(fakes(*new))) == expected
    assert numbers_of(pool.fakes) == kept


def test_half_of_the_fakes_are_past_ones_from_anywhere_in_the_pool():
    pool, past, places, rounds = PastFakes(8, WINDOW, seed=2), 0, set(), 100
    pool(fakes(*range(1, 9)))
    for step in range(rounds):
        before = numbers_of(pool.fakes)
        new = [1000 + 4 * step + item for item in range(4)]
        returned = numbers_of(pool(fakes(*new)))
        past += sum(one != other for one, other in zip(returned, new, strict=True))
        places |= {
            place
            for place, (old, now) in enumerate(zip(before, numbers_of(pool.fakes), strict=True))
            if old != now
        }
    # four standard deviations
    assert abs(past / (4 * rounds) - 0.5) < 4 * 0.5 / np.sqrt(4 * rounds)
    assert places == set(range(8))


def test_without_a_pool_every_fake_is_returned():
    pool = PastFakes(0, WINDOW, seed=0)
    assert numbers_of(pool(fakes(7, 8))) == [7, 8]
    assert not pool.variables


def test_no_gradient_flows_back_and_nothing_is_trained():
    pool, new = PastFakes(2, WINDOW, seed=0), tf.constant(fakes(1, 2, 3))
    with tf.GradientTape() as tape:
        tape.watch(new)
        total = tf.reduce_sum(pool(new))
    assert tape.gradient(total, new) is None
    assert not pool.trainable_variables


def test_the_variables_are_the_whole_state():
    """With another pool's variables it continues as that pool does, in a graph too."""
    one, other = PastFakes(4, WINDOW, seed=3), PastFakes(4, WINDOW, seed=9)
    for step in range(3):
        one(fakes(3 * step, 3 * step + 1, 3 * step + 2))
    for variable, value in zip(other.variables, one.variables, strict=True):
        variable.assign(value)
    again = tf.function(other)
    for step in range(3, 8):
        new = fakes(3 * step, 3 * step + 1, 3 * step + 2)
        assert numbers_of(one(new)) == numbers_of(again(new))


def test_the_pool_is_restored_from_its_config():
    pool = PastFakes.from_config(PastFakes(4, WINDOW, seed=3).get_config())
    assert (pool.size, pool.window, pool.seed) == (4, WINDOW, 3)
