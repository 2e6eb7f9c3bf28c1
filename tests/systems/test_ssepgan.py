"""S-SepGAN's logged terms against their equations, at any level."""

import numpy as np
import pytest
import tensorflow as tf
from ssepgan_for_tests import ONE_STEP, PLAIN, estimate_of, gradients_of, open_masks, scores, step

from tfsepgan.losses.adversarial import fake_loss, generator_loss, real_loss
from tfsepgan.losses.reconstruction import multi_resolution_spectral


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
    ("sources", "share", "few"), [(("piano",), 1.0, 2), (("piano", "flute"), 0.5, 1)]
)
def test_identity_is_how_far_a_source_alone_is_from_unchanged(
    sources, share, few, short, system_of, batch_of
):
    """With several sources all other estimates should be silent; a share can be used."""
    experiment = short(data={"sources": sources}, model={"identity_share": share})
    system, batch = system_of(experiment), batch_of(experiment)
    target = np.asarray(batch["sources"])[:few]
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
    """Give the discriminator scores near one; the initial ones are nearly all the same."""
    layer = system.discriminator.get_layer("score")
    layer.set_weights([200.0 * weight for weight in layer.get_weights()])


def levelled(level_dbfs, mixture, *others):
    """Windows times the factor that brings their mixture to a level."""
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
    """The input of the network has the level of the recording."""
    experiment = short(model={"level_dbfs": -14.0, "adversarial_weight": 0.0})
    system, batch = system_of(experiment), batch_of(experiment)
    target = np.asarray(batch["sources"])
    _, error = levelled(
        -14.0, np.asarray(batch["mixture"]), estimate_of(system, target[:, 0]) - target
    )
    assert step(system, batch)["identity"] == pytest.approx(np.mean(np.abs(error)), rel=1e-4)


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


def test_a_shorter_window_of_the_discriminator_is_the_same_crop_of_all(short, system_of, batch_of):
    """Where target and estimate are equal, only unequal crops give a difference of scores."""
    model = {"objective": "wgan-gp", "penalty_weight": 0.0, "mixture_as_fake_weight": 0.0}
    experiment = short(discriminator={"kind": "patch", "window": 256}, model=model)
    system, batch = system_of(experiment), batch_of(experiment)
    open_masks(system)
    batch = {**batch, "mixture": batch["sources"][:, 0]}
    losses = set()
    for _ in range(3):
        open_masks(system)
        log = step(system, batch)
        assert log["discriminator"] == pytest.approx(0, abs=1e-5)
        losses.add(round(log["adversarial"], 7))
    assert len(losses) == 3  # each step has another crop


def test_the_penalty_is_that_of_the_discriminators_own_slope(short, system_of, batch_of):
    """Between equal windows there is one point only, so the random position does not matter."""
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
