"""A batch that is computed in parts gives the weights of the whole batch.

tools/checks/check_accumulation.py compares all systems after 20 steps.
"""

from dataclasses import replace

import numpy as np
import pytest
import tensorflow as tf

from tfsepgan import systems
from tfsepgan.config import check
from tfsepgan.errors import ConfigError
from tfsepgan.layers.batch_parts import drawn_by_row, joined, part_of, part_of_batch
from tfsepgan.systems.statistics import batch_normalisations


def changed(experiment, accumulate, batch=4, **model):
    return replace(
        experiment,
        data=replace(experiment.data, batch=batch),
        model=replace(experiment.model, **model),
        training=replace(experiment.training, accumulate=accumulate, ema=0.9, clip_norm=1.0),
    )


def variables_after_two_steps(experiment, batch_of):
    system = systems.build(experiment)
    for network in (*system.players.values(), system.ema_generator):
        for norm in batch_normalisations(network):
            norm.trainable = False  # no statistics of a batch
    system.compile()
    start = [np.asarray(one) for one in system.variables]
    for number in range(2):
        system.train_step(batch_of(experiment, number))
    return start, [np.asarray(one) for one in system.variables]


@pytest.mark.parametrize(
    ("name", "model"),
    [
        ("ssepgan", {"objective": "wgan-gp", "discriminator_steps": 2, "identity_share": 0.5}),
        ("semisupervised", {"unlabelled_share": 0.5}),
    ],
)
def test_two_parts_of_two_windows_equal_four(name, model, experiment_of, batch_of):
    own = experiment_of(name)
    start, whole = variables_after_two_steps(changed(own, 1, **model), batch_of)
    _, parts = variables_after_two_steps(changed(own, 2, **model), batch_of)
    assert max(np.abs(a - b).max() for a, b in zip(start, whole, strict=True)) > 1e-3
    for one, other in zip(whole, parts, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-5)


def test_rows_of_parts_are_drawn_as_rows_of_the_whole():
    def draw(rows):
        return tf.reshape(tf.range(rows * 2), (rows, 2))

    whole, parts = draw(6), []
    for index in range(3):
        with part_of_batch(index, 3):
            parts.append(drawn_by_row(draw, 2))
        np.testing.assert_array_equal(parts[-1], part_of(whole, index, 3))
    np.testing.assert_array_equal(joined(parts), whole)


def test_a_part_of_a_part_has_its_own_rows():
    with part_of_batch(1, 2), part_of_batch(2, 3):
        np.testing.assert_array_equal(drawn_by_row(tf.range, 2), [1 + 2 * 2, 1 + 2 * (2 + 3)])


def test_parts_of_different_sizes_are_refused(experiment_of):
    with pytest.raises(ConfigError, match="batch is 16 and accumulate 3.*multiple"):
        check(changed(experiment_of("ssepgan"), 3, batch=16))


def test_a_system_that_cannot_compute_parts_says_why(experiment_of):
    with pytest.raises(ConfigError, match="accumulate is 4; it must be 1 for nmf: it takes no opt"):
        systems.build(changed(experiment_of("nmf"), 4))
