"""What every system of the table does in training."""

from dataclasses import replace

import numpy as np
import pytest
import tensorflow as tf
from contract_for_tests import (
    EXPORTED,
    all_of,
    every_followed,
    every_separator,
    every_system,
    variables_of,
    weights_of,
)

from tfsepgan.errors import ConfigError


def equal(one, other):
    return all(np.array_equal(*pair) for pair in zip(one, other, strict=True))


@every_separator
@pytest.mark.parametrize(("time", "channels"), [(1, 1), (1000, 2), (1024, 1)])
def test_a_mixture_becomes_sources_of_its_own_length_and_channels(
    experiment, stepped, time, channels
):
    mixture = np.random.default_rng(0).standard_normal((2, time, channels)).astype(np.float32)
    system = stepped.system
    estimates = system(mixture)
    assert tuple(estimates.shape) == (2, len(experiment.data.sources), time, channels)
    alone = system(mixture[..., :1])
    np.testing.assert_allclose(estimates[..., :1], alone, atol=1e-5)


@every_system
def test_two_steps_move_every_weight_of_every_player_and_stay_finite(stepped):
    """A system needs its batch keys and no others."""
    system, before = stepped.system, stepped.weights_before
    assert before or system.kind == "search"  # only a system without gradients has no player
    assert all(np.isfinite(value) for logs in stepped.logs for value in logs.values())
    for player, weights in weights_of(system).items():
        for variable, new, old in zip(
            system.players[player].trainable_variables, weights, before[player], strict=True
        ):
            assert np.isfinite(new).all()
            assert not np.array_equal(new, old), f"{player} {variable.path} did not move"


@every_system
def test_training_makes_no_new_variables(stepped):
    assert len({len(variables) for variables in stepped.variables}) == 1


@every_system
def test_the_log_holds_the_declared_losses_and_refuses_others(stepped):
    system, logs = stepped.system, stepped.logs[0]
    assert logs and set(logs) == set(system.losses_logged)
    assert [metric.name for metric in system.metrics] == list(system.losses_logged)
    first = system.losses_logged[0]
    with pytest.raises(ConfigError, match=f"logs no loss '{first}x'; did you mean '{first}'"):
        system.log(**{f"{first}x": 1.0})


@every_system
def test_a_step_in_a_graph_of_keras_is_the_step_as_it_is_written(
    experiment, stepped, system_of, batch_of
):
    """`fit` does not convert Python loops over tensors."""
    compiled = system_of(experiment)
    compiled.fit(tf.data.Dataset.from_tensors(batch_of(experiment)), verbose=0)
    for one, other in zip(stepped.variables[1], all_of(compiled), strict=True):
        np.testing.assert_allclose(one, other, atol=2e-3)


@every_system
def test_the_same_seed_gives_the_same_bits_and_another_does_not(
    experiment, stepped, system_of, batch_of
):
    again = system_of(experiment)
    other = system_of(replace(experiment, data=replace(experiment.data, seed=1)))
    assert not equal(stepped.variables[0], all_of(other))
    for step in (0, 1):
        again.train_step(batch_of(experiment, step))
    assert equal(stepped.variables[2], all_of(again))


@every_system
def test_another_seed_draws_other_numbers(experiment, system_of):
    states = [
        np.asarray(
            system_of(replace(experiment, data=replace(experiment.data, seed=seed))).draws.state
        )
        for seed in (0, 1)
    ]
    assert not np.array_equal(*states)


@every_system
def test_compile_builds_one_optimizer_for_each_player(experiment, stepped):
    system = stepped.system
    assert set(system.optimizers) == set(system.players)
    for player, network in system.players.items():
        optimizer = system.optimizers[player]
        assert optimizer.built
        moments = [tuple(v.shape) for v in optimizer.variables if tuple(v.shape)]
        assert sorted(moments) == sorted([tuple(v.shape) for v in network.trainable_variables] * 2)
        assert tuple(np.float32([optimizer.beta_1, optimizer.beta_2])) == tuple(
            np.float32(experiment.training.betas)
        )


@every_followed
def test_the_running_mean_follows_the_generator(experiment, stepped):
    decay, system = experiment.training.ema, stepped.system
    assert decay == 0.75 and system.ema_generator is not system.generator
    places = {id(variable): place for place, variable in enumerate(variables_of(system))}
    histories = (
        [
            [values[places[id(variable)]] for variable in network.variables]
            for values in stepped.variables
        ]
        for network in (system.generator, system.ema_generator)
    )
    (mean, *later), (averaged, *_, last) = histories
    for one, other in zip(mean, averaged, strict=True):
        assert np.array_equal(one, other)
    for now in later:
        # Moving statistics are averaged as weights are; the integer state of a seed is copied.
        mean = [
            decay * m + (1 - decay) * v if v.dtype == np.float32 else v
            for m, v in zip(mean, now, strict=True)
        ]
    for value, expected in zip(last, mean, strict=True):
        np.testing.assert_allclose(value, expected, atol=1e-6)


# the mean of all systems is made in one place; one that separates, and one that sounds
@pytest.mark.parametrize("experiment", ["ssepgan", "wavegan"], indirect=True)
def test_without_a_running_mean_the_generator_itself_is_used(experiment, system_of, batch_of):
    changed = replace(experiment, training=replace(experiment.training, ema=0.0))
    system = system_of(changed)
    system.train_step(batch_of(changed))
    assert system.ema_generator is system.generator


@pytest.mark.parametrize("experiment", EXPORTED, indirect=True)
def test_what_is_called_and_exported_is_the_running_mean(experiment, stepped, batch_of):
    system = stepped.system
    mixture = batch_of(experiment)["mixture"]
    everything = np.asarray(system.ema_generator(mixture, training=False))
    assert everything.shape[1] == system.outputs
    np.testing.assert_allclose(system(mixture), everything[:, : len(system.sources)], atol=1e-6)
    np.testing.assert_allclose(
        system.shipped(mixture), everything[:, : len(system.sources)], atol=1e-6
    )


@every_system
def test_the_gradient_is_clipped_to_its_norm(stepped):
    for optimizer in stepped.system.optimizers.values():
        assert optimizer.global_clipnorm == 0.5
