"""What every system of the table promises training, checkpoints and export. A new line of the table gets all of it."""

from dataclasses import replace

import numpy as np
import pytest

from tfsepgan import systems
from tfsepgan.errors import ConfigError

SYSTEMS = sorted(systems.SYSTEMS)


@pytest.fixture(params=SYSTEMS)
def experiment(request, short):
    """The system's preset `tiny` on short windows."""
    like = short()
    base = systems.preset(request.param, "tiny")
    return replace(base, data=like.data, training=like.training)


def weights_of(system):
    return {player: [np.asarray(v) for v in network.trainable_variables] for player, network in system.players.items()}


def all_of(system):
    return [np.asarray(variable) for variable in (*system.variables, *optimizer_variables(system))]


def optimizer_variables(system):
    return [variable for optimizer in system.optimizers.values() for variable in optimizer.variables]


@pytest.mark.parametrize(("time", "channels"), [(1, 1), (1000, 2), (1024, 1)])
def test_a_mixture_becomes_sources_of_its_own_length_and_channels(experiment, system_of, time, channels):
    mixture = np.random.default_rng(0).standard_normal((2, time, channels)).astype(np.float32)
    system = system_of(experiment)
    estimates = system(mixture)
    assert tuple(estimates.shape) == (2, len(experiment.data.sources), time, channels)
    alone = system(mixture[..., :1])
    np.testing.assert_allclose(estimates[..., :1], alone, atol=1e-6)


def test_two_steps_move_every_weight_of_every_player_and_stay_finite(experiment, system_of, batch_of):
    system = system_of(experiment)
    before = weights_of(system)
    assert "generator" in before
    for seed in (0, 1):
        logs = system.train_step(batch_of(experiment, seed))
    assert all(np.isfinite(value) for value in logs.values())
    for player, weights in weights_of(system).items():
        for variable, new, old in zip(system.players[player].trainable_variables, weights, before[player], strict=True):
            assert np.isfinite(new).all()
            assert not np.array_equal(new, old), f"{player} {variable.path} did not move"


def test_the_same_seed_gives_the_same_bits_and_another_does_not(experiment, system_of, batch_of):
    def after_two_steps(seed):
        changed = replace(experiment, data=replace(experiment.data, seed=seed))
        system = system_of(changed)
        for step in (0, 1):
            system.train_step(batch_of(changed, step))
        return all_of(system)

    one, two, other = after_two_steps(0), after_two_steps(0), after_two_steps(1)
    assert all(np.array_equal(mine, yours) for mine, yours in zip(one, two, strict=True))
    assert not all(np.array_equal(mine, yours) for mine, yours in zip(one, other, strict=True))


def test_compile_builds_one_optimizer_for_each_player(experiment, system_of):
    system = system_of(experiment)
    assert set(system.optimizers) == set(system.players)
    for player, network in system.players.items():
        optimizer = system.optimizers[player]
        assert optimizer.built
        moments = [tuple(v.shape) for v in optimizer.variables if tuple(v.shape)]
        assert sorted(moments) == sorted([tuple(v.shape) for v in network.trainable_variables] * 2)
        assert tuple(np.float32([optimizer.beta_1, optimizer.beta_2])) == tuple(np.float32(experiment.training.betas))


def test_training_makes_no_new_variables(experiment, system_of, batch_of):
    system = system_of(experiment)
    before = len(all_of(system))
    system.train_step(batch_of(experiment))
    assert len(all_of(system)) == before


def test_the_log_holds_the_declared_losses_and_refuses_others(experiment, system_of, batch_of):
    system = system_of(experiment)
    logs = system.train_step(batch_of(experiment))
    assert set(logs) == set(system.losses_logged)
    assert [metric.name for metric in system.metrics] == list(system.losses_logged)
    with pytest.raises(ConfigError, match="logs no loss 'generatr'; did you mean 'generator'"):
        system.log(generatr=1.0)


def test_the_running_mean_follows_the_generator(experiment, system_of, batch_of):
    decay = 0.75
    changed = replace(experiment, training=replace(experiment.training, ema=decay))
    system = system_of(changed)
    assert system.ema_generator is not system.generator
    mean = [np.asarray(v) for v in system.generator.variables]
    for one, other in zip(mean, system.ema_generator.get_weights(), strict=True):
        assert np.array_equal(one, other)
    for step in range(3):
        system.train_step(batch_of(changed, step))
        now = [(np.asarray(v), v.trainable) for v in system.generator.variables]
        mean = [decay * m + (1 - decay) * v if moves else v for m, (v, moves) in zip(mean, now, strict=True)]
    for variable, expected in zip(system.ema_generator.variables, mean, strict=True):
        np.testing.assert_allclose(variable, expected, atol=1e-6)


def test_without_a_running_mean_the_generator_itself_is_judged(experiment, system_of, batch_of):
    changed = replace(experiment, training=replace(experiment.training, ema=0.0))
    system = system_of(changed)
    system.train_step(batch_of(changed))
    assert system.ema_generator is system.generator


def test_what_is_called_is_the_running_mean(experiment, system_of, batch_of):
    system = system_of(experiment)
    system.train_step(batch_of(experiment))
    mixture = batch_of(experiment)["mixture"]
    np.testing.assert_allclose(system(mixture), system.ema_generator(mixture, training=False), atol=1e-6)


def test_the_gradient_is_clipped_to_its_norm(experiment, system_of):
    changed = replace(experiment, training=replace(experiment.training, clip_norm=0.5))
    for optimizer in system_of(changed).optimizers.values():
        assert optimizer.global_clipnorm == 0.5
