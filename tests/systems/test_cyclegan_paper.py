"""CycleGAN as in section 3.2 of S-SepGAN: pairs, one cycle, fakes made from estimates."""

from dataclasses import replace

import numpy as np
import pytest
import tensorflow as tf
from cyclegan_for_tests import (
    NOTHING,
    PLAYERS,
    STILL,
    TWO,
    at_full_strength,
    experiment,
    generate,
    l1,
    mix,
    moved,
    scores,
    step,
    weights_of,
)

from tfsepgan.losses.adversarial import fake_loss, generator_loss, real_loss
from tfsepgan.settings.cyclegan import PRESETS

PAPER = PRESETS["paper"].model


SECTION_3_2 = {
    name: value
    for name, value in vars(PAPER).items()
    if name not in ("generator", "mixer", "discriminator")
}


def in_small(*, model=None, **changes):
    """The settings of section 3.2 with small networks and short windows."""
    return experiment(model={**SECTION_3_2, **(model or {})}, **changes)


@pytest.fixture
def system_of(system_of):
    """A built and compiled system whose mixer has a strong output."""
    return lambda settings: at_full_strength(system_of(settings))


@pytest.mark.parametrize("data", [{}, TWO], ids=["one source", "two"])
def test_every_term_is_that_of_section_3_2(data, system_of, batch_of):
    """Against NumPy, with the weights of the authors' code; identity and cycle are L1."""
    settings = in_small(data=data)
    system, batch = system_of(settings), batch_of(settings)
    m, s = np.asarray(batch["mixture"]), np.asarray(batch["sources"])
    estimate = generate(system, m)
    again = mix(system, estimate.sum(axis=1))
    expected = {
        "identity_source": l1(s, estimate),
        "cycle_mixture": l1(m, again),
        "adversarial_source": generator_loss("vanilla", scores(system, "source", estimate)),
        "adversarial_mixture": generator_loss("vanilla", scores(system, "mixture", again)),
    }
    weights = {
        "identity_source": 0.5,
        "cycle_mixture": 10.0,
        "adversarial_source": 1.0,
        "adversarial_mixture": 1.0,
    }
    expected["generator"] = sum(weights[name] * float(value) for name, value in expected.items())
    for end, real, fake in (("source", s, estimate), ("mixture", m, again)):
        loss = real_loss("vanilla", scores(system, end, real))
        loss += fake_loss("vanilla", scores(system, end, fake))
        expected[f"{end}_discriminator"] = loss
    log = step(system, batch)
    for name, value in expected.items():
        assert log[name] == pytest.approx(float(value), rel=1e-4), name
    assert log["cycle_source"] == log["identity_mixture"] == 0.0


def test_the_objective_is_the_original_one(system_of, batch_of):
    """-log D(x) - log(1 - D(fake)) with logistic D; for the generators -log D(fake)."""
    settings = in_small()
    system, batch = system_of(settings), batch_of(settings)
    estimate = generate(system, batch["mixture"])
    real, fake = (
        1 / (1 + np.exp(-np.asarray(scores(system, "source", one)[0], np.float64)))
        for one in (batch["sources"], estimate)
    )
    log = step(system, batch)
    assert log["source_discriminator"] == pytest.approx(
        -np.mean(np.log(real)) - np.mean(np.log(1 - fake)), rel=1e-4
    )
    assert log["adversarial_source"] == pytest.approx(-np.mean(np.log(fake)), rel=1e-4)


def test_the_paired_identity_is_with_the_true_source_of_the_same_mixture(system_of, batch_of):
    settings = in_small(**STILL)
    system, batch = system_of(settings), batch_of(settings)
    logs = [
        step(system, {**batch, "sources": tf.roll(batch["sources"], shift, axis=0)})
        for shift in (0, 1)
    ]
    assert abs(logs[0]["identity_source"] / logs[1]["identity_source"] - 1) > 1e-3
    for name in (
        "cycle_mixture",
        "adversarial_source",
        "adversarial_mixture",
        "mixture_discriminator",
    ):
        # terms without a source
        assert logs[0][name] == pytest.approx(logs[1][name], rel=1e-6), name


def test_only_pairs_are_used(system_of, batch_of):
    settings = in_small()
    system, batch = system_of(settings), batch_of(settings)
    assert set(system.batch_keys) == {"mixture", "sources"}
    step(system, {name: batch[name] for name in system.batch_keys})


def test_a_paired_identity_costs_no_pass_and_uses_the_whole_batch(system_of, batch_of):
    """`identity_share` applies to the unpaired term only."""
    batch, logs = None, []
    for share in (1.0, 0.5):
        settings = in_small(model={"identity_share": share})
        batch = batch_of(settings)
        logs.append(step(system_of(settings), batch))
    assert logs[0] == logs[1]


def test_with_both_cycles_each_is_of_its_own_signal(system_of, batch_of):
    """G(F(x)) starts from the sources, also where the fakes of D_m are made from estimates."""
    settings = in_small(
        data=TWO, model={"cycle_source_weight": 1.0, "identity_mixture_weight": 1.0}
    )
    system, batch = system_of(settings), batch_of(settings)
    m, s = np.asarray(batch["mixture"]), np.asarray(batch["sources"])
    expected = {
        "cycle_source": l1(s, generate(system, mix(system, s.sum(axis=1)))),
        "cycle_mixture": l1(m, mix(system, generate(system, m).sum(axis=1))),
        "identity_mixture": l1(m, mix(system, m)),
    }
    log = step(system, batch)
    assert {name: log[name] for name in expected} == pytest.approx(expected, rel=1e-4)


MOVED = {
    "identity_source": {"generator"},
    "cycle_mixture": {"generator", "mixer"},
    "adversarial_source": {"generator", "source_discriminator"},
    # the fake of F is made from the estimate of G
    "adversarial_mixture": {"generator", "mixer", "mixture_discriminator"},
}


def test_each_term_moves_its_own_players_only(system_of, batch_of):
    settings = in_small(betas=(0.0, 0.0))  # without momentum of an earlier term
    system, batch, got = system_of(settings), batch_of(settings), {}
    for term in MOVED:
        system.config = replace(settings.model, **{**NOTHING, f"{term}_weight": 1.0})
        before = weights_of(system)
        step(system, batch)
        got[term] = moved(before, weights_of(system))
    assert got == MOVED


def test_both_generators_descend_the_one_loss_and_discriminators_stop_its_gradient(
    system_of, batch_of
):
    """Adam's first moments are the first gradients; each is that of the player's own loss alone."""
    settings = in_small(betas=(0.5, 0.9))
    system, batch = system_of(settings), batch_of(settings)
    m, s = batch["mixture"], batch["sources"]
    watched = {
        name: [v.value for v in network.trainable_variables]
        for name, network in system.players.items()
    }
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(watched)
        estimate = system.generator(m, training=True)
        again = system.mixer(estimate[:, 0], training=True)[:, 0]
        loss = 0.5 * tf.reduce_mean(tf.abs(s - estimate)) + 10.0 * tf.reduce_mean(tf.abs(m - again))
        loss += generator_loss(
            "vanilla", system.discriminators["source"](estimate[:, 0], training=True)["scores"]
        )
        loss += generator_loss(
            "vanilla", system.discriminators["mixture"](again, training=True)["scores"]
        )
    expected = {name: tape.gradient(loss, watched[name]) for name in ("generator", "mixer")}
    real, fake = {"source": s[:, 0], "mixture": m}, {"source": estimate[:, 0], "mixture": again}
    step(system, batch)
    for name, gradients in expected.items():
        for got, wanted in zip(first_moments(system.optimizers[name]), gradients, strict=True):
            np.testing.assert_allclose(got, wanted, rtol=2e-3, atol=1e-6, err_msg=name)
    fresh = system_of(settings)
    for end in ("source", "mixture"):
        variables = [v.value for v in fresh.discriminators[end].trainable_variables]
        with tf.GradientTape() as tape:
            tape.watch(variables)
            loss = real_loss(
                "vanilla", fresh.discriminators[end](real[end], training=True)["scores"]
            )
            loss += fake_loss(
                "vanilla", fresh.discriminators[end](fake[end], training=True)["scores"]
            )
        for got, wanted in zip(
            first_moments(system.optimizers[f"{end}_discriminator"]),
            tape.gradient(loss, variables),
            strict=True,
        ):
            np.testing.assert_allclose(got, wanted, rtol=2e-3, atol=1e-6, err_msg=end)


def first_moments(optimizer):
    """The gradients of the only step so far."""
    return [
        np.asarray(v) / (1 - optimizer.beta_1) for v in optimizer.variables if "momentum" in v.path
    ]


def test_two_steps_move_every_weight_of_every_player(system_of, batch_of):
    settings = in_small(discriminator={"phase_shuffle": 2, "start": "normal"})
    system = system_of(settings)
    before = weights_of(system)
    for seed in (0, 1):
        log = step(system, batch_of(settings, seed))
    assert all(np.isfinite(value) for value in log.values())
    for player, weights in weights_of(system).items():
        still = [
            old
            for old, new in zip(before[player], weights, strict=True)
            if np.array_equal(old, new)
        ]
        assert not still, player
    assert {
        name: int(optimizer.iterations) for name, optimizer in system.optimizers.items()
    } == dict.fromkeys(PLAYERS, 2)


def test_a_step_in_a_graph_of_keras_is_the_step_as_it_is_written(system_of, batch_of):
    settings = in_small()
    written, compiled = system_of(settings), system_of(settings)
    written.train_step(batch_of(settings))
    compiled.fit(tf.data.Dataset.from_tensors(batch_of(settings)), verbose=0)
    for one, other in zip(written.variables, compiled.variables, strict=True):
        np.testing.assert_allclose(one, other, atol=2e-3, err_msg=one.path)
