"""CycleGAN's four players: which terms train them, how often they step, past fakes, settings."""

from dataclasses import replace

import keras
import numpy as np
import pytest
import tensorflow as tf
from cyclegan_for_tests import (
    CARRIED,
    NOTHING,
    PLAYERS,
    STILL,
    TERMS,
    at_full_strength,
    experiment,
    generate,
    moved,
    scores,
    step,
    weights_of,
)

from tfsepgan import systems
from tfsepgan.config import check
from tfsepgan.errors import ConfigError
from tfsepgan.losses.adversarial import fake_loss, generator_loss, real_loss
from tfsepgan.training.checkpoint import restore_state, save_state

MOVED = {
    "cycle_source": {"generator", "mixer"},
    "cycle_mixture": {"generator", "mixer"},
    "identity_source": {"generator"},
    "identity_mixture": {"mixer"},
    "adversarial_source": {"generator", "source_discriminator"},
    "adversarial_mixture": {"mixer", "mixture_discriminator"},
}


@pytest.fixture
def system_of(system_of):
    """A built and compiled system whose mixer has a strong output."""
    return lambda settings: at_full_strength(system_of(settings))


@pytest.mark.parametrize("carry_rest", [False, True], ids=["without", "carry_rest"])
def test_each_term_moves_its_own_players_only(carry_rest, system_of, batch_of):
    settings = experiment(betas=(0.0, 0.0))  # without momentum of an earlier term
    system, batch, got = system_of(settings), batch_of(settings), {}
    for term in TERMS:
        weights = {**NOTHING, f"{term}_weight": 1.0}
        system.config = replace(settings.model, carry_rest=carry_rest, **weights)
        before = weights_of(system)
        step(system, batch)
        got[term] = moved(before, weights_of(system))
    expected = dict(MOVED)
    if carry_rest:
        # that round trip is exact, so the generator gets no gradient
        expected["cycle_mixture"] = {"mixer"}
    assert got == expected


def test_both_generators_descend_the_one_loss_they_share(system_of, batch_of):
    """With the source cycle alone, each gets the gradient of |G(F(x)) - x| by its own weights."""
    settings = experiment(model={**NOTHING, "cycle_source_weight": 4.0})
    system, batch = system_of(settings), batch_of(settings)
    x = batch["solo"][:, :1]
    watched = {
        name: [v.value for v in system.players[name].trainable_variables]
        for name in ("generator", "mixer")
    }
    with tf.GradientTape() as tape:
        tape.watch(watched)
        back = system.generator(system.mixer(x[:, 0], training=True)[:, 0], training=True)
        loss = 4.0 * tf.reduce_mean(tf.abs(back - x))
    expected = tape.gradient(loss, watched)
    step(system, batch)
    for name, gradients in expected.items():
        optimizer = system.optimizers[name]  # Adam keeps the first gradient as its first moment
        moments = [
            np.asarray(v) / (1 - optimizer.beta_1)
            for v in optimizer.variables
            if "momentum" in v.path
        ]
        for got, wanted in zip(moments, gradients, strict=True):
            np.testing.assert_allclose(got, wanted, rtol=2e-3, atol=1e-6)


def test_each_discriminator_moves_as_often_as_asked_on_the_same_fakes(system_of, batch_of):
    settings = experiment(model={"discriminator_steps": 3, "pool": 4})
    system = system_of(settings)
    for seed in (0, 1):
        step(system, batch_of(settings, seed))
    iterations = {name: int(system.optimizers[name].iterations) for name in PLAYERS}
    assert iterations == {
        "generator": 2,
        "mixer": 2,
        "source_discriminator": 6,
        "mixture_discriminator": 6,
    }
    assert int(system.pools["source"].count) == 4


def test_discriminators_get_past_fakes_and_generators_the_newest(system_of, batch_of):
    """With fixed players and a pool of one, the loss must be that of one of the coin's outcomes."""
    settings = experiment(model={"pool": 1}, **STILL)
    system, outcomes, kept = system_of(settings), set(), None
    # the initial scores are so small that all fakes have nearly the same
    score = system.discriminators["source"].get_layer("score")
    score.set_weights([200.0 * weight for weight in score.get_weights()])
    for seed in range(8):
        batch = batch_of(settings, seed)
        made, real = generate(system, batch["unlabelled"])[:, 0], np.asarray(batch["solo"])[:, 0]
        first, second = (
            float(fake_loss("lsgan", scores(system, "source", one))) for one in (made[:1], made[1:])
        )
        at_real = float(real_loss("lsgan", scores(system, "source", real)))
        log = step(system, batch)
        newest = generator_loss("lsgan", scores(system, "source", made))
        assert log["adversarial_source"] == pytest.approx(float(newest), rel=1e-4)
        possible = {"both new": (first, second), "first twice": (first, first)}
        if kept is not None:
            possible |= {
                "old, new": (kept, second),
                "old, first": (kept, first),
                "new, old": (first, kept),
            }
        fitting = [
            name
            for name, losses in possible.items()
            if log["source_discriminator"] == pytest.approx(at_real + sum(losses) / 2, rel=1e-6)
        ]
        assert fitting, (log, possible)
        # these two outcomes do not depend on earlier steps
        if not {"both new", "first twice"} & set(fitting):
            outcomes |= set(fitting)
        if outcomes and seed > 2:
            break
        kept = float(
            fake_loss("lsgan", scores(system, "source", np.asarray(system.pools["source"].fakes)))
        )
    assert outcomes


def test_a_resumed_run_has_the_same_past_fakes(system_of, batch_of, tmp_path):
    model = {**CARRIED, "pool": 4, "level_dbfs": -20.0}
    settings = experiment(
        data={"batch": 3}, model=model, discriminator={"phase_shuffle": 2}, ema=0.9
    )
    batches = [batch_of(settings, seed) for seed in range(3)]
    straight, resumed = (system_of(settings) for _ in range(2))
    for batch in batches[:2]:
        step(straight, batch)
    assert int(straight.pools["mixture"].count) == 4
    save_state(tmp_path, straight, {"step": 2})
    assert restore_state(tmp_path, resumed) == {"step": 2}
    for batch in batches[2:]:
        assert step(straight, batch) == step(resumed, batch)
    for one, other in zip(straight.variables, resumed.variables, strict=True):
        assert np.array_equal(one, other), one.path
    for player in PLAYERS:
        for one, other in zip(
            *(system.optimizers[player].variables for system in (straight, resumed)), strict=True
        ):
            assert np.array_equal(one, other), one.path


@pytest.mark.parametrize(
    ("objective", "kind"),
    [("vanilla", "multiresolution"), ("hinge", "wavegan"), ("wgan-gp", "multiresolution")],
)
def test_every_kind_of_objective_trains_every_player(objective, kind, system_of, batch_of):
    settings = experiment(
        model={"objective": objective, "pool": 2}, discriminator={"kind": kind, "frames": (64,)}
    )
    system = system_of(settings)
    before = weights_of(system)
    log = step(system, batch_of(settings))
    assert all(np.isfinite(value) for value in log.values())
    assert moved(before, weights_of(system)) == set(PLAYERS)


def test_mixed_precision_steps_too(batch_of):
    settings = experiment(model={"pool": 2, **CARRIED})
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        system = systems.build(settings)
        system.compile()
    finally:
        keras.config.set_dtype_policy("float32")
    log = step(system, batch_of(settings))
    assert all(np.isfinite(value) for value in log.values())
    assert keras.backend.standardize_dtype(system.pools["source"].fakes.dtype) == "float32"


def test_the_pool_has_crops_of_the_discriminators_length(system_of):
    system = system_of(
        experiment(model={"pool": 3}, discriminator={"window": 1024}, data={"window": 4096})
    )
    assert [tuple(pool.fakes.shape) for pool in system.pools.values()] == [(3, 1024, 1)] * 2


@pytest.mark.parametrize(
    ("model", "said"),
    [
        ({"cycle_source_weight": -1.0}, "cycle_source_weight is -1.0"),
        ({"pool": -1}, "pool is -1"),
        ({"identity_share": 1.5}, "identity_share is 1.5"),
        ({"taken_off": 1.5}, "taken_off is 1.5"),
        ({"discriminator_steps": 0}, "discriminator_steps is 0"),
        (NOTHING, "nothing to learn from"),
    ],
)
def test_settings_that_cannot_be_trained_are_refused(model, said):
    with pytest.raises(ConfigError, match=said):
        check(experiment(model=model))


def test_the_mixers_settings_are_named_as_the_mixers():
    with pytest.raises(ConfigError, match="mixer.channels is 1; it must be at least 2"):
        check(experiment(mixer={"channels": 1}))
