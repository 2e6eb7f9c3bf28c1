"""The semi-supervised terms, their levels, and where their gradients go."""

import numpy as np
import pytest
import tensorflow as tf
from semisupervised_for_tests import (
    BATCH,
    CRITICS,
    PLAIN,
    SLOW,
    WINDOW,
    batch_of,
    estimates_of,
    experiment,
    open_masks,
    scores,
    steeper,
    step,
)


def test_the_generator_estimates_the_others_too_and_the_model_does_not(system_of):
    one = experiment(data={"sources": ("piano", "flute")})
    system, batch = system_of(one), batch_of(one)
    assert estimates_of(system, batch["mixture"]).shape == (BATCH, 3, WINDOW, 1)
    assert tuple(system(batch["mixture"]).shape) == (BATCH, 2, WINDOW, 1)
    assert list(system.players) == ["critic_piano", "critic_flute", "critic_residual", "generator"]


DISTANCES = {"l1": np.abs, "mse": np.square}  # of the difference, before the mean
distances = pytest.mark.parametrize("distance", DISTANCES)


@distances
def test_supervised_is_the_distance_of_every_source_and_of_the_others(distance, system_of):
    one = experiment(data={"sources": ("piano", "flute")}, model={"paired_loss": distance})
    system, batch = system_of(one), batch_of(one)
    estimates = estimates_of(system, batch["mixture"]).astype(np.float64)
    mixture, sources = np.asarray(batch["mixture"]), np.asarray(batch["sources"])
    parts = [sources[:, 0], sources[:, 1], mixture - sources[:, 0] - sources[:, 1]]
    expected = sum(
        np.mean(DISTANCES[distance](part - estimates[:, k])) for k, part in enumerate(parts)
    )
    assert step(system, batch)["supervised"] == pytest.approx(expected, rel=1e-5)


@distances
def test_additive_is_what_estimates_of_unlabelled_mixtures_miss_of_them(distance, system_of):
    one = experiment(model={"paired_loss": distance})
    system, batch = system_of(one), batch_of(one)
    estimates = estimates_of(system, batch["unlabelled"]).astype(np.float64)
    expected = np.mean(DISTANCES[distance](np.asarray(batch["unlabelled"]) - estimates.sum(axis=1)))
    assert step(system, batch)["additive"] == pytest.approx(expected, rel=1e-5)


def test_each_critic_scores_solos_of_its_source_above_estimates(system_of):
    one = experiment(discriminator=PLAIN, model={"penalty_weight": 0.0}, **SLOW)
    system, batch = system_of(one), batch_of(one)
    estimates = estimates_of(system, batch["unlabelled"])
    distances, opinions = [], []
    for k, name in enumerate(CRITICS):
        real = scores(system.critics[name], batch["solo"][:, k])
        fake = scores(system.critics[name], estimates[:, k])
        distances.append(real.mean() - fake.mean())
        opinions.append(-fake.mean())
    log = step(system, batch)
    assert log["distance"] == pytest.approx(np.mean(distances), rel=1e-4)
    assert log["critic"] == pytest.approx(-np.mean(distances), rel=1e-4)
    assert log["unsupervised"] == pytest.approx(np.sum(opinions), rel=1e-4)


def test_the_separators_loss_is_the_weighted_sum_of_its_terms(system_of):
    one = experiment(
        model={"supervised_weight": 2.0, "unsupervised_weight": 0.5, "additive_weight": 3.0}
    )
    log = step(system_of(one), batch_of(one))
    expected = 2.0 * log["supervised"] + 0.5 * log["unsupervised"] + 3.0 * log["additive"]
    assert log["generator"] == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize(
    ("one_sided", "factor"),
    [(True, 1.0), (True, 1e4), (False, 1.0), (False, 1e4)],
    ids=lambda value: str(value),
)
def test_the_penalty_is_that_of_the_critics_own_slopes(one_sided, factor, system_of):
    """Between equal windows there is one point only, so the random position does not matter."""
    one = experiment(discriminator=PLAIN, model={"one_sided": one_sided, "penalty_weight": 7.0})
    system, batch = system_of(one), batch_of(one)
    open_masks(system)
    waveform, penalties = batch["unlabelled"], []
    for critic in system.critics.values():
        steeper(critic, factor)
        with tf.GradientTape() as tape:
            tape.watch(waveform)
            total = tf.reduce_sum(critic(waveform, training=True)["scores"][0])
        above = np.sqrt(np.sum(np.square(tape.gradient(total, waveform)), axis=(1, 2))) - 1
        assert (above > 0).all() == (factor > 1)
        penalties.append(np.mean((np.maximum(above, 0) if one_sided else above) ** 2))
    log = step(system, {**batch, "solo": tf.stack([waveform, waveform], axis=1)})
    assert log["distance"] == pytest.approx(0, abs=1e-3)
    assert log["penalty"] == pytest.approx(np.mean(penalties), rel=1e-3)
    assert log["critic"] == pytest.approx(7 * np.mean(penalties), rel=1e-3, abs=1e-3)


@distances
def test_the_separators_first_gradient_is_that_of_its_loss_and_of_nothing_else(distance, system_of):
    """It is Adam's first moment. The critics' steps, inside the same step, must not change it."""
    model = {"supervised_weight": 0.5, "unsupervised_weight": 0.2, "paired_loss": distance}
    one, of = (
        experiment(discriminator=PLAIN, model=model, **SLOW),
        {"l1": tf.abs, "mse": tf.square}[distance],
    )
    system, batch = system_of(one), batch_of(one)
    variables = [variable.value for variable in system.generator.trainable_variables]
    others = batch["mixture"] - batch["sources"][:, 0]
    with tf.GradientTape() as tape:
        tape.watch(variables)
        labelled = system.generator(batch["mixture"], training=True)
        loss = 0.5 * tf.reduce_mean(of(labelled[:, 0] - batch["sources"][:, 0]))
        loss += 0.5 * tf.reduce_mean(of(labelled[:, 1] - others))
        unlabelled = system.generator(batch["unlabelled"], training=True)
        for k, name in enumerate(CRITICS):
            loss -= 0.2 * tf.reduce_mean(
                system.critics[name](unlabelled[:, k], training=True)["scores"][0]
            )
        loss += 0.1 * tf.reduce_mean(of(batch["unlabelled"] - unlabelled[:, 0] - unlabelled[:, 1]))
    expected = tape.gradient(loss, variables)
    step(system, batch)
    optimizer = system.optimizers["generator"]
    moments = [np.asarray(v) for v in optimizer.variables if "momentum" in v.path]
    for moment, wanted in zip(moments, expected, strict=True):
        np.testing.assert_allclose(moment / (1 - optimizer.beta_1), wanted, rtol=1e-3, atol=1e-6)


def test_critics_get_the_same_crop_of_solos_and_estimates_and_another_each_step(system_of):
    """Where both are equal, only unequal crops give a difference of scores."""
    model = {"penalty_weight": 0.0}
    one = experiment(discriminator={"kind": "patch", "window": 256}, model=model)
    system, batch = system_of(one), batch_of(one)
    batch["solo"] = tf.stack([batch["unlabelled"]] * 2, axis=1)
    losses = set()
    for _ in range(3):
        open_masks(system)
        log = step(system, batch)
        assert log["distance"] == pytest.approx(0, abs=1e-5)
        losses.add(round(log["unsupervised"], 8))
    assert len(losses) == 3


def test_at_one_level_quiet_windows_count_as_much_as_loud_ones(system_of):
    one = experiment(discriminator=PLAIN, model={"level_dbfs": -20.0})
    batch = batch_of(one)
    logs = []
    for factor in (1.0, 0.01):
        system = system_of(one)
        open_masks(system)
        logs.append(step(system, {name: factor * value for name, value in batch.items()}))
    mixture, source, unlabelled = (
        np.asarray(batch[name]) for name in ("mixture", "sources", "unlabelled")
    )
    gain = 0.1 / np.sqrt(np.mean(np.square(mixture), axis=(1, 2), keepdims=True))
    parts = (source[:, 0], mixture - source[:, 0])
    expected = sum(np.mean(gain * np.abs(mixture - part)) for part in parts)
    of_unlabelled = np.mean(
        0.1
        * np.abs(unlabelled)
        / np.sqrt(np.mean(np.square(unlabelled), axis=(1, 2), keepdims=True))
    )
    for log in logs:
        assert log["supervised"] == pytest.approx(expected, rel=1e-3)
        # two estimates that equal the mixture exceed it by one mixture
        assert log["additive"] == pytest.approx(of_unlabelled, rel=1e-3)
    for name in ("distance", "penalty", "unsupervised"):
        assert logs[1][name] == pytest.approx(logs[0][name], rel=2e-2, abs=1e-4)


def test_solos_come_to_the_level_of_a_mixture_of_their_own(system_of):
    """Real windows are as loud as in a mixture at that level; quiet sources stay quiet."""
    one = experiment(discriminator=PLAIN, model={"level_dbfs": -26.0}, **SLOW)
    system, batch = system_of(one), batch_of(one)
    solo = np.array(batch["solo"])
    solo[:, 0] *= 0.05
    together = solo.sum(axis=1)
    level = 10 ** (-26 / 20) / np.sqrt(np.mean(np.square(together), axis=(1, 2)))[:, None, None]
    unlabelled = np.asarray(batch["unlabelled"])
    gain = 10 ** (-26 / 20) / np.sqrt(np.mean(np.square(unlabelled), axis=(1, 2)))[:, None, None]
    estimates = estimates_of(system, unlabelled)
    distances = [
        scores(system.critics[name], level * solo[:, k]).mean()
        - scores(system.critics[name], gain * estimates[:, k]).mean()
        for k, name in enumerate(CRITICS)
    ]
    log = step(system, {**batch, "solo": tf.constant(solo)})
    assert log["distance"] == pytest.approx(np.mean(distances), rel=1e-3)
