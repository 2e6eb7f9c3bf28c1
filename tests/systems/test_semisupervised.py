"""The semi-supervised system's own algebra: what each term is, whom it moves, and which part of a batch it hears."""

from dataclasses import replace

import numpy as np
import pytest
import tensorflow as tf

from tfsepgan import systems
from tfsepgan.training.checkpoint import restore_state, save_state

WINDOW, BATCH = 1024, 2
PLAIN = {"phase_shuffle": 0}  # so that a critic gives the same scores twice
SLOW = {"discriminator_learning_rate": 1e-12}  # so that it also gives them after its own steps
CRITICS = ("critic_piano", "critic_residual")


@pytest.fixture
def experiment():
    """Gives the preset `tiny` on short windows, with settings changed by name."""

    def make(*, discriminator=None, data=None, model=None, **training):
        base = systems.preset("semisupervised", "tiny")
        assert base.model.critic_steps == 1
        heard = replace(base.model.discriminator, **(discriminator or {}))
        return replace(
            base,
            model=replace(base.model, discriminator=heard, **(model or {})),
            data=replace(base.data, window=WINDOW, batch=BATCH, **(data or {})),
            training=replace(base.training, **training),
        )

    return make


def noise(random, *shape):
    return tf.constant(0.1 * random.standard_normal(shape).astype(np.float32))


def batch_of(experiment, seed=0):
    """A seeded batch of unrelated noise; mixtures are more than their sources' sum."""
    random, data = np.random.default_rng(seed), experiment.data
    count, shape = len(data.sources), (data.window, 1)
    sources = noise(random, data.batch, count, *shape)
    return {
        "mixture": tf.reduce_sum(sources, axis=1) + noise(random, data.batch, *shape),
        "sources": sources,
        "unlabelled": noise(random, data.batch, *shape),
        "solo": noise(random, data.batch, count + 1, *shape),
    }


def step(system, batch):
    for tracker in system.metrics:
        tracker.reset_state()
    return {name: float(value) for name, value in system.train_step(batch).items()}


def scores(critic, windows):
    """Every window's score, `[batch]`, of a critic with one number a window."""
    (heard,) = critic(windows, training=True)["scores"]
    return np.asarray(heard)[:, 0]


def estimates_of(system, mixture):
    return np.asarray(system.generator(mixture, training=True))


def weights_of(system):
    return {player: [np.asarray(v) for v in network.trainable_variables] for player, network in system.players.items()}


def moved(before, after):
    return {
        player: any(not np.array_equal(a, b) for a, b in zip(before[player], after[player], strict=True))
        for player in before
    }


def moved_by(system, batch):
    before = weights_of(system)
    log = step(system, batch)
    return moved(before, weights_of(system)), log


def spoilt(batch, *names):
    """A batch in which some entries are no numbers, so that whoever hears them shows it."""
    return {name: value * np.nan if name in names else value for name, value in batch.items()}


def open_masks(system):
    """Make the generator give back what it hears, as every part."""
    masks = system.generator.get_layer("masks")
    kernel, bias = masks.get_weights()
    masks.set_weights([np.zeros_like(kernel), np.full_like(bias, 60.0)])


def steeper(critic, factor):
    """Multiply a critic's slope."""
    layer = critic.get_layer("score")
    layer.set_weights([factor * weight for weight in layer.get_weights()])


def test_the_generator_gives_the_rest_too_and_the_model_does_not(experiment, system_of):
    one = experiment(data={"sources": ("piano", "flute")})
    system, batch = system_of(one), batch_of(one)
    assert estimates_of(system, batch["mixture"]).shape == (BATCH, 3, WINDOW, 1)
    assert tuple(system(batch["mixture"]).shape) == (BATCH, 2, WINDOW, 1)
    assert list(system.players) == ["critic_piano", "critic_flute", "critic_residual", "generator"]


def test_supervised_is_the_distance_of_every_part_and_the_rest_is_one(experiment, system_of):
    one = experiment(data={"sources": ("piano", "flute")})
    system, batch = system_of(one), batch_of(one)
    estimates = estimates_of(system, batch["mixture"]).astype(np.float64)
    mixture, sources = np.asarray(batch["mixture"]), np.asarray(batch["sources"])
    parts = [sources[:, 0], sources[:, 1], mixture - sources[:, 0] - sources[:, 1]]
    expected = sum(np.mean(np.abs(part - estimates[:, k])) for k, part in enumerate(parts))
    assert step(system, batch)["supervised"] == pytest.approx(expected, rel=1e-5)


def test_additive_is_what_estimates_of_unlabelled_mixtures_miss_of_them(experiment, system_of):
    one = experiment()
    system, batch = system_of(one), batch_of(one)
    estimates = estimates_of(system, batch["unlabelled"]).astype(np.float64)
    expected = np.mean(np.abs(np.asarray(batch["unlabelled"]) - estimates.sum(axis=1)))
    assert step(system, batch)["additive"] == pytest.approx(expected, rel=1e-5)


def test_each_critic_scores_solos_of_its_part_above_estimates_of_it(experiment, system_of):
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


def test_the_separators_loss_is_the_weighted_sum_of_its_terms(experiment, system_of):
    one = experiment(model={"supervised_weight": 2.0, "unsupervised_weight": 0.5, "additive_weight": 3.0})
    log = step(system_of(one), batch_of(one))
    expected = 2.0 * log["supervised"] + 0.5 * log["unsupervised"] + 3.0 * log["additive"]
    assert log["generator"] == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize(
    ("one_sided", "factor"), [(True, 1.0), (True, 1e4), (False, 1.0), (False, 1e4)], ids=lambda value: str(value)
)
def test_the_penalty_is_that_of_the_critics_own_slopes(one_sided, factor, experiment, system_of):
    """Between windows that are equal there is one point only, so the random position drops out."""
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


def test_each_player_moves_its_own_weights_only(experiment, system_of):
    one = experiment()
    for player in (*CRITICS, "generator"):
        system = system_of(one)
        for other in set(system.optimizers) - {player}:
            system.optimizers[other].learning_rate.assign(0.0)
        which, _ = moved_by(system, batch_of(one))
        assert which == {name: name == player for name in system.players}


def test_a_critic_learns_from_solos_of_its_own_part_only(experiment, system_of):
    one, learnt = experiment(), {}
    for changed in (None, 0, 1):
        system, batch = system_of(one), batch_of(one)
        if changed is not None:
            solo = np.array(batch["solo"])
            solo[:, changed] *= 3.0
            batch["solo"] = tf.constant(solo)
        step(system, batch)
        learnt[changed] = weights_of(system)
    for changed, name in enumerate(CRITICS):
        which = moved(learnt[None], learnt[changed])
        assert {player for player in CRITICS if which[player]} == {name}


def test_critics_start_with_weights_of_their_own(experiment, system_of):
    first, second = (weights_of(system_of(experiment()))[name] for name in CRITICS)
    assert not np.array_equal(first[0], second[0])


@pytest.mark.parametrize(
    ("model", "unheard", "moving"),
    [
        ({"supervised_weight": 0.0}, ("mixture", "sources"), {*CRITICS, "generator"}),
        ({"supervised_weight": 0.0, "unsupervised_weight": 0.0}, ("mixture", "sources", "solo"), {"generator"}),
        ({"unsupervised_weight": 0.0}, ("solo",), {"generator"}),
        ({"unsupervised_weight": 0.0, "additive_weight": 0.0}, ("solo", "unlabelled"), {"generator"}),
        ({"supervised_weight": 0.0, "additive_weight": 0.0}, ("mixture", "sources"), {*CRITICS, "generator"}),
    ],
    ids=["no labels", "additive alone", "no critics", "labels alone", "critics alone"],
)
def test_what_no_term_is_made_of_is_not_heard(model, unheard, moving, experiment, system_of):
    one = experiment(model=model)
    system, batch = system_of(one), batch_of(one)
    which, log = moved_by(system, spoilt(batch, *unheard))
    assert {name for name, yes in which.items() if yes} == moving
    assert all(np.isfinite(value) for value in log.values())
    for weights in weights_of(system).values():
        assert all(np.isfinite(weight).all() for weight in weights)


def test_what_a_term_is_made_of_is_heard(experiment, system_of):
    for name in ("mixture", "sources", "solo", "unlabelled"):
        one = experiment()
        assert not np.isfinite(step(system_of(one), spoilt(batch_of(one), name))["generator"]), name


def test_of_the_unlabelled_a_share_is_heard_and_of_the_labelled_all(experiment, system_of):
    one = experiment(model={"unlabelled_share": 0.5})
    batch = batch_of(one)
    second = tf.constant([[[0.0]], [[np.nan]]])
    unheard = {"unlabelled": batch["unlabelled"] + second, "solo": batch["solo"] + second[:, None]}
    assert np.isfinite(step(system_of(one), {**batch, **unheard})["generator"])
    assert not np.isfinite(step(system_of(one), {**batch, "mixture": batch["mixture"] + second})["generator"])


def test_the_separators_first_gradient_is_that_of_its_loss_and_of_nothing_else(experiment, system_of):
    """Adam keeps it as its first moment. The critics' steps happen inside the same step and must leave no trace in it."""
    one = experiment(discriminator=PLAIN, model={"supervised_weight": 0.5, "unsupervised_weight": 0.2}, **SLOW)
    system, batch = system_of(one), batch_of(one)
    variables = [variable.value for variable in system.generator.trainable_variables]
    rest = batch["mixture"] - batch["sources"][:, 0]
    with tf.GradientTape() as tape:
        tape.watch(variables)
        labelled = system.generator(batch["mixture"], training=True)
        loss = 0.5 * tf.reduce_mean(tf.abs(labelled[:, 0] - batch["sources"][:, 0]))
        loss += 0.5 * tf.reduce_mean(tf.abs(labelled[:, 1] - rest))
        unlabelled = system.generator(batch["unlabelled"], training=True)
        for k, name in enumerate(CRITICS):
            loss -= 0.2 * tf.reduce_mean(system.critics[name](unlabelled[:, k], training=True)["scores"][0])
        loss += 0.1 * tf.reduce_mean(tf.abs(batch["unlabelled"] - unlabelled[:, 0] - unlabelled[:, 1]))
    expected = tape.gradient(loss, variables)
    step(system, batch)
    optimizer = system.optimizers["generator"]
    moments = [np.asarray(v) for v in optimizer.variables if "momentum" in v.path]
    for moment, wanted in zip(moments, expected, strict=True):
        np.testing.assert_allclose(moment / (1 - optimizer.beta_1), wanted, rtol=1e-3, atol=1e-6)


def test_critics_take_several_steps_for_each_of_the_separator(experiment, system_of):
    system = system_of(experiment(model={"critic_steps": 3}))
    for seed in (0, 1):
        step(system, batch_of(system.experiment, seed))
    assert {name: int(one.iterations) for name, one in system.optimizers.items()} == {
        **dict.fromkeys(CRITICS, 6),
        "generator": 2,
    }


def test_critics_hear_the_same_stretch_of_solos_and_estimates_and_another_each_time(experiment, system_of):
    """Where both are equal, only unequal stretches could make their scores differ."""
    model = {"penalty_weight": 0.0}
    one = experiment(discriminator={"kind": "patch", "window": 256}, model=model)
    system, batch = system_of(one), batch_of(one)
    batch["solo"] = tf.stack([batch["unlabelled"]] * 2, axis=1)
    heard = set()
    for _ in range(3):
        open_masks(system)
        log = step(system, batch)
        assert log["distance"] == pytest.approx(0, abs=1e-5)
        heard.add(round(log["unsupervised"], 8))
    assert len(heard) == 3


def test_at_one_level_quiet_windows_count_as_much_as_loud_ones(experiment, system_of):
    one = experiment(discriminator=PLAIN, model={"level_dbfs": -20.0})
    batch = batch_of(one)
    logs = []
    for factor in (1.0, 0.01):
        system = system_of(one)
        open_masks(system)
        logs.append(step(system, {name: factor * value for name, value in batch.items()}))
    mixture, source, unlabelled = (np.asarray(batch[name]) for name in ("mixture", "sources", "unlabelled"))
    gain = 0.1 / np.sqrt(np.mean(np.square(mixture), axis=(1, 2), keepdims=True))
    parts = (source[:, 0], mixture - source[:, 0])
    expected = sum(np.mean(gain * np.abs(mixture - part)) for part in parts)
    of_unlabelled = np.mean(
        0.1 * np.abs(unlabelled) / np.sqrt(np.mean(np.square(unlabelled), axis=(1, 2), keepdims=True))
    )
    for log in logs:
        assert log["supervised"] == pytest.approx(expected, rel=1e-3)
        assert log["additive"] == pytest.approx(of_unlabelled, rel=1e-3)  # everything twice is one mixture too much
    for name in ("distance", "penalty", "unsupervised"):
        assert logs[1][name] == pytest.approx(logs[0][name], rel=2e-2, abs=1e-4)


def test_solos_come_to_the_level_of_a_mixture_of_their_own(experiment, system_of):
    """What critics take for real must be as loud as in a mixture at that level, quiet parts staying quiet."""
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


def test_a_run_that_is_put_away_goes_on_with_the_same_bits(experiment, system_of, tmp_path):
    one = experiment(discriminator={"kind": "patch", "window": 512}, model={"unlabelled_share": 0.5})
    straight, stopped, resumed = (system_of(one) for _ in range(3))
    for seed in range(4):
        last = step(straight, batch_of(one, seed))
    for seed in range(2):
        step(stopped, batch_of(one, seed))
    save_state(tmp_path, stopped, {"step": 2})
    assert restore_state(tmp_path, resumed) == {"step": 2}
    for seed in range(2, 4):
        again = step(resumed, batch_of(one, seed))
    assert again == last
    for player, weights in weights_of(straight).items():
        assert all(np.array_equal(a, b) for a, b in zip(weights, weights_of(resumed)[player], strict=True)), player


@pytest.mark.parametrize("preset", ["tiny", "paper", "demo"])
def test_presets_are_settings_that_can_be_trained_with(preset):
    assert not list(systems.preset("semisupervised", preset).model.problems())


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"penalty_weight": -1.0}, "penalty_weight is -1.0"),
        ({"critic_steps": 0}, "--unsupervised-weight 0 leaves the critics out"),
        ({"unlabelled_share": 0.0}, "unlabelled_share is 0.0; it must be above 0 and at most 1"),
        ({"supervised_weight": 0.0, "unsupervised_weight": 0.0, "additive_weight": 0.0}, "nothing to learn from"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_settings_that_teach_nothing_are_refused(change, said):
    model = replace(systems.preset("semisupervised", "tiny").model, **change)
    assert any(said in problem for problem in model.problems())
