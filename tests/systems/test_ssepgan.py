"""S-SepGAN's own algebra, as its log tells it: what each term is, whom it moves, every objective
and listener."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from tfsepgan import systems
from tfsepgan.losses.adversarial import fake_loss, generator_loss, real_loss
from tfsepgan.losses.reconstruction import multi_resolution_spectral

PLAIN = {"phase_shuffle": 0}  # so that a discriminator gives the same scores twice
ONE_STEP = {"discriminator_learning_rate": 1e-12}  # so that it also gives them after its own step


def step(system, batch):
    return {name: float(value) for name, value in system.train_step(batch).items()}


def estimate_of(system, mixture):
    return np.asarray(system.generator(mixture, training=True))


def scores(system, windows):
    return system.discriminator(windows, training=True)["scores"]


def open_masks(system):
    """Make the generator give back what it hears."""
    masks = system.generator.get_layer("masks")
    kernel, bias = masks.get_weights()
    masks.set_weights([np.zeros_like(kernel), np.full_like(bias, 60.0)])


def gradients_of(system, player):
    """The gradients of a player's first step, which Adam keeps as its first moment."""
    optimizer, shapes = (
        system.optimizers[player],
        [tuple(v.shape) for v in system.players[player].trainable_variables],
    )
    moments = [np.asarray(v) for v in optimizer.variables if "momentum" in v.path]
    assert [moment.shape for moment in moments] == shapes
    return [moment / (1 - optimizer.beta_1) for moment in moments]


def weights_of(system, player):
    return [np.asarray(variable) for variable in system.players[player].trainable_variables]


def test_the_discriminator_loss_has_the_papers_three_terms(short, system_of, batch_of):
    experiment = short(discriminator=PLAIN, model={"mixture_as_fake_weight": 0.5})
    system, batch = system_of(experiment), batch_of(experiment)
    estimate = estimate_of(system, batch["mixture"])
    expected = (
        real_loss("vanilla", scores(system, batch["sources"][:, 0]))
        + fake_loss("vanilla", scores(system, estimate[:, 0]))
        + 0.5 * fake_loss("vanilla", scores(system, batch["mixture"]))
    )
    assert step(system, batch)["discriminator"] == pytest.approx(float(expected), rel=1e-5)


def test_calling_the_mixture_fake_changes_what_the_discriminator_learns(short, system_of, batch_of):
    learnt = []
    for weight in (1.0, 0.0):
        experiment = short(discriminator=PLAIN, model={"mixture_as_fake_weight": weight})
        system = system_of(experiment)
        loss = step(system, batch_of(experiment))["discriminator"]
        learnt.append((loss, gradients_of(system, "discriminator")))
    (with_it, gradients), (without, others) = learnt
    assert with_it > without
    for one, other in zip(gradients, others, strict=True):
        assert np.abs(one - other).max() > 0.05 * np.abs(other).max()


def test_the_generators_loss_is_the_weighted_sum_of_its_terms(short, system_of, batch_of):
    weights = {
        "paired_weight": 3.0,
        "adversarial_weight": 0.5,
        "identity_weight": 0.25,
        "feature_weight": 2.0,
        "spectral_weight": 1.5,
    }
    experiment = short(discriminator=PLAIN, model=weights, **ONE_STEP)
    system, batch = system_of(experiment), batch_of(experiment)
    estimate, target = estimate_of(system, batch["mixture"]), np.asarray(batch["sources"])
    log = step(system, batch)
    assert log["paired"] == pytest.approx(np.mean(np.abs(estimate - target)), rel=1e-5)
    adversarial = generator_loss("vanilla", scores(system, estimate[:, 0]))
    assert log["adversarial"] == pytest.approx(float(adversarial), rel=1e-5)
    spectral = multi_resolution_spectral(target[:, 0], estimate[:, 0])
    assert log["spectral"] == pytest.approx(float(spectral), rel=1e-4)
    assert log["features"] > 0
    total = 3.0 * log["paired"] + 0.5 * log["adversarial"] + 0.25 * log["identity"]
    total += 2.0 * log["features"] + 1.5 * log["spectral"]
    assert log["generator"] == pytest.approx(total, rel=1e-5)


def test_the_paired_distance_may_be_the_mean_square(short, system_of, batch_of):
    experiment = short(
        model={
            "paired_loss": "mse",
            "paired_weight": 100.0,
            "adversarial_weight": 0.0,
            "identity_weight": 0.0,
        }
    )
    system, batch = system_of(experiment), batch_of(experiment)
    error = estimate_of(system, np.asarray(batch["mixture"])) - np.asarray(batch["sources"])
    log = step(system, batch)
    assert log["paired"] == pytest.approx(np.mean(np.square(error)), rel=1e-4)
    assert log["generator"] == pytest.approx(100 * log["paired"], rel=1e-5)


@pytest.mark.parametrize(
    ("sources", "share", "heard"), [(("piano",), 1.0, 2), (("piano", "flute"), 0.5, 1)]
)
def test_identity_is_how_far_a_source_alone_is_from_unchanged(
    sources, share, heard, short, system_of, batch_of
):
    """With several sources, the others' estimates of it should be silent; a share of the batch may
    be enough."""
    experiment = short(data={"sources": sources}, model={"identity_share": share})
    system, batch = system_of(experiment), batch_of(experiment)
    target = np.asarray(batch["sources"])[:heard]
    total = 0.0
    for index in range(len(sources)):
        wanted = np.zeros_like(target)
        wanted[:, index] = target[:, index]
        total += np.mean(np.abs(estimate_of(system, target[:, index]) - wanted))
    assert step(system, batch)["identity"] == pytest.approx(total / len(sources), rel=1e-5)


def test_a_generator_that_is_right_has_no_paired_or_identity_loss(short, system_of, batch_of):
    experiment = short(model={"adversarial_weight": 0.0})
    system = system_of(experiment)
    open_masks(system)
    batch = batch_of(experiment)
    log = step(system, {**batch, "mixture": batch["sources"][:, 0]})
    assert log["paired"] == pytest.approx(0, abs=1e-5)
    assert log["identity"] == pytest.approx(0, abs=1e-5)


def test_at_one_level_quiet_windows_count_as_much_as_loud_ones(short, system_of, batch_of):
    experiment = short(model={"adversarial_weight": 0.0, "level_dbfs": -20.0})
    batch = batch_of(experiment)
    mixture, target = np.asarray(batch["mixture"]), np.asarray(batch["sources"])
    logs = []
    for factor in (1.0, 0.01):
        system = system_of(experiment)
        open_masks(system)
        logs.append(step(system, {name: factor * value for name, value in batch.items()}))
    gain = 0.1 / np.sqrt(np.mean(np.square(mixture), axis=(1, 2), keepdims=True))
    expected = np.mean(gain * np.abs(mixture - target[:, 0]))
    assert logs[0]["paired"] == pytest.approx(expected, rel=1e-3)
    assert logs[1]["paired"] == pytest.approx(expected, rel=1e-3)


def outspoken(system):
    """Give the discriminator scores of the size of one: those that it starts with are so small that
    all of them look alike."""
    layer = system.discriminator.get_layer("score")
    layer.set_weights([200.0 * weight for weight in layer.get_weights()])


def levelled(level_dbfs, mixture, *others):
    """Windows at the level that brings their mixture to one."""
    loud = np.sqrt(np.mean(np.square(mixture), axis=(1, 2), keepdims=True))
    gain = 10 ** (level_dbfs / 20) / loud
    return (gain * mixture, *(gain[:, None] * other for other in others))


def test_at_one_level_the_discriminator_is_given_mixture_target_and_estimate_at_it(
    short, system_of, batch_of
):
    experiment = short(discriminator=PLAIN, model={"level_dbfs": -14.0}, **ONE_STEP)
    system, batch = system_of(experiment), batch_of(experiment)
    outspoken(system)
    estimate = estimate_of(system, batch["mixture"])
    mixture, target, estimate = levelled(
        -14.0, np.asarray(batch["mixture"]), np.asarray(batch["sources"]), estimate
    )
    log = step(system, batch)
    expected = real_loss("vanilla", scores(system, target[:, 0]))
    expected += fake_loss("vanilla", scores(system, estimate[:, 0])) + fake_loss(
        "vanilla", scores(system, mixture)
    )
    assert log["discriminator"] == pytest.approx(float(expected), rel=1e-4)
    adversarial = generator_loss("vanilla", scores(system, estimate[:, 0]))
    assert log["adversarial"] == pytest.approx(float(adversarial), rel=1e-4)


def test_the_identity_term_is_measured_at_the_level_of_the_mixture(short, system_of, batch_of):
    """The network itself is given the source as it was recorded."""
    experiment = short(model={"level_dbfs": -14.0, "adversarial_weight": 0.0})
    system, batch = system_of(experiment), batch_of(experiment)
    target = np.asarray(batch["sources"])
    _, error = levelled(
        -14.0, np.asarray(batch["mixture"]), estimate_of(system, target[:, 0]) - target
    )
    assert step(system, batch)["identity"] == pytest.approx(np.mean(np.abs(error)), rel=1e-4)


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
    """With the paired term alone it must be the gradient of ten times the L1 distance, and nothing
    else."""
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


def test_two_sources_are_windows_of_their_own_to_the_discriminator(short, system_of, batch_of):
    experiment = short(data={"sources": ("piano", "flute")}, discriminator=PLAIN)
    system, batch = system_of(experiment), batch_of(experiment)
    estimate = estimate_of(system, batch["mixture"])
    real, generated = (
        np.reshape(windows, (4, 1024, 1)) for windows in (batch["sources"], estimate)
    )
    expected = (
        real_loss("vanilla", scores(system, real))
        + fake_loss("vanilla", scores(system, generated))
        + fake_loss("vanilla", scores(system, batch["mixture"]))
    )
    log = step(system, batch)
    assert log["discriminator"] == pytest.approx(float(expected), rel=1e-5)
    assert log["paired"] == pytest.approx(np.mean(np.abs(estimate - batch["sources"])), rel=1e-5)
    assert tuple(system(batch["mixture"]).shape) == (2, 2, 1024, 1)


def test_a_shorter_window_of_the_discriminator_is_the_same_stretch_of_all(
    short, system_of, batch_of
):
    """Where target and estimate are equal, only unequal stretches could make their scores differ."""
    model = {"objective": "wgan-gp", "penalty_weight": 0.0, "mixture_as_fake_weight": 0.0}
    experiment = short(discriminator={"kind": "patch", "window": 256}, model=model)
    system, batch = system_of(experiment), batch_of(experiment)
    open_masks(system)
    batch = {**batch, "mixture": batch["sources"][:, 0]}
    heard = set()
    for _ in range(3):
        open_masks(system)
        log = step(system, batch)
        assert log["discriminator"] == pytest.approx(0, abs=1e-5)
        heard.add(round(log["adversarial"], 7))
    assert len(heard) == 3  # and each step hears another stretch


def test_the_penalty_is_that_of_the_discriminators_own_slope(short, system_of, batch_of):
    """Between windows that are equal there is one point only, so the random position drops out."""
    model = {"objective": "wgan-gp", "penalty_weight": 7.0, "mixture_as_fake_weight": 0.0}
    experiment = short(discriminator=PLAIN, model=model)
    system, batch = system_of(experiment), batch_of(experiment)
    open_masks(system)
    waveform = batch["sources"][:, 0]
    with tf.GradientTape() as tape:
        tape.watch(waveform)
        total = tf.reduce_sum(scores(system, waveform)[0])
    slope = np.sqrt(np.sum(np.square(tape.gradient(total, waveform)), axis=(1, 2)))
    log = step(system, {**batch, "mixture": waveform})
    assert log["discriminator"] == pytest.approx(7 * np.mean((slope - 1) ** 2), rel=1e-3)


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
def test_every_listener_plays_by_every_kind_of_rule(
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
    """Its terms, weights, objective, law and kinds of networks; narrower, and set to learn sooner."""
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
