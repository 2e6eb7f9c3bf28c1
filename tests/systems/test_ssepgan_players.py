"""S-SepGAN's players: which terms train them, how often they step, all kinds of networks."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from ssepgan_for_tests import (
    gradients_of,
    step,
    weights_of,
)

from tfsepgan import systems


def test_without_adversarial_weight_the_discriminator_is_left_alone(short, system_of, batch_of):
    experiment = short(model={"adversarial_weight": 0.0})
    system = system_of(experiment)
    before = weights_of(system, "discriminator")
    generator = weights_of(system, "generator")
    step(system, batch_of(experiment))
    assert all(
        np.array_equal(old, new)
        for old, new in zip(before, weights_of(system, "discriminator"), strict=True)
    )
    assert int(system.optimizers["discriminator"].iterations) == 0
    assert not np.array_equal(generator[0], weights_of(system, "generator")[0])


def test_feature_matching_alone_still_trains_the_discriminator(short, system_of, batch_of):
    experiment = short(model={"adversarial_weight": 0.0, "feature_weight": 1.0})
    system = system_of(experiment)
    assert step(system, batch_of(experiment))["features"] > 0
    assert int(system.optimizers["discriminator"].iterations) == 1


def test_each_player_moves_its_own_weights_only(short, system_of, batch_of):
    for player, still in (("generator", "discriminator"), ("discriminator", "generator")):
        experiment = short()
        system = system_of(experiment)
        system.optimizers[still].learning_rate.assign(0.0)
        before = {name: weights_of(system, name) for name in system.players}
        step(system, batch_of(experiment))
        moved = {
            name: any(
                not np.array_equal(a, b)
                for a, b in zip(before[name], weights_of(system, name), strict=True)
            )
            for name in system.players
        }
        assert moved == {player: True, still: False}


def test_the_generators_first_gradient_is_that_of_its_loss(short, system_of, batch_of):
    """With the paired term alone, it is the gradient of ten times the L1 distance."""
    experiment = short(model={"adversarial_weight": 0.0, "identity_weight": 0.0})
    system, batch = system_of(experiment), batch_of(experiment)
    variables = [variable.value for variable in system.generator.trainable_variables]
    with tf.GradientTape() as tape:
        tape.watch(variables)
        estimate = system.generator(batch["mixture"], training=True)
        loss = 10.0 * tf.reduce_mean(tf.abs(estimate - batch["sources"]))
    expected = tape.gradient(loss, variables)
    step(system, batch)
    for got, wanted in zip(gradients_of(system, "generator"), expected, strict=True):
        np.testing.assert_allclose(got, wanted, rtol=1e-3, atol=1e-6)


def test_steps_of_both_players_are_counted(short, system_of, batch_of):
    experiment = short(model={"discriminator_steps": 3})
    system = system_of(experiment)
    for seed in (0, 1):
        step(system, batch_of(experiment, seed))
    assert int(system.optimizers["discriminator"].iterations) == 6
    assert int(system.optimizers["generator"].iterations) == 2


EVERY_TERM = {"feature_weight": 1.0, "spectral_weight": 1.0}
KINDS = {
    "wavegan": {},
    "patch": {},
    "multiperiod": {"periods": (2, 3)},
    "multiresolution": {"frames": (64, 128)},
}


@pytest.mark.parametrize("kind", sorted(KINDS))
@pytest.mark.parametrize(
    ("objective", "more"),
    [("wgan-gp", {}), ("hinge", EVERY_TERM)],
    ids=["wgan-gp", "hinge and every term"],
)
def test_every_discriminator_trains_with_every_kind_of_objective(
    kind, objective, more, short, system_of, batch_of
):
    experiment = short(
        discriminator={"kind": kind, **KINDS[kind]}, model={"objective": objective, **more}
    )
    system = system_of(experiment)
    before = weights_of(system, "discriminator")
    for seed in (0, 1):
        log = step(system, batch_of(experiment, seed))
    assert all(np.isfinite(value) for value in log.values())
    still = [
        variable.path
        for variable, old in zip(system.discriminator.trainable_variables, before, strict=True)
        if np.array_equal(variable, old)
    ]
    # A constant added to every score changes neither a Wasserstein distance nor a slope, so it gets
    # no gradient.
    assert objective == "wgan-gp" or not still
    assert all("score/bias" in path for path in still), still


@pytest.mark.parametrize("objective", ["lsgan", "vanilla"])
def test_the_other_objectives_step_too(objective, short, system_of, batch_of):
    experiment = short(model={"objective": objective}, discriminator={"spectral_norm": True})
    log = step(system_of(experiment), batch_of(experiment))
    assert all(np.isfinite(value) for value in log.values())


def test_the_papers_generator_and_mixed_precision_step_too(short, batch_of):
    experiment = short(generator={"kind": "resnet", "channels": 8, "blocks": 1})
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        system = systems.build(experiment)
        system.compile()
    finally:
        keras.config.set_dtype_policy("float32")
    log = step(system, batch_of(experiment))
    assert all(np.isfinite(value) for value in log.values())
    assert all(
        keras.backend.standardize_dtype(v.dtype) == "float32"
        for v in system.generator.trainable_variables
    )
    estimate = system(batch_of(experiment)["mixture"])
    assert keras.backend.standardize_dtype(estimate.dtype) == "float32"


def test_the_quarter_preset_keeps_what_makes_it_the_papers():
    """Its terms, weights, objective, law and kinds of networks; narrower, with faster training."""
    paper, quarter = systems.preset("ssepgan", "paper"), systems.preset("ssepgan", "quarter")
    for name in (
        "objective",
        "paired_loss",
        "level_dbfs",
        "discriminator_steps",
        *(n for n in vars(paper.model) if "weight" in n),
    ):
        assert getattr(quarter.model, name) == getattr(paper.model, name), name
    for name in ("law", "sample_rate_hz", "window", "snr_db", "gain_db", "others"):
        assert getattr(quarter.data, name) == getattr(paper.data, name), name
    networks = [(preset.model.generator, preset.model.discriminator) for preset in (paper, quarter)]
    for wide, narrow in zip(*networks, strict=True):
        assert narrow.channels * 4 == wide.channels
        assert narrow.kind == wide.kind
