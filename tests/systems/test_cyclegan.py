"""CycleGAN's own algebra, as its log tells it: every term of both directions, whom it moves, what it hears, what it remembers."""

from dataclasses import replace

import keras
import numpy as np
import pytest
import tensorflow as tf

from tfsepgan import systems
from tfsepgan.config import check
from tfsepgan.errors import ConfigError
from tfsepgan.losses.adversarial import fake_loss, generator_loss, real_loss
from tfsepgan.settings.cyclegan import PRESETS
from tfsepgan.training.checkpoint import restore_state, save_state

WINDOW, BATCH = 1024, 2
PLAYERS = ("generator", "mixer", "source_discriminator", "mixture_discriminator")
TERMS = (
    "cycle_source",
    "cycle_mixture",
    "identity_source",
    "identity_mixture",
    "adversarial_source",
    "adversarial_mixture",
)
NOTHING = {f"{term}_weight": 0.0 for term in TERMS}
MASKS = {"kind": "filterbank", "channels": 8, "blocks": 1, "frame": 256, "hop": 64}
TWO = {"sources": ("piano", "flute")}


@pytest.fixture
def experiment():
    """Gives the preset `tiny` on short windows, without phase shuffle or pool, with settings changed by name."""

    def make(*, mixer=None, discriminator=None, data=None, model=None, **training):
        base = systems.preset("cyclegan", "tiny")
        listener = replace(base.model.discriminator, **{"phase_shuffle": 0, **(discriminator or {})})
        networks = {"discriminator": listener, "mixer": replace(base.model.mixer, **(mixer or {}))}
        return replace(
            base,
            model=replace(base.model, **networks, **{"pool": 0, **(model or {})}),
            data=replace(base.data, **{"window": WINDOW, "batch": BATCH, **(data or {})}),
            training=replace(base.training, **training),
        )

    return make


def step(system, batch):
    for tracker in system.metrics:
        tracker.reset_state()
    return {name: float(value) for name, value in system.train_step(batch).items()}


def generate(system, mixture):
    return np.asarray(system.generator(mixture, training=True))


def mix(system, waveform):
    return np.asarray(system.mixer(waveform, training=True))[:, 0]


def scores(system, end, windows):
    return system.discriminators[end](np.reshape(windows, (-1, *windows.shape[-2:])), training=True)["scores"]


def l1(one, other):
    return np.mean(np.abs(np.asarray(one) - np.asarray(other)))


def rms(windows):
    return np.sqrt(np.mean(np.square(windows), axis=(-2, -1), keepdims=True))


def open_masks(network):
    """Make a filterbank give back what it hears, for every source."""
    masks = network.get_layer("masks")
    kernel, bias = masks.get_weights()
    masks.set_weights([np.zeros_like(kernel), np.full_like(bias, 60.0)])


def gradients_of(system, player):
    """The gradients of a player's first step, which Adam keeps as its first moment."""
    optimizer = system.optimizers[player]
    moments = [np.asarray(v) for v in optimizer.variables if "momentum" in v.path]
    return [moment / (1 - optimizer.beta_1) for moment in moments]


def weights_of(system):
    return {name: [np.asarray(v) for v in network.trainable_variables] for name, network in system.players.items()}


def everything(system):
    return [*system.variables, *(v for optimizer in system.optimizers.values() for v in optimizer.variables)]


@pytest.mark.parametrize("data", [{}, TWO], ids=["one source", "two"])
def test_every_term_is_that_of_the_equations(data, experiment, system_of, batch_of):
    """A twin in NumPy, with G and F asked one by one; two sources are summed for F, and windows of their own to D."""
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
    discriminators = {
        f"{end}_discriminator": real_loss("lsgan", scores(system, end, real))
        + fake_loss("lsgan", scores(system, end, fake))
        for end, real, fake in (("source", x, estimate), ("mixture", m, mixed))
    }
    log = step(system, batch)
    for name, value in (expected | discriminators).items():
        assert log[name] == pytest.approx(float(value), rel=1e-4), name


def test_the_generators_loss_is_the_weighted_sum_of_its_terms(experiment, system_of, batch_of):
    weights = dict(zip(TERMS, (3.0, 0.7, 2.0, 0.3, 0.5, 1.5), strict=True))
    settings = experiment(model={f"{term}_weight": weight for term, weight in weights.items()})
    log = step(system_of(settings), batch_of(settings))
    assert all(log[term] > 0 for term in TERMS)
    assert log["generator"] == pytest.approx(sum(weight * log[term] for term, weight in weights.items()), rel=1e-5)


CARRIED = {"carry_rest": True}
MOVED = {
    "cycle_source": {"generator", "mixer"},
    "cycle_mixture": {"generator", "mixer"},
    "identity_source": {"generator"},
    "identity_mixture": {"mixer"},
    "adversarial_source": {"generator", "source_discriminator"},
    "adversarial_mixture": {"mixer", "mixture_discriminator"},
}


@pytest.mark.parametrize("model", [{}, CARRIED], ids=["F invents the rest", "F is handed the rest"])
@pytest.mark.parametrize("term", TERMS)
def test_each_term_moves_its_own_players_only(term, model, experiment, system_of, batch_of):
    expected = MOVED[term]
    if model and term == "cycle_mixture":
        expected = {"mixer"}  # nothing is lost on the way, so there is nothing for the generator to mend
    settings = experiment(model={**NOTHING, f"{term}_weight": 1.0, **model})
    system = system_of(settings)
    before = weights_of(system)
    step(system, batch_of(settings))
    after = weights_of(system)
    moved = {
        name
        for name in PLAYERS
        if any(not np.array_equal(a, b) for a, b in zip(before[name], after[name], strict=True))
    }
    assert moved == expected


def test_both_generators_descend_the_one_loss_they_share(experiment, system_of, batch_of):
    """With the source cycle alone each must get the gradient of |G(F(x)) - x| by its own weights."""
    settings = experiment(model={**NOTHING, "cycle_source_weight": 4.0})
    system, batch = system_of(settings), batch_of(settings)
    x = batch["solo"][:, :1]
    watched = {name: [v.value for v in system.players[name].trainable_variables] for name in ("generator", "mixer")}
    with tf.GradientTape() as tape:
        tape.watch(watched)
        loss = 4.0 * tf.reduce_mean(
            tf.abs(system.generator(system.mixer(x[:, 0], training=True)[:, 0], training=True) - x)
        )
    expected = tape.gradient(loss, watched)
    step(system, batch)
    for name, gradients in expected.items():
        for got, wanted in zip(gradients_of(system, name), gradients, strict=True):
            np.testing.assert_allclose(got, wanted, rtol=2e-3, atol=1e-6)


@pytest.mark.parametrize("model", [{}, {"level_dbfs": -20.0}], ids=["as recorded", "at one level"])
def test_mixtures_and_sources_need_not_match(model, experiment, system_of, batch_of):
    """Against another order of the mixtures, the same sources give the same losses, all of them."""
    settings = experiment(data={"batch": 3}, model=model)
    batch = batch_of(settings)
    logs = []
    for shift in (0, 1):
        rolled = {**batch, "solo": tf.roll(batch["solo"], shift, axis=0)}
        logs.append(step(system_of(settings), rolled))
    assert logs[0] == pytest.approx(logs[1], rel=1e-4)


def test_nothing_but_unpaired_windows_is_heard(experiment, system_of, batch_of):
    settings = experiment()
    system, batch = system_of(settings), batch_of(settings)
    assert set(system.hears) == {"unlabelled", "solo"}
    step(system, {name: batch[name] for name in system.hears})  # has no use for "mixture" or "sources"


def test_of_the_rest_alone_only_its_level_is_heard(experiment, system_of, batch_of):
    """Another recording of the rest that is as loud changes nothing; without one level or a carried rest, none does."""
    for model, same_level in (({}, False), ({**CARRIED, "level_dbfs": None}, True)):
        settings = experiment(model=model)
        batch, logs = batch_of(settings), []
        solo = np.array(batch["solo"])
        for changed in (False, True):
            if changed:
                other = np.random.default_rng(9).standard_normal(solo[:, -1].shape).astype(np.float32)
                solo[:, -1] = other * rms(solo[:, -1]) / rms(other) if same_level else other
            logs.append(step(system_of(settings), {**batch, "solo": tf.constant(solo)}))
        assert logs[0] == pytest.approx(logs[1], rel=1e-3)


def test_a_rest_that_is_carried_along_comes_from_a_mixture_as_loud_as_it_should_be(experiment, system_of, batch_of):
    settings = experiment(data=TWO, model=CARRIED)
    system, batch = system_of(settings), batch_of(settings)
    m, solo = np.asarray(batch["unlabelled"]), np.asarray(batch["solo"])
    x = solo[:, :2]
    rest = m - generate(system, m).sum(axis=1)
    mixed = mix(system, x.sum(axis=1) + rest / rms(rest) * rms(solo[:, 2]))
    expected = {
        "cycle_source": l1(generate(system, mixed), x),
        "cycle_mixture": l1(mix(system, m), m),  # the sources and the rest of m are m
        "adversarial_mixture": generator_loss("lsgan", scores(system, "mixture", mixed)),
    }
    log = step(system, batch)
    for name, value in expected.items():
        assert log[name] == pytest.approx(float(value), rel=1e-3), name


def test_generators_that_change_nothing_have_no_cycle_or_identity_loss(experiment, system_of, batch_of):
    settings = experiment(mixer=MASKS)
    system, batch = system_of(settings), batch_of(settings)
    for network in (system.generator, system.mixer):
        open_masks(network)
    log = step(system, batch)
    for name in TERMS[:4]:
        assert log[name] == pytest.approx(0, abs=1e-5), name


def test_at_one_level_quiet_windows_count_as_much_as_loud_ones(experiment, system_of, batch_of):
    settings = experiment(
        mixer=MASKS, model={**NOTHING, "cycle_source_weight": 1.0, "cycle_mixture_weight": 1.0, "level_dbfs": -20.0}
    )
    batch, logs = batch_of(settings), []
    for factor in (1.0, 0.01):
        system = system_of(settings)
        open_masks(system.generator)
        logs.append(step(system, {name: factor * value for name, value in batch.items()}))
    mixture, solo = np.asarray(batch["unlabelled"]), np.asarray(batch["solo"])
    mixture, sources = (0.1 * w / rms(v) for w, v in ((mixture, mixture), (solo[:, 0], solo.sum(axis=1))))
    system = system_of(settings)
    expected = {"cycle_mixture": l1(mix(system, mixture), mixture), "cycle_source": l1(mix(system, sources), sources)}
    for log in logs:
        assert {name: log[name] for name in expected} == pytest.approx(expected, rel=2e-3)


def test_the_identity_terms_may_hear_a_share_of_the_batch(experiment, system_of, batch_of):
    settings = experiment(
        model={**NOTHING, "identity_source_weight": 1.0, "identity_mixture_weight": 1.0, "identity_share": 0.5}
    )
    system, batch = system_of(settings), batch_of(settings)
    m, x = np.asarray(batch["unlabelled"])[:1], np.asarray(batch["solo"])[:1, :1]
    expected = {"identity_source": l1(generate(system, x[:, 0]), x), "identity_mixture": l1(mix(system, m), m)}
    log = step(system, batch)
    assert {name: log[name] for name in expected} == pytest.approx(expected, rel=1e-4)


def test_discriminators_hear_past_fakes_and_generators_the_newest(experiment, system_of, batch_of):
    """With still players and a pool of one, each fake of the batch or, by the pool's coin, the one before it is heard."""
    still = {"learning_rate": 1e-12, "discriminator_learning_rate": 1e-12}
    settings = experiment(model={"pool": 1}, **still)
    system, batches = system_of(settings), [batch_of(settings, seed) for seed in range(4)]
    heard, kept = set(), None
    for batch in batches:
        real, made = np.asarray(batch["solo"])[:, 0], generate(system, batch["unlabelled"])[:, 0]
        at_real = float(real_loss("lsgan", scores(system, "source", real)))
        lows = [float(fake_loss("lsgan", scores(system, "source", one))) for one in (made[:1], made[1:])]
        log = step(system, batch)
        assert log["adversarial_source"] == pytest.approx(
            float(generator_loss("lsgan", scores(system, "source", made))), rel=1e-4
        )
        choices = {"newest": sum(lows) / 2, "first twice": lows[0]}
        if kept is not None:
            choices |= {
                "kept, newest": (kept + lows[1]) / 2,
                "kept, first": (kept + lows[0]) / 2,
                "newest, kept": (lows[0] + kept) / 2,
            }
        named = [
            name
            for name, low in choices.items()
            if log["source_discriminator"] == pytest.approx(at_real + low, rel=1e-5)
        ]
        assert named
        heard |= set(named)
        kept = float(fake_loss("lsgan", scores(system, "source", np.asarray(system.pools["source"].fakes))))
    assert heard - {"newest"}


def test_each_discriminator_moves_as_often_as_asked_on_the_same_fakes(experiment, system_of, batch_of):
    settings = experiment(model={"discriminator_steps": 3, "pool": 4})
    system = system_of(settings)
    for seed in (0, 1):
        step(system, batch_of(settings, seed))
    iterations = {name: int(system.optimizers[name].iterations) for name in PLAYERS}
    assert iterations == {"generator": 2, "mixer": 2, "source_discriminator": 6, "mixture_discriminator": 6}
    assert int(system.pools["source"].count) == 4


def test_a_shorter_stretch_is_the_same_of_real_and_fake_and_all_that_the_pool_keeps(experiment, system_of, batch_of):
    """Where F changes nothing and x is m, only unequal stretches could make a linear distance of the scores differ."""
    model = {**NOTHING, "adversarial_mixture_weight": 1.0, "objective": "wgan-gp", "penalty_weight": 0.0, "pool": 3}
    settings = experiment(
        mixer=MASKS, model={**model, "pool": 0}, discriminator={"kind": "patch", "window": 1024}, data={"window": 4096}
    )
    system, batch = system_of(settings), batch_of(settings)
    heard = set()
    for _ in range(3):
        open_masks(system.mixer)
        log = step(system, {**batch, "unlabelled": batch["solo"][:, 0]})
        assert log["mixture_discriminator"] == pytest.approx(0, abs=1e-5)
        heard.add(round(log["adversarial_mixture"], 7))
    assert len(heard) == 3
    assert system_of(replace(settings, model=replace(settings.model, pool=3))).pools["source"].fakes.shape == (
        3,
        1024,
        1,
    )


@pytest.mark.parametrize("model", [{}, CARRIED], ids=["F invents the rest", "F is handed the rest"])
def test_a_resumed_run_goes_on_with_the_same_past_fakes(model, experiment, system_of, batch_of, tmp_path):
    settings = experiment(
        data={"batch": 3}, model={"pool": 4, "level_dbfs": -20.0, **model}, discriminator={"phase_shuffle": 2}
    )
    batches = [batch_of(settings, seed) for seed in range(5)]
    straight, first, second = (system_of(settings) for _ in range(3))
    for batch in batches:
        step(straight, batch)
    for batch in batches[:2]:
        step(first, batch)
    assert int(first.pools["mixture"].count) == 4
    save_state(tmp_path, first, {"step": 2})
    assert restore_state(tmp_path, second) == {"step": 2}
    for batch in batches[2:]:
        log = step(second, batch)
    assert log == {name: float(tracker.result()) for name, tracker in straight.trackers.items()}
    for one, other in zip(everything(straight), everything(second), strict=True):
        assert np.array_equal(one, other), one.path


@pytest.mark.parametrize("objective", ["vanilla", "hinge", "wgan-gp"])
@pytest.mark.parametrize("kind", ["wavegan", "multiresolution"])
def test_every_kind_of_rule_steps_and_moves_every_player(objective, kind, experiment, system_of, batch_of):
    settings = experiment(model={"objective": objective, "pool": 2}, discriminator={"kind": kind, "frames": (64,)})
    system = system_of(settings)
    before = weights_of(system)
    log = step(system, batch_of(settings))
    assert all(np.isfinite(value) for value in log.values())
    after = weights_of(system)
    assert all(not np.array_equal(before[name][0], after[name][0]) for name in PLAYERS)


def test_the_penalty_is_that_of_the_discriminators_own_slope(experiment, system_of, batch_of):
    """Where F changes nothing and x is m there is one point between them only, so the random position drops out."""
    model = {**NOTHING, "adversarial_mixture_weight": 1.0, "objective": "wgan-gp", "penalty_weight": 7.0}
    settings = experiment(mixer=MASKS, model=model)
    system, batch = system_of(settings), batch_of(settings)
    open_masks(system.mixer)
    waveform = batch["solo"][:, 0]
    with tf.GradientTape() as tape:
        tape.watch(waveform)
        total = tf.reduce_sum(system.discriminators["mixture"](waveform, training=True)["scores"][0])
    slope = np.sqrt(np.sum(np.square(tape.gradient(total, waveform)), axis=(1, 2)))
    log = step(system, {**batch, "unlabelled": waveform})
    assert log["mixture_discriminator"] == pytest.approx(7 * np.mean((slope - 1) ** 2), rel=1e-3)


def test_mixed_precision_steps_too(experiment, batch_of):
    settings = experiment(model={"pool": 2})
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        system = systems.build(settings)
        system.compile()
    finally:
        keras.config.set_dtype_policy("float32")
    log = step(system, batch_of(settings))
    assert all(np.isfinite(value) for value in log.values())
    assert keras.backend.standardize_dtype(system.pools["source"].fakes.dtype) == "float32"


def test_the_papers_preset_is_the_papers():
    model, training = PRESETS["paper"].model, PRESETS["paper"].training
    assert (model.objective, model.pool, model.carry_rest, model.level_dbfs) == ("lsgan", 50, False, None)
    assert [getattr(model, f"{term}_weight") for term in TERMS] == [10.0, 10.0, 5.0, 5.0, 1.0, 1.0]
    assert model.generator == model.mixer
    assert (training.learning_rate, training.betas) == (2e-4, (0.5, 0.999))


@pytest.mark.parametrize(
    ("model", "said"),
    [
        ({"cycle_source_weight": -1.0}, "cycle_source_weight is -1.0"),
        ({"pool": -1}, "pool is -1"),
        ({"identity_share": 1.5}, "identity_share is 1.5"),
        ({"discriminator_steps": 0}, "discriminator_steps is 0"),
        (NOTHING, "nothing to learn from"),
    ],
)
def test_settings_that_cannot_be_trained_are_refused(model, said, experiment):
    with pytest.raises(ConfigError, match=said):
        check(experiment(model=model))


def test_the_mixers_settings_are_named_as_the_mixers(experiment):
    with pytest.raises(ConfigError, match="mixer.channels is 1; it must be at least 2"):
        check(experiment(mixer={"channels": 1}))
