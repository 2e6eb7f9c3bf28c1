"""Decomposition's own algebra: what each term of the paper is, whom it moves, what is given and
what is learnt."""

from dataclasses import replace

import keras
import numpy as np
import pytest
import tensorflow as tf

from tfsepgan import systems
from tfsepgan.errors import CheckpointError, ConfigError
from tfsepgan.models.saved import load_trained, save_trained
from tfsepgan.settings.decomposition import CompositionConfig
from tfsepgan.systems.statistics import batch_normalisations
from tfsepgan.training.checkpoint import restore_state, save_state, variables_of

WINDOW, BATCH = 1024, 2
PLAIN = {"phase_shuffle": 0}  # so that a critic gives the same scores twice
SLOW = {"discriminator_learning_rate": 1e-12}  # so that it also gives them after its own step
SUM = CompositionConfig()


@pytest.fixture
def experiment():
    """Gives the preset `tiny` on short windows, with settings changed by name."""

    def make(*, discriminator=PLAIN, data=None, model=None, **training):
        base = systems.preset("decomposition", "tiny")
        heard = replace(base.model.discriminator, **discriminator)
        return replace(
            base,
            model=replace(base.model, **{"discriminator": heard, **(model or {})}),
            data=replace(base.data, **{"window": WINDOW, "batch": BATCH, **(data or {})}),
            training=replace(base.training, **training),
        )

    return make


def noise(*shape, seed=0):
    return (0.1 * np.random.default_rng(seed).standard_normal(shape)).astype(np.float32)


def batch_with(*, unlabelled=None, solo=None, parts=2, seed=0):
    if solo is None:
        solo = noise(BATCH, parts, WINDOW, 1, seed=2 * seed)
    if unlabelled is None:
        unlabelled = noise(BATCH, WINDOW, 1, seed=2 * seed + 1)
    return {"unlabelled": tf.constant(unlabelled), "solo": tf.constant(solo)}


def step(system, batch):
    for tracker in system.metrics:
        tracker.reset_state()
    return {name: float(value) for name, value in system.train_step(batch).items()}


def same_masks(system, *values):
    """Make d give the mixture times a number for each part."""
    masks = system.generator.get_layer("masks")
    kernel, bias = masks.get_weights()
    values = np.repeat(values, len(bias) // len(values))
    masks.set_weights([np.zeros_like(kernel), np.log(values / (1 - values))])


def stirred(system):
    """Take a learned composition away from the sum."""
    random = np.random.default_rng(5)
    weights = [w + 0.1 * random.standard_normal(w.shape) for w in system.composition.get_weights()]
    system.composition.set_weights(weights)
    return system


def score(system, critic, windows):
    return np.asarray(system.critics[critic](windows, training=True)["scores"][0])


def weights_of(network):
    return [np.array(variable) for variable in network.variables]


def moved(before, network):
    return any(
        not np.array_equal(old, new) for old, new in zip(before, weights_of(network), strict=True)
    )


def test_every_term_is_the_papers(experiment, system_of):
    """Against NumPy: l_c-cyc, l_d-cyc, l_d and l_c for what is learnt and for the critics, and the
    sum with its weights."""
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


def test_the_paper_plays_for_the_wasserstein_distance(experiment, system_of):
    """Where compositions are the mixtures, the distance is zero and the penalty on the critic's
    slope remains."""
    model = {"objective": "wgan-gp", "penalty_weight": 7.0, "parts_weight": 0.0}
    system, batch = system_of(experiment(model=model)), batch_with()
    mixture = tf.reduce_sum(batch["solo"], axis=1)
    with tf.GradientTape() as tape:
        tape.watch(mixture)
        total = tf.reduce_sum(system.critics["mixture"](mixture, training=True)["scores"][0])
    slope = np.sqrt(np.sum(np.square(tape.gradient(total, mixture)), axis=(1, 2)))
    log = step(system, {**batch, "unlabelled": mixture})
    assert log["mixture_critic"] == pytest.approx(7 * np.mean((slope - 1) ** 2), rel=1e-3)


def test_parts_that_add_up_leave_no_distance_from_the_mixture(experiment, system_of):
    """With c the sum and d giving halves, l_d-cyc is zero and l_c-cyc half the distance between the
    parts."""
    system, batch = (
        system_of(experiment(model={"learn": "decomposition", "composition": SUM})),
        batch_with(),
    )
    same_masks(system, 0.5, 0.5)
    one, other = np.moveaxis(np.asarray(batch["solo"]), 1, 0)
    log = step(system, batch)
    assert log["mixture_cycle"] == pytest.approx(0, abs=1e-6)
    assert log["parts_cycle"] == pytest.approx(np.mean(np.abs(one - other)) / 2, rel=1e-4)


def test_what_is_lost_of_a_mixture_is_its_distance(experiment, system_of):
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
def test_what_is_given_stays_as_it_is(learn, experiment, system_of):
    """Weights and running statistics alike; and what is learnt has the critics that can judge it,
    no others."""
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
def test_it_ships_with_the_statistics_of_mixtures_alone(learn, experiment, system_of):
    """A hundred times louder parts leave no trace: what c makes of them is unlike the mixtures that
    d will hear."""
    model = {"learn": learn, "composition": SUM} if learn == "decomposition" else {"learn": learn}
    system, batch = system_of(experiment(model=model)), batch_with()
    twin = keras.models.clone_model(system.generator)
    twin.set_weights(system.generator.get_weights())
    twin(batch["unlabelled"], training=True)
    step(system, {**batch, "solo": 100 * batch["solo"]})
    norms = [list(batch_normalisations(network)) for network in (system.generator, twin)]
    assert norms[0]
    for ours, theirs in zip(*norms, strict=True):
        np.testing.assert_allclose(ours.moving_mean, theirs.moving_mean, rtol=1e-5)
        np.testing.assert_allclose(ours.moving_variance, theirs.moving_variance, rtol=1e-5)


def test_each_player_moves_its_own_weights_only(experiment, system_of):
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


def test_a_composition_learns_the_levels_that_a_decomposition_takes_away(experiment, system_of):
    """A d that gives low tones whole and high ones at a quarter: only a c that makes up for it
    gives mixtures back."""
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


def test_parts_teach_a_composition_through_a_decomposition_that_stays(experiment, system_of):
    model = {"learn": "composition", "mixture_cycle_weight": 0.0, "mixture_weight": 0.0}
    system = system_of(experiment(model=model, init_from="a decomposition"))
    assert list(system.players) == ["composition"]
    before = weights_of(system.composition)
    step(system, batch_with())
    assert moved(before, system.composition)


def test_a_composition_alone_needs_a_decomposition(experiment):
    with pytest.raises(ConfigError, match="needs a decomposition: give --init-from"):
        systems.build(experiment(model={"learn": "composition"}))


def test_at_one_level_quiet_windows_count_as_much_as_loud_ones(experiment, system_of):
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


def test_a_critic_without_a_weight_is_not_made(experiment, system_of):
    system = system_of(experiment(model={"parts_weight": 0.0, "mixture_weight": 0.0}))
    assert not system.critics
    assert step(system, batch_with()).keys() == {"total", "parts_cycle", "mixture_cycle"}


def test_two_sources_and_the_rest_are_three_parts(experiment, system_of):
    system = system_of(experiment(data={"sources": ("piano", "flute")}))
    assert list(system.critics) == ["piano", "flute", "residual", "mixture"]
    assert all(np.isfinite(value) for value in step(system, batch_with(parts=3)).values())
    assert system(noise(1, 500, 2)).shape == (1, 2, 500, 2)


def test_critics_hear_stretches_of_the_window(experiment, system_of):
    listens = {"kind": "multiresolution", "frames": (64,), "window": 1024}
    system = system_of(
        experiment(discriminator=listens, data={"window": 2048}, model={"critic_steps": 2})
    )
    shape = {"unlabelled": noise(BATCH, 2048, 1), "solo": noise(BATCH, 2, 2048, 1)}
    assert all(np.isfinite(value) for value in step(system, batch_with(**shape)).values())
    assert system.crop_length == 1024
    assert int(system.optimizers["critic_mixture"].iterations) == 2
    assert int(system.optimizers["generator"].iterations) == 1


@pytest.fixture(scope="module")
def pianist(tmp_path_factory):
    """A tiny trained generator of sounds on disk."""
    base = systems.preset("wavegan", "tiny")
    system = systems.build(replace(base, data=replace(base.data, window=WINDOW, batch=BATCH)))
    random = np.random.default_rng(0)
    for network in {id(one): one for one in (system.generator, system.ema_generator)}.values():
        network.set_weights(
            [w + 0.1 * random.standard_normal(w.shape) for w in network.get_weights()]
        )
    directory = tmp_path_factory.mktemp("pianist")
    save_trained(directory, system, {})
    return directory, system.config.generator, weights_of(system.ema_generator)


@pytest.fixture
def with_components(pianist, experiment):
    """Gives an experiment whose parts are made by the trained generator, or heard, as `heard` says
    of each."""

    def make(*heard, **changes):
        directory, component, _ = pianist
        places = tuple("" if part else str(directory) for part in heard)
        return experiment(model={"components": places, "component": component}, **changes)

    return make


def test_a_component_is_what_its_generator_makes_as_loud_as_a_recording(
    pianist, with_components, system_of
):
    """And a part without a generator is the recording itself."""
    system = system_of(with_components(False, True))
    system.begin(load_trained)
    assert list(system.components) == ["piano"]
    generator, solo = system.components["piano"], np.asarray(batch_with()["solo"])
    assert not moved(pianist[2], generator)
    seed = np.array(system.draws.state)
    heard = np.asarray(system.components_of(tf.constant(solo)))
    system.draws.state.assign(seed)
    latents = keras.random.uniform((BATCH, generator.input.shape[-1]), -1.0, 1.0, seed=system.draws)
    sound = np.asarray(generator(latents))

    def level(windows):
        return np.sqrt(np.mean(np.square(windows), axis=1, keepdims=True))

    np.testing.assert_allclose(
        heard[:, 0], sound * level(solo[:, 0]) / level(sound), rtol=2e-3, atol=1e-5
    )
    assert np.array_equal(heard[:, 1], solo[:, 1])
    # a new sound at each step
    assert not np.array_equal(system.components_of(tf.constant(solo))[:, 0], heard[:, 0])


def test_components_stay_as_they_are(pianist, with_components, system_of):
    system = system_of(with_components(False, False))
    system.begin(load_trained)
    for seed in (0, 1):
        assert all(np.isfinite(value) for value in step(system, batch_with(seed=seed)).values())
    for part in ("piano", "residual"):
        assert not moved(pianist[2], system.components[part])


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (
            {"window": 4096},
            "makes 1024 samples at 16000 Hz, this run hears 4096 .* Use --window 1024",
        ),
        ({"sample_rate_hz": 8000}, "Use --window 1024 --sample-rate-hz 16000"),
    ],
)
def test_components_of_another_length_or_rate_are_refused(data, said, with_components):
    with pytest.raises(ConfigError, match=said):
        systems.build(with_components(False, True, data=data)).begin(load_trained)


def test_components_of_another_network_say_what_theirs_is(pianist, experiment):
    system = systems.build(experiment(model={"components": (str(pianist[0]), "")}))
    with pytest.raises(
        ConfigError,
        match=(
            "other shapes.* --component.latent 8 --component.channels 2 .*--component.post-filter 0"
        ),
    ):
        system.begin(load_trained)


def test_every_part_has_a_component_or_says_that_it_has_none(with_components):
    with pytest.raises(
        ConfigError, match="components names 1 generators; 2 are wanted: piano, residual"
    ):
        systems.build(with_components(False))


def test_components_must_be_models_that_make_sounds(experiment, tmp_path):
    other = systems.build(experiment())
    save_trained(tmp_path / "other", other, {})
    for place, said in (
        (tmp_path / "other", "is a decomposition model"),
        (tmp_path / "none", "does not exist"),
    ):
        with pytest.raises(CheckpointError, match=said):
            systems.build(experiment(model={"components": (str(place), "")})).begin(load_trained)


def test_a_resumed_run_goes_on_as_if_it_had_never_stopped(with_components, system_of, tmp_path):
    """Also where its components no longer lie on disk: they are in the checkpoint."""
    whole = system_of(with_components(False, True, discriminator={}))
    whole.begin(load_trained)
    for seed in (0, 1):
        step(whole, batch_with(seed=seed))
    save_state(tmp_path, whole, {})
    expected = step(whole, batch_with(seed=2))
    moved_away = replace(whole.config, components=(str(tmp_path / "gone"), ""))
    resumed = system_of(replace(whole.experiment, model=moved_away))
    restore_state(tmp_path, resumed)
    assert step(resumed, batch_with(seed=2)) == expected
    for one, other in zip(
        variables_of(whole).values(), variables_of(resumed).values(), strict=True
    ):
        assert np.array_equal(one, other)


def test_what_was_taken_apart_ships_its_sources_only(experiment, system_of):
    system = system_of(experiment())
    assert system.generator(noise(1, 300, 1)).shape == (1, 2, 300, 1)
    assert system.shipped(noise(1, 300, 1)).shape == (1, 1, 300, 1)
