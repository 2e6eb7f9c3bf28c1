"""S-SepGAN's own algebra: what each term is, whom it moves, and every choice of objective, listener and network."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from tfsepgan.losses.adversarial import fake_loss, generator_loss, real_loss
from tfsepgan.losses.reconstruction import multi_resolution_spectral

PLAIN = {"phase_shuffle": 0}  # so that a discriminator gives the same scores twice


def discriminator_weights(system):
    return [np.asarray(variable) for variable in system.discriminator.variables]


def hear(system, batch):
    """The windows that the discriminator gets: mixture, target, estimate."""
    estimate = system.generator(batch["mixture"], training=True)
    return system.heard(0, batch["mixture"], batch["sources"], estimate)


def scores(system, windows):
    return system.discriminator(windows, training=True)["scores"]


def gradient(system, batch):
    with system.watching("discriminator") as tape:
        loss = system.discriminator_loss(*hear(system, batch))
    values = [variable.value for variable in system.discriminator.trainable_variables]
    return loss, tape.gradient(loss, values)


def test_the_discriminator_loss_has_the_papers_three_terms(short, system_of, batch_of):
    experiment = short(discriminator=PLAIN, model={"mixture_as_fake_weight": 0.5})
    system, batch = system_of(experiment), batch_of(experiment)
    mixture, real, generated = hear(system, batch)
    expected = (
        real_loss("vanilla", scores(system, real))
        + fake_loss("vanilla", scores(system, generated))
        + 0.5 * fake_loss("vanilla", scores(system, mixture))
    )
    assert float(system.discriminator_loss(mixture, real, generated)) == pytest.approx(float(expected), rel=1e-5)


def test_calling_the_mixture_fake_changes_what_the_discriminator_learns(short, system_of, batch_of):
    with_it, without = (short(discriminator=PLAIN, model={"mixture_as_fake_weight": weight}) for weight in (1.0, 0.0))
    batch = batch_of(with_it)
    (loss, gradients), (less, others) = (gradient(system_of(one), batch) for one in (with_it, without))
    assert float(loss) > float(less)
    assert not any(np.allclose(one, other, atol=1e-7) for one, other in zip(gradients, others, strict=True))


def test_the_generators_loss_is_the_weighted_sum_of_its_terms(short, system_of, batch_of):
    weights = {
        "paired_weight": 3.0,
        "adversarial_weight": 0.5,
        "identity_weight": 0.25,
        "feature_weight": 2.0,
        "spectral_weight": 1.5,
    }
    experiment = short(discriminator=PLAIN, model=weights)
    system, batch = system_of(experiment), batch_of(experiment)
    estimate = system.generator(batch["mixture"], training=True)
    terms = {name: float(value) for name, value in system.generator_losses(estimate, batch["sources"], 0).items()}
    total = (
        3.0 * terms["paired"]
        + 0.5 * terms["adversarial"]
        + 0.25 * terms["identity"]
        + 2.0 * terms["features"]
        + 1.5 * terms["spectral"]
    )
    assert terms["generator"] == pytest.approx(total, rel=1e-5)
    assert terms["paired"] == pytest.approx(np.mean(np.abs(estimate - batch["sources"])), rel=1e-5)
    fake = scores(system, estimate[:, 0])
    assert terms["adversarial"] == pytest.approx(float(generator_loss("vanilla", fake)), rel=1e-5)
    spectral = multi_resolution_spectral(batch["sources"][:, 0], estimate[:, 0])
    assert terms["spectral"] == pytest.approx(float(spectral), rel=1e-4)


def test_the_identity_term_is_how_far_a_target_alone_is_from_unchanged(short, system_of, batch_of):
    experiment = short()
    system, target = system_of(experiment), batch_of(experiment)["sources"]
    alone = np.asarray(system.generator(target[:, 0], training=True))[:, 0]
    expected = np.mean(np.abs(alone - np.asarray(target)[:, 0]))
    assert float(system.identity_loss(target)) == pytest.approx(expected, rel=1e-5)


def test_the_identity_term_of_two_sources_wants_silence_from_the_other(short, system_of, batch_of):
    experiment = short(data={"sources": ("piano", "flute")})
    system, target = system_of(experiment), batch_of(experiment)["sources"]
    total = 0.0
    for index in (0, 1):
        estimates = np.asarray(system.generator(target[:, index], training=True))
        wanted = np.zeros_like(estimates)
        wanted[:, index] = np.asarray(target)[:, index]
        total += np.mean(np.abs(estimates - wanted))
    assert float(system.identity_loss(target)) == pytest.approx(total / 2, rel=1e-5)


def test_a_share_of_the_batch_can_be_heard_for_identity(short, system_of, batch_of):
    experiment = short(model={"identity_share": 0.5})
    system, target = system_of(experiment), batch_of(experiment)["sources"]
    alone = np.asarray(system.generator(target[:1, 0], training=True))[:, 0]
    expected = np.mean(np.abs(alone - np.asarray(target)[:1, 0]))
    assert float(system.identity_loss(target)) == pytest.approx(expected, rel=1e-5)


def test_a_perfect_generator_has_no_paired_or_identity_loss(short, system_of, batch_of):
    experiment = short(model={"adversarial_weight": 0.0})
    system = system_of(experiment)
    masks = system.generator.get_layer("masks")
    kernel, bias = masks.get_weights()
    masks.set_weights([np.zeros_like(kernel), np.full_like(bias, 60.0)])  # all open: it gives back what it hears
    target = batch_of(experiment)["sources"]
    losses = system.generator_losses(system.generator(target[:, 0]), target, 0)
    assert float(losses["generator"]) == pytest.approx(0, abs=1e-4)


def test_without_adversarial_weight_the_discriminator_is_left_alone(short, system_of, batch_of):
    experiment = short(model={"adversarial_weight": 0.0})
    system = system_of(experiment)
    before = discriminator_weights(system)
    generator = np.asarray(system.generator.trainable_variables[0])
    system.train_step(batch_of(experiment))
    assert all(np.array_equal(old, new) for old, new in zip(before, discriminator_weights(system), strict=True))
    assert int(system.optimizers["discriminator"].iterations) == 0
    assert not np.array_equal(generator, system.generator.trainable_variables[0])


def test_feature_matching_alone_still_trains_the_discriminator(short, system_of, batch_of):
    experiment = short(model={"adversarial_weight": 0.0, "feature_weight": 1.0})
    system = system_of(experiment)
    logs = system.train_step(batch_of(experiment))
    assert int(system.optimizers["discriminator"].iterations) == 1
    assert logs["features"] > 0


def test_each_player_moves_its_own_weights_only(short, system_of, batch_of):
    experiment = short()
    system, batch = system_of(experiment), batch_of(experiment)
    generator = [np.asarray(v) for v in system.generator.variables]
    system.descend(system.discriminator_loss, hear(system, batch), player="discriminator")
    assert all(np.array_equal(old, new) for old, new in zip(generator, system.generator.get_weights(), strict=True))
    discriminator = [np.asarray(v) for v in system.discriminator.trainable_variables]
    with system.watching("generator") as tape:
        estimate = system.generator(batch["mixture"], training=True)
        loss = system.generator_losses(estimate, batch["sources"], 0)["generator"]
    system.move("generator", loss, tape)
    now = [np.asarray(v) for v in system.discriminator.trainable_variables]
    assert all(np.array_equal(old, new) for old, new in zip(discriminator, now, strict=True))


def test_steps_of_both_players_are_counted(short, system_of, batch_of):
    experiment = short(model={"discriminator_steps": 3})
    system = system_of(experiment)
    for seed in (0, 1):
        system.train_step(batch_of(experiment, seed))
    assert int(system.optimizers["discriminator"].iterations) == 6
    assert int(system.optimizers["generator"].iterations) == 2


def test_two_sources_are_windows_of_their_own_to_the_discriminator(short, system_of, batch_of):
    experiment = short(data={"sources": ("piano", "flute")})
    system, batch = system_of(experiment), batch_of(experiment)
    mixture, real, generated = hear(system, batch)
    assert real.shape == generated.shape == (4, 1024, 1)
    assert np.array_equal(real, np.asarray(batch["sources"]).reshape(4, 1024, 1))
    assert mixture.shape == (2, 1024, 1)
    logs = system.train_step(batch)
    assert all(np.isfinite(value) for value in logs.values())
    assert tuple(system(batch["mixture"]).shape) == (2, 2, 1024, 1)


def test_a_shorter_window_of_the_discriminator_is_the_same_stretch_of_all(short, system_of, batch_of):
    experiment = short(discriminator={"kind": "patch", "window": 256})
    system, batch = system_of(experiment), batch_of(experiment)
    starts = {int(system.where_to_listen()) for _ in range(40)}
    assert min(starts) >= 0
    assert max(starts) <= 1024 - 256
    assert len(starts) > 20
    mixture, real = system.heard(17, batch["mixture"], batch["sources"])
    assert np.array_equal(mixture, batch["mixture"][:, 17 : 17 + 256])
    assert np.array_equal(real, batch["sources"][:, 0, 17 : 17 + 256])
    assert all(np.isfinite(value) for value in system.train_step(batch).values())


def test_the_penalty_is_that_of_the_discriminators_own_slope(short, system_of, batch_of):
    experiment = short(discriminator=PLAIN, model={"objective": "wgan-gp"})
    system, batch = system_of(experiment), batch_of(experiment)
    same = batch["sources"][:, 0]
    got = float(system.penalty(same, same))  # between equal windows there is one point only
    waveform = tf.convert_to_tensor(same)
    with tf.GradientTape() as tape:
        tape.watch(waveform)
        total = tf.reduce_sum(scores(system, waveform)[0])
    slope = np.sqrt(np.sum(np.square(tape.gradient(total, waveform)), axis=(1, 2)))
    assert got == pytest.approx(np.mean((slope - 1) ** 2), rel=1e-4)


EVERY_TERM = {"feature_weight": 1.0, "spectral_weight": 1.0}
KINDS = {
    "wavegan": {},
    "patch": {},
    "multiperiod": {"periods": (2, 3)},
    "multiresolution": {"frames": (64, 128)},
}


@pytest.mark.parametrize("kind", sorted(KINDS))
@pytest.mark.parametrize(
    ("objective", "more"), [("wgan-gp", {}), ("hinge", EVERY_TERM)], ids=["wgan-gp", "hinge and every term"]
)
def test_every_listener_plays_by_every_kind_of_rule(kind, objective, more, short, system_of, batch_of):
    experiment = short(discriminator={"kind": kind, **KINDS[kind]}, model={"objective": objective, **more})
    system = system_of(experiment)
    before = [np.asarray(variable) for variable in system.discriminator.trainable_variables]
    for seed in (0, 1):
        logs = system.train_step(batch_of(experiment, seed))
    assert all(np.isfinite(value) for value in logs.values())
    still = [
        variable.path
        for variable, old in zip(system.discriminator.trainable_variables, before, strict=True)
        if np.array_equal(variable, old)
    ]
    # A constant added to every score changes neither a Wasserstein distance nor a slope, so it gets no gradient.
    assert objective == "wgan-gp" or not still
    assert all("score/bias" in path for path in still), still


@pytest.mark.parametrize("objective", ["lsgan", "vanilla"])
def test_the_other_objectives_step_too(objective, short, system_of, batch_of):
    experiment = short(model={"objective": objective}, discriminator={"spectral_norm": True})
    logs = system_of(experiment).train_step(batch_of(experiment))
    assert all(np.isfinite(value) for value in logs.values())


def test_the_papers_generator_and_mixed_precision_step_too(short, batch_of):
    from tfsepgan import systems

    experiment = short(generator={"kind": "resnet", "channels": 8, "blocks": 1})
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        system = systems.build(experiment)
        system.compile()
    finally:
        keras.config.set_dtype_policy("float32")
    logs = system.train_step(batch_of(experiment))
    assert all(np.isfinite(value) for value in logs.values())
    assert all(keras.backend.standardize_dtype(v.dtype) == "float32" for v in system.generator.variables)
    estimate = system(batch_of(experiment)["mixture"])
    assert keras.backend.standardize_dtype(estimate.dtype) == "float32"
