"""Decomposition's terms against the paper's, the players that each trains, and given networks."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from decomposition_for_tests import (
    BATCH,
    SLOW,
    SUM,
    batch_with,
    experiment,
    moved,
    noise,
    same_masks,
    score,
    step,
    stirred,
    weights_of,
)

from tfsepgan import systems
from tfsepgan.errors import ConfigError
from tfsepgan.settings.decomposition import CompositionConfig
from tfsepgan.systems.statistics import batch_normalisations


def test_every_term_is_the_papers(system_of):
    """Against NumPy: all terms of c, d and the critics, and the weighted sum."""
    weights = {
        "parts_cycle_weight": 3.0,
        "mixture_cycle_weight": 2.0,
        "parts_weight": 0.5,
        "mixture_weight": 0.25,
    }
    system = stirred(system_of(experiment(model={**weights, "objective": "hinge"}, **SLOW)))
    batch = batch_with()
    y, o = np.asarray(batch["unlabelled"]), np.asarray(batch["solo"])
    composed = np.asarray(system.composition(o))
    parts_again, decomposed = (
        np.asarray(system.generator(windows, training=True)) for windows in (composed, y)
    )
    real = {
        name: score(system, name, x)
        for name, x in (("piano", o[:, 0]), ("residual", o[:, 1]), ("mixture", y))
    }
    made = {"piano": decomposed[:, 0], "residual": decomposed[:, 1], "mixture": composed}
    made = {name: score(system, name, windows) for name, windows in made.items()}
    critic = {
        name: np.mean(np.maximum(0, 1 - real[name]) + np.maximum(0, 1 + made[name]))
        for name in real
    }
    expected = {
        "parts_cycle": np.mean(np.abs(parts_again - o)),
        "mixture_cycle": np.mean(np.abs(system.composition(decomposed) - y)),
        "parts": -np.mean(made["piano"]) - np.mean(made["residual"]),
        "mixture": -np.mean(made["mixture"]),
        "parts_critic": (critic["piano"] + critic["residual"]) / 2,
        "mixture_critic": critic["mixture"],
    }
    expected["total"] = sum(
        weights[f"{term}_weight"] * expected[term] for term in ("parts_cycle", "mixture_cycle")
    )
    expected["total"] += 0.5 * expected["parts"] + 0.25 * expected["mixture"]
    log = step(system, batch)
    assert log.keys() == expected.keys()
    for name, value in expected.items():
        assert log[name] == pytest.approx(value, rel=1e-4, abs=1e-6), name


def test_the_paper_plays_for_the_wasserstein_distance(system_of):
    """Where compositions equal the mixtures, the distance is zero and only the penalty remains."""
    model = {"objective": "wgan-gp", "penalty_weight": 7.0, "parts_weight": 0.0}
    system, batch = system_of(experiment(model=model)), batch_with()
    mixture = tf.reduce_sum(batch["solo"], axis=1)
    with tf.GradientTape() as tape:
        tape.watch(mixture)
        total = tf.reduce_sum(system.critics["mixture"](mixture, training=True)["scores"][0])
    slope = np.sqrt(np.sum(np.square(tape.gradient(total, mixture)), axis=(1, 2)))
    log = step(system, {**batch, "unlabelled": mixture})
    assert log["mixture_critic"] == pytest.approx(7 * np.mean((slope - 1) ** 2), rel=1e-3)


def test_parts_that_add_up_leave_no_distance_from_the_mixture(system_of):
    """With c the sum and d halving, l_d-cyc is 0 and l_c-cyc half the distance of the parts."""
    system, batch = (
        system_of(experiment(model={"learn": "decomposition", "composition": SUM})),
        batch_with(),
    )
    same_masks(system, 0.5, 0.5)
    one, other = np.moveaxis(np.asarray(batch["solo"]), 1, 0)
    log = step(system, batch)
    assert log["mixture_cycle"] == pytest.approx(0, abs=1e-6)
    assert log["parts_cycle"] == pytest.approx(np.mean(np.abs(one - other)) / 2, rel=1e-4)


def test_what_is_lost_of_a_mixture_is_its_distance(system_of):
    system, batch = (
        system_of(experiment(model={"learn": "decomposition", "composition": SUM})),
        batch_with(),
    )
    same_masks(system, 0.5, 0.2)
    expected = 0.3 * np.mean(np.abs(batch["unlabelled"]))
    assert step(system, batch)["mixture_cycle"] == pytest.approx(expected, rel=1e-4)


LEARNT = {
    "decomposition": ({"generator"}, {"critic_piano", "critic_residual"}),
    "composition": ({"composition"}, {"critic_mixture"}),
    "both": ({"generator", "composition"}, {"critic_piano", "critic_residual", "critic_mixture"}),
}


@pytest.mark.parametrize("learn", sorted(LEARNT))
def test_what_is_given_stays_as_it_is(learn, system_of):
    """Weights and moving statistics; and only critics of what is trained are made."""
    model = {"learn": learn, "composition": SUM} if learn == "decomposition" else {"learn": learn}
    system = system_of(experiment(model=model, init_from="a decomposition"))
    learners, critics = LEARNT[learn]
    assert system.players.keys() == learners | critics
    networks = {
        "generator": system.generator,
        "composition": system.composition,
        "mean": system.ema_generator,
    }
    networks |= {name: system.players[name] for name in critics}
    before = {name: weights_of(network) for name, network in networks.items()}
    for seed in (0, 1):
        assert all(np.isfinite(value) for value in step(system, batch_with(seed=seed)).values())
    expected = learners | critics | ({"mean"} if "generator" in learners else set())
    assert {name for name, network in networks.items() if moved(before[name], network)} == expected


@pytest.mark.parametrize("learn", ["decomposition", "both"])
def test_it_ships_with_the_statistics_of_mixtures_alone(learn, system_of):
    """Parts a hundred times louder do not change the moving statistics."""
    model = {"learn": learn, "composition": SUM} if learn == "decomposition" else {"learn": learn}
    system, batch = system_of(experiment(model=model)), batch_with()
    twin = keras.models.clone_model(system.generator)
    twin.set_weights(system.generator.get_weights())
    twin(batch["unlabelled"], training=True)
    step(system, {**batch, "solo": 100 * batch["solo"]})
    norms = [list(batch_normalisations(network)) for network in (system.generator, twin)]
    assert norms[0]
    for norm, wanted in zip(*norms, strict=True):
        np.testing.assert_allclose(norm.moving_mean, wanted.moving_mean, rtol=1e-5)
        np.testing.assert_allclose(norm.moving_variance, wanted.moving_variance, rtol=1e-5)


def test_each_player_moves_its_own_weights_only(system_of):
    system = stirred(system_of(experiment()))
    rates = {
        player: float(optimizer.learning_rate) for player, optimizer in system.optimizers.items()
    }

    def now():
        return {
            name: [np.array(v) for v in network.trainable_variables]
            for name, network in system.players.items()
        }

    for player in sorted(system.players):
        for name, optimizer in system.optimizers.items():
            optimizer.learning_rate.assign(rates[name] if name == player else 0.0)
        before = now()
        step(system, batch_with())
        after = now()
        changed = {
            n
            for n in after
            if any((a != b).any() for a, b in zip(before[n], after[n], strict=True))
        }
        assert changed == {player}


def test_a_composition_learns_the_levels_that_a_decomposition_takes_away(system_of):
    """d gives low tones whole and high ones at a quarter, so c must multiply high tones by four."""
    model = {
        "learn": "composition",
        "composition": CompositionConfig(kind="learned", taps=9, channels=0),
        "parts_cycle_weight": 0.0,
        "mixture_weight": 0.0,
    }
    system = system_of(experiment(model=model, learning_rate=0.03, init_from="a decomposition"))
    masks = system.generator.get_layer("masks")
    kernel, bias = masks.get_weights()
    low, high = np.full(len(bias) // 2, -60.0), np.full(len(bias) // 2, -60.0)
    low[:64], high[64:] = 60.0, np.log(0.25 / 0.75)  # 64 of 129 bins: 0 to 4 kHz
    masks.set_weights([np.zeros_like(kernel), np.concatenate([low, high])])
    train = tf.function(system.train_step)
    for seed in range(120):
        for tracker in system.metrics:
            tracker.reset_state()
        log = train(batch_with(seed=seed % 8))
        if not seed:
            first = float(log["mixture_cycle"])
    assert float(log["mixture_cycle"]) < 0.15 * first
    (filters,) = system.composition.get_layer("filters").get_weights()
    response = np.abs(np.fft.rfft(filters[:, :, 0], 256, axis=0))
    assert response[16:48, 0].mean() == pytest.approx(1.0, abs=0.1)
    assert response[80:112, 1].mean() == pytest.approx(4.0, abs=0.4)


def test_parts_teach_a_composition_through_a_decomposition_that_stays(system_of):
    model = {"learn": "composition", "mixture_cycle_weight": 0.0, "mixture_weight": 0.0}
    system = system_of(experiment(model=model, init_from="a decomposition"))
    assert list(system.players) == ["composition"]
    before = weights_of(system.composition)
    step(system, batch_with())
    assert moved(before, system.composition)


def test_a_composition_alone_needs_a_decomposition():
    with pytest.raises(ConfigError, match="needs a decomposition: give --init-from"):
        systems.build(experiment(model={"learn": "composition"}))


def test_at_one_level_quiet_windows_count_as_much_as_loud_ones(system_of):
    logs = []
    model = {"learn": "decomposition", "composition": SUM, "level_dbfs": -20.0}
    for factor in (1.0, 0.01):
        system = system_of(experiment(model=model))
        same_masks(system, 0.5, 0.2)
        batch = {name: factor * windows for name, windows in batch_with().items()}
        logs.append(step(system, batch))
    solo, mixture = (np.asarray(batch_with()[name]) for name in ("solo", "unlabelled"))
    loud, total = (np.sqrt(np.mean(np.square(x), axis=(1, 2))) for x in (mixture, solo.sum(axis=1)))
    lost = np.mean(0.3 * 0.1 / loud[:, None, None] * np.abs(mixture))
    again = np.stack([0.5 * solo.sum(axis=1), 0.2 * solo.sum(axis=1)], axis=1)
    apart = np.mean(0.1 / total[:, None, None, None] * np.abs(again - solo))
    for log in logs:
        assert log["mixture_cycle"] == pytest.approx(lost, rel=2e-3)
        assert log["parts_cycle"] == pytest.approx(apart, rel=2e-3)


def test_a_critic_without_a_weight_is_not_made(system_of):
    system = system_of(experiment(model={"parts_weight": 0.0, "mixture_weight": 0.0}))
    assert not system.critics
    assert step(system, batch_with()).keys() == {"total", "parts_cycle", "mixture_cycle"}


def test_two_sources_and_the_others_are_three_parts(system_of):
    system = system_of(experiment(data={"sources": ("piano", "flute")}))
    assert list(system.critics) == ["piano", "flute", "residual", "mixture"]
    assert all(np.isfinite(value) for value in step(system, batch_with(parts=3)).values())
    assert system(noise(1, 500, 2)).shape == (1, 2, 500, 2)


def test_critics_get_crops_of_the_window(system_of):
    network = {"kind": "multiresolution", "frames": (64,), "window": 1024}
    system = system_of(
        experiment(discriminator=network, data={"window": 2048}, model={"critic_steps": 2})
    )
    shape = {"unlabelled": noise(BATCH, 2048, 1), "solo": noise(BATCH, 2, 2048, 1)}
    assert all(np.isfinite(value) for value in step(system, batch_with(**shape)).values())
    assert system.crop_length == 1024
    assert int(system.optimizers["critic_mixture"].iterations) == 2
    assert int(system.optimizers["generator"].iterations) == 1


def test_only_the_outputs_of_sources_are_exported(system_of):
    system = system_of(experiment())
    assert system.generator(noise(1, 300, 1)).shape == (1, 2, 300, 1)
    assert system.shipped(noise(1, 300, 1)).shape == (1, 1, 300, 1)
