"""CycleGAN's logged losses against the equations: one and two sources, `carry_rest`, levels."""

import numpy as np
import pytest
import tensorflow as tf
from cyclegan_for_tests import (
    CARRIED,
    MASKS,
    NOTHING,
    STILL,
    TERMS,
    TWO,
    at_full_strength,
    experiment,
    generate,
    l1,
    mix,
    open_masks,
    rms,
    scores,
    step,
)

from tfsepgan.losses.adversarial import fake_loss, generator_loss, real_loss


@pytest.fixture
def system_of(system_of):
    """A built and compiled system whose mixer has a strong output."""
    return lambda settings: at_full_strength(system_of(settings))


@pytest.mark.parametrize("data", [{}, TWO], ids=["one source", "two"])
def test_every_term_is_that_of_the_equations(data, system_of, batch_of):
    """Against NumPy. F gets the sum of two sources, D_x each as a window of its own."""
    settings = experiment(data=data)
    system, batch = system_of(settings), batch_of(settings)
    count = len(settings.data.sources)
    m, x = np.asarray(batch["unlabelled"]), np.asarray(batch["solo"])[:, :count]
    estimate, mixed = generate(system, m), mix(system, x.sum(axis=1))
    alone = 0.0
    for index in range(count):
        wanted = np.zeros_like(x)
        wanted[:, index] = x[:, index]
        alone += l1(generate(system, x[:, index]), wanted) / count
    expected = {
        "cycle_source": l1(generate(system, mixed), x),
        "cycle_mixture": l1(mix(system, estimate.sum(axis=1)), m),
        "identity_source": alone,
        "identity_mixture": l1(mix(system, m), m),
        "adversarial_source": generator_loss("lsgan", scores(system, "source", estimate)),
        "adversarial_mixture": generator_loss("lsgan", scores(system, "mixture", mixed)),
    }
    for end, real, fake in (("source", x, estimate), ("mixture", m, mixed)):
        loss = real_loss("lsgan", scores(system, end, real))
        loss += fake_loss("lsgan", scores(system, end, fake))
        expected[f"{end}_discriminator"] = loss
    log = step(system, batch)
    for name, value in expected.items():
        assert log[name] == pytest.approx(float(value), rel=1e-4), name


def test_the_generators_loss_is_the_weighted_sum_of_its_terms(system_of, batch_of):
    weights = dict(zip(TERMS, (3.0, 0.7, 2.0, 0.3, 0.5, 1.5), strict=True))
    settings = experiment(model={f"{term}_weight": weight for term, weight in weights.items()})
    log = step(system_of(settings), batch_of(settings))
    assert all(log[term] > 0 for term in TERMS)
    assert log["generator"] == pytest.approx(
        sum(weight * log[term] for term, weight in weights.items()), rel=1e-5
    )


def test_generators_that_change_nothing_have_no_cycle_or_identity_loss(system_of, batch_of):
    settings = experiment(mixer=MASKS)
    system, batch = system_of(settings), batch_of(settings)
    for network in (system.generator, system.mixer):
        open_masks(network)
    log = step(system, batch)
    for name in TERMS[:4]:
        assert log[name] == pytest.approx(0, abs=1e-5), name


@pytest.mark.parametrize("share", [0.8, 0.0])
def test_a_carried_residual_is_that_of_another_mixture_at_the_level_of_the_others(
    share, system_of, batch_of
):
    settings = experiment(data=TWO, model={**CARRIED, "taken_off": share})
    system, batch = system_of(settings), batch_of(settings)
    m, solo = np.asarray(batch["unlabelled"]), np.asarray(batch["solo"])
    x, estimate = solo[:, :2], generate(system, m)
    residual = m - share * estimate.sum(axis=1)
    mixed = mix(system, x.sum(axis=1) + residual / rms(residual) * rms(solo[:, 2]))
    expected = {
        "cycle_source": l1(generate(system, mixed), x),
        "cycle_mixture": l1(mix(system, m), m),  # the estimates and their residual add up to m
        "adversarial_source": generator_loss("lsgan", scores(system, "source", estimate)),
        "adversarial_mixture": generator_loss("lsgan", scores(system, "mixture", mixed)),
    }
    log = step(system, batch)
    for name, value in expected.items():
        assert log[name] == pytest.approx(float(value), rel=1e-3), name


@pytest.mark.parametrize("model", [{}, {"level_dbfs": -20.0}], ids=["as recorded", "at one level"])
def test_mixtures_and_sources_need_not_match(model, system_of, batch_of):
    """With mixtures in another order, the same sources give the same losses."""
    settings = experiment(data={"batch": 3}, model=model, **STILL)
    system, batch = system_of(settings), batch_of(settings)
    logs = [
        step(system, {**batch, "solo": tf.roll(batch["solo"], shift, axis=0)}) for shift in (0, 1)
    ]
    assert logs[0] == pytest.approx(logs[1], rel=1e-4)


def test_only_unpaired_windows_are_used(system_of, batch_of):
    settings = experiment()
    system, batch = system_of(settings), batch_of(settings)
    assert set(system.batch_keys) == {"unlabelled", "solo"}
    step(system, {name: batch[name] for name in system.batch_keys})


@pytest.mark.parametrize(
    ("model", "matters"), [({}, False), (CARRIED, True)], ids=["without", "carry_rest"]
)
def test_of_recordings_of_others_only_the_level_is_used(model, matters, system_of, batch_of):
    settings = experiment(model=model, **STILL)
    system, batch = system_of(settings), batch_of(settings)
    solo, other = (
        np.asarray(batch["solo"]),
        np.random.default_rng(9).standard_normal((2, 1024, 1)).astype(np.float32),
    )
    logs = []
    for others in (solo[:, 1], other * rms(solo[:, 1]) / rms(other), 3 * solo[:, 1]):
        changed = tf.constant(np.stack([solo[:, 0], others], axis=1))
        logs.append(step(system, {**batch, "solo": changed}))
    assert logs[0] == pytest.approx(logs[1], rel=1e-3)
    assert (logs[0] != pytest.approx(logs[2], rel=1e-3)) == matters


def test_at_one_level_quiet_windows_count_as_much_as_loud_ones(system_of, batch_of):
    cycles = {**NOTHING, "cycle_source_weight": 1.0, "cycle_mixture_weight": 1.0}
    settings = experiment(mixer=MASKS, model={**cycles, "level_dbfs": -20.0})
    batch, logs = batch_of(settings), []
    for factor in (1.0, 0.01):
        system = system_of(settings)
        open_masks(system.generator)
        logs.append(step(system, {name: factor * value for name, value in batch.items()}))
    mixture, solo = np.asarray(batch["unlabelled"]), np.asarray(batch["solo"])
    mixture, sources = 0.1 * mixture / rms(mixture), 0.1 * solo[:, 0] / rms(solo.sum(axis=1))
    system = system_of(settings)
    expected = {
        "cycle_mixture": l1(mix(system, mixture), mixture),
        "cycle_source": l1(mix(system, sources), sources),
    }
    for log in logs:
        assert {name: log[name] for name in expected} == pytest.approx(expected, rel=2e-3)


def test_at_one_level_the_generator_is_given_mixtures_as_loud_as_they_were_recorded(
    system_of, batch_of
):
    settings = experiment(model={"level_dbfs": -20.0})
    system, batch = system_of(settings), batch_of(settings)
    mixture = np.asarray(batch["unlabelled"]) * np.float32([1.0, 0.05])[:, None, None]
    gain = 0.1 / rms(mixture)
    got = system.unmix(tf.constant(gain * mixture), tf.constant(gain))
    np.testing.assert_allclose(got, gain[:, None] * generate(system, mixture), rtol=1e-4, atol=1e-5)


def test_the_identity_terms_can_use_a_share_of_the_batch(system_of, batch_of):
    identities = {"identity_source_weight": 1.0, "identity_mixture_weight": 1.0}
    settings = experiment(model={**NOTHING, **identities, "identity_share": 0.5})
    system, batch = system_of(settings), batch_of(settings)
    m, x = np.asarray(batch["unlabelled"])[:1], np.asarray(batch["solo"])[:1, :1]
    expected = {
        "identity_source": l1(generate(system, x[:, 0]), x),
        "identity_mixture": l1(mix(system, m), m),
    }
    log = step(system, batch)
    assert {name: log[name] for name in expected} == pytest.approx(expected, rel=1e-4)


def test_the_penalty_is_that_of_the_discriminators_own_slope(system_of, batch_of):
    """Where F changes nothing and x is m, there is one point between them, at any position."""
    model = {
        **NOTHING,
        "adversarial_mixture_weight": 1.0,
        "objective": "wgan-gp",
        "penalty_weight": 7.0,
    }
    settings = experiment(mixer=MASKS, model=model)
    system, batch = system_of(settings), batch_of(settings)
    open_masks(system.mixer)
    waveform = batch["solo"][:, 0]
    with tf.GradientTape() as tape:
        tape.watch(waveform)
        total = tf.reduce_sum(
            system.discriminators["mixture"](waveform, training=True)["scores"][0]
        )
    slope = np.sqrt(np.sum(np.square(tape.gradient(total, waveform)), axis=(1, 2)))
    log = step(system, {**batch, "unlabelled": waveform})
    assert log["mixture_discriminator"] == pytest.approx(7 * np.mean((slope - 1) ** 2), rel=1e-3)


def test_a_crop_is_the_same_of_real_and_fake(system_of, batch_of):
    """Where F changes nothing and x is m, only unequal crops give a difference of scores."""
    model = {
        **NOTHING,
        "adversarial_mixture_weight": 1.0,
        "objective": "wgan-gp",
        "penalty_weight": 0.0,
    }
    network = {"kind": "patch", "window": 1024}
    settings = experiment(mixer=MASKS, model=model, discriminator=network, data={"window": 4096})
    system, batch = system_of(settings), batch_of(settings)
    losses = set()
    for _ in range(3):
        open_masks(system.mixer)
        log = step(system, {**batch, "unlabelled": batch["solo"][:, 0]})
        assert log["mixture_discriminator"] == pytest.approx(0, abs=1e-5)
        losses.add(round(log["adversarial_mixture"], 7))
    assert len(losses) == 3  # each step has another crop
