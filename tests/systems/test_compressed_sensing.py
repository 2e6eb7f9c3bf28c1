"""Recovery from measurements and mixtures, the terms that encoder and generator learn from, and the
frozen prior."""

import shutil
from dataclasses import replace

import keras
import numpy as np
import pytest
import tensorflow as tf

from tfsepgan import systems
from tfsepgan.config import check
from tfsepgan.dsp.measurements import gaussian_matrix, measure, relative_error
from tfsepgan.errors import CheckpointError, ConfigError, ShapeError
from tfsepgan.models.saved import load_trained, save_trained
from tfsepgan.separation.engine import BlockSeparator
from tfsepgan.systems.latent_search import search
from tfsepgan.systems.statistics import batch_normalisations

WINDOW = 1024
PAPERS = {  # everything as the paper has it
    "models_rest": False,
    "level_dbfs": None,
    "teach_generator": False,
    "distance": "waveform",
    "paired_weight": 0.0,
    "estimate": "waveform",
}


@pytest.fixture(scope="module")
def experiment_of(short):
    """The preset `tiny` on short windows, with settings of the model, the data and the networks
    changed by name."""

    def make(*, data=None, generator=None, **model):
        base, like = systems.preset("compressed_sensing", "tiny"), short(data=data)
        changed = replace(base.model, **model)
        if generator:
            changed = replace(changed, generator=replace(changed.generator, **generator))
        return replace(base, model=changed, data=like.data, training=like.training)

    return make


@pytest.fixture(scope="module")
def searcher(experiment_of):
    """Untrained, with the paper's objective and enough steps to arrive; its generator is a random
    one."""
    return systems.build(experiment_of(**PAPERS, latent_weight=0.0, restarts=4, iterations=250))


def made_by(system, count, seed=0):
    """Windows in the range of the generator of the first source."""
    drawn = (
        np.random.default_rng(seed)
        .uniform(-1, 1, (count, system.config.generator.latent))
        .astype(np.float32)
    )
    maker = system.shipped["generator"].get_layer("maker0")
    return drawn, np.asarray(maker(drawn))[..., 0]


def weights_of(network):
    return [np.asarray(variable) for variable in network.variables]


def test_what_the_generator_can_make_is_recovered_from_a_few_measurements(searcher):
    # seed 0 draws the very places that the search starts from
    _, windows = made_by(searcher, 4, seed=1)
    errors = []
    for count in (4, 16, 64):
        matrix = gaussian_matrix(count, WINDOW, seed=count)
        found, _ = searcher.recover(measure(windows, matrix), matrix)
        errors.append(np.median(relative_error(windows, found)))
    assert errors[0] > 0.05  # fewer measurements than latents
    assert errors[1] < 0.02 and errors[2] < 1e-3
    assert errors[0] > errors[1] > errors[2]


def test_what_it_cannot_make_is_not(searcher):
    noise = 0.1 * np.random.default_rng(0).standard_normal((2, WINDOW)).astype(np.float32)
    matrix = gaussian_matrix(256, WINDOW, seed=0)
    found, _ = searcher.recover(measure(noise, matrix), matrix)
    assert np.all(relative_error(noise, found) > 0.5)


def test_with_all_orthonormal_measurements_it_is_the_search_for_the_window_itself(experiment_of):
    """|A G(z) - A x| = |G(z) - x|, so every step is the same step."""
    system = systems.build(experiment_of(**PAPERS, iterations=20))
    window = 0.05 * np.random.default_rng(0).standard_normal((2, WINDOW)).astype(np.float32)
    basis, _ = np.linalg.qr(np.random.default_rng(1).standard_normal((WINDOW, WINDOW)))
    results = [
        system.recover(measure(window, matrix), matrix)
        for matrix in (basis.astype(np.float32), np.eye(WINDOW))
    ]
    (found, least), (direct, least_direct) = results
    np.testing.assert_allclose(least, least_direct, rtol=1e-3)
    np.testing.assert_allclose(found, direct, atol=1e-2 * np.abs(direct).max())


def test_the_objective_of_measurements_is_the_papers(experiment_of):
    """Without steps the best start wins, at |A G(z) - y|^2 + lambda |z|^2."""
    system = systems.build(
        experiment_of(**PAPERS, iterations=0, restarts=5, latent_weight=0.1, encoder_start=False)
    )
    matrix = gaussian_matrix(20, WINDOW, seed=0)
    heard = measure(0.1 * np.random.default_rng(0).standard_normal((3, WINDOW)), matrix)
    found, least = system.recover(heard, matrix)
    latents = system.random_starts[:, 0]
    made = np.asarray(system.shipped["generator"].get_layer("maker0")(latents))[..., 0]
    twin = [
        [
            np.linalg.norm(matrix @ x - y) ** 2 + 0.1 * np.linalg.norm(z) ** 2
            for x, z in zip(made, latents, strict=True)
        ]
        for y in heard
    ]
    np.testing.assert_allclose(least, np.min(twin, axis=1), rtol=1e-4)
    np.testing.assert_allclose(found, made[np.argmin(twin, axis=1)], atol=1e-6)


def loud(signal, frame, hop):
    window = np.sqrt(0.5 - 0.5 * np.cos(2 * np.pi * np.arange(frame) / frame))
    padded = np.pad(signal, frame - hop)
    starts = range(0, len(padded) - frame + 1, hop)
    return np.stack(
        [np.abs(np.fft.rfft(window * padded[start : start + frame])) ** 2 for start in starts]
    )


@pytest.mark.parametrize("rest", [False, True])
@pytest.mark.parametrize("distance", ["waveform", "spectrum"])
def test_the_objective_of_a_mixture_is_its_numpy_twin(experiment_of, distance, rest):
    model = {
        "distance": distance,
        "models_rest": rest,
        "latent_weight": 0.01,
        "unexplained_weight": 0.3,
    }
    system = systems.build(experiment_of(**model))
    random = np.random.default_rng(0)
    mixture = 0.1 * random.standard_normal((2, WINDOW, 1)).astype(np.float32)
    latents = random.uniform(-1, 1, (2, 1 + rest, 8)).astype(np.float32)
    made = np.asarray(system.shipped["generator"](latents))[..., 0]
    twin = []
    for heard, tracks, latent in zip(mixture[..., 0], made, latents, strict=True):
        if distance == "waveform":
            far = np.sum((tracks.sum(axis=0) - heard) ** 2)
        else:
            powers = [sum(loud(track, 256, 128) for track in tracks), loud(heard, 256, 128)]
            excess = np.subtract(*(0.1 * np.log(2 * power + 2.0**-22) for power in powers))
            far = np.mean(np.where(excess > 0, excess, -0.3 * excess))
        twin.append(far + 0.01 * np.sum(latent**2))
    np.testing.assert_allclose(
        system.mixture_objective(tf.constant(mixture), system.generator)(latents), twin, rtol=1e-3
    )


def test_the_first_start_is_the_encoders_and_the_others_are_the_same_for_every_window(
    experiment_of,
):
    system = systems.build(experiment_of(restarts=3))
    encoded = np.random.default_rng(0).uniform(-1, 1, (4, 2, 8)).astype(np.float32)
    starts = np.asarray(system.starts(encoded, encoder_start=True))
    assert starts.shape == (4, 3, 2, 8)
    np.testing.assert_array_equal(starts[:, 0], encoded)
    for window in starts[1:]:
        np.testing.assert_array_equal(window[1:], starts[0, 1:])
    at_random = np.asarray(system.starts(encoded, encoder_start=False))
    np.testing.assert_array_equal(at_random[0], system.random_starts)
    np.testing.assert_array_equal(at_random[:, 1:], starts[:, 1:])


def test_searching_from_the_encoder_is_never_worse_than_the_encoder(experiment_of):
    """And with further restarts never worse than without."""
    matrix = gaussian_matrix(32, WINDOW, seed=0)
    heard = measure(0.1 * np.random.default_rng(0).standard_normal((3, WINDOW)), matrix)
    least = []
    for iterations, restarts in ((0, 1), (10, 1), (10, 3)):
        system = systems.build(experiment_of(iterations=iterations, restarts=restarts))
        least.append(system.recover(heard, matrix)[1])
    assert np.all(least[1] < least[0])
    assert np.all(least[2] <= least[1] + 1e-6)


@pytest.mark.parametrize(
    "model", [PAPERS, {"restarts": 3}, {"models_rest": False}, {"generator_kind": "oscillators"}]
)
def test_separation_is_deterministic_and_in_blocks_the_same(experiment_of, model):
    system = systems.build(experiment_of(**{"iterations": 6, **model}))
    mixture = 0.1 * np.random.default_rng(0).standard_normal((2, 9000, 1)).astype(np.float32)
    whole = system.separate(mixture)
    np.testing.assert_array_equal(whole, system.separate(mixture))
    np.testing.assert_allclose(whole[:1], system.separate(mixture[:1]), atol=1e-6)
    blocks = BlockSeparator(
        system.separate,
        channels=2,
        sources=1,
        hop=system.hop,
        context=system.context,
        block=4 * system.hop,
    )
    parts = [*blocks.push(mixture[:, :, 0].T), *blocks.finish()]
    assert len(parts) > 2
    np.testing.assert_allclose(np.concatenate(parts, axis=1)[0], whole[:, 0, :, 0].T, atol=1e-5)


def test_volume_does_not_matter_at_one_level(experiment_of):
    system = systems.build(experiment_of())
    mixture = 0.1 * np.random.default_rng(0).standard_normal((1, 3000, 1)).astype(np.float32)
    loud_one, quiet = system.separate(mixture), system.separate(0.02 * mixture)
    np.testing.assert_allclose(0.02 * loud_one, quiet, atol=1e-3 * np.abs(quiet).max())


def test_a_mask_gives_all_of_the_mixture_to_what_alone_is_made(experiment_of):
    system = systems.build(experiment_of())
    mixture = 0.1 * np.random.default_rng(0).standard_normal((2, WINDOW, 1)).astype(np.float32)
    made = np.stack([mixture, np.zeros_like(mixture)], axis=1)
    np.testing.assert_allclose(system.estimates(mixture, made)[:, 0], mixture, atol=1e-4)
    np.testing.assert_allclose(system.estimates(mixture, made[:, ::-1])[:, 0], 0, atol=1e-4)
    alike = np.stack([mixture, -mixture], axis=1)
    np.testing.assert_allclose(system.estimates(mixture, alike)[:, 0], 0.5 * mixture, atol=1e-4)
    alone = systems.build(experiment_of(models_rest=False))
    np.testing.assert_allclose(
        alone.estimates(mixture, 0.5 * mixture[:, None])[:, 0], 0.25 * mixture, atol=1e-4
    )


def test_the_terms_are_what_they_say_and_the_total_is_their_weighted_sum(
    experiment_of, system_of, batch_of
):
    weights = {
        "distance_weight": 2.0,
        "paired_weight": 3.0,
        "made_weight": 0.5,
        "latent_weight": 0.1,
    }
    latents_as_encoded = {"taught_iterations": 0}
    experiment = experiment_of(
        **weights,
        **latents_as_encoded,
        adversarial_weight=0.25,
        distance="waveform",
        estimate="waveform",
    )
    system, batch = system_of(experiment), batch_of(experiment)
    mixture, target = np.asarray(batch["mixture"]), np.asarray(batch["sources"])
    gain = 0.1 / np.sqrt(np.mean(mixture**2, axis=(1, 2), keepdims=True))
    tracks = np.concatenate([target, mixture[:, None] - target], axis=1) * gain[:, None]
    latents = np.asarray(system.encoder(gain * mixture, training=True))
    made = np.asarray(system.generator(latents))
    log = {name: float(value) for name, value in system.train_step(batch).items()}
    assert log["distance"] == pytest.approx(np.sum((made - tracks) ** 2) / len(made), rel=1e-4)
    assert log["paired"] == pytest.approx(np.mean(np.abs(made - tracks)[:, 0]), rel=1e-4)
    assert log["latent"] == pytest.approx(np.sum(latents**2) / len(latents), rel=1e-4)
    assert 0 < log["made"] < 4 and log["adversarial"] > 0 and log["discriminator"] > 0
    total = sum(weight * log[name.removesuffix("_weight")] for name, weight in weights.items())
    assert log["total"] == pytest.approx(total + 0.25 * log["adversarial"], rel=1e-4)


def test_an_encoder_that_knows_what_was_made_has_no_loss_on_it(experiment_of, batch_of):
    experiment = experiment_of()
    system, seen = systems.build(experiment), []
    system.generator = lambda latents, training: seen.append(latents) or tf.zeros((2, 2, WINDOW, 1))
    system.encoder = lambda heard, training: seen[-1] + 0.5 if seen else tf.zeros((2, 2, 8))
    batch = batch_of(experiment)
    losses = system.losses(batch["mixture"], tf.zeros((2, 2, WINDOW, 1)), batch["solo"])
    assert float(losses["made"]) == pytest.approx(0.25, rel=1e-5)


def test_the_encoders_statistics_are_those_of_mixtures_alone(experiment_of, system_of, batch_of):
    """What the generator made, which the encoder hears too, is a hundred times louder here and
    leaves no trace."""
    experiment = experiment_of()
    system, batch = system_of(experiment), batch_of(experiment)
    mixture = np.asarray(batch["mixture"])
    (norm,) = batch_normalisations(system.encoder)
    levels = keras.Model(system.encoder.input, norm.input)
    heard = np.asarray(
        levels(0.1 * mixture / np.sqrt(np.mean(mixture**2, axis=(1, 2), keepdims=True))), np.float64
    )
    mean, variance = np.array(norm.moving_mean), np.array(norm.moving_variance)
    system.train_step({**batch, "solo": 100 * batch["solo"]})
    keep = norm.momentum
    np.testing.assert_allclose(
        norm.moving_mean, keep * mean + (1 - keep) * heard.mean(axis=(0, 1)), atol=1e-5
    )
    np.testing.assert_allclose(
        norm.moving_variance, keep * variance + (1 - keep) * heard.var(axis=(0, 1)), atol=1e-5
    )


@pytest.mark.parametrize("teach", [False, True])
def test_only_a_taught_generator_learns_from_what_the_encoder_recovers(
    teach, experiment_of, system_of, batch_of
):
    after = []
    for weight in (1.0, 50.0):
        experiment = experiment_of(teach_generator=teach, models_rest=False, distance_weight=weight)
        system = system_of(experiment)
        system.train_step(batch_of(experiment))
        after.append((weights_of(system.generator), weights_of(system.encoder)))
    same = [
        all(np.array_equal(a, b) for a, b in zip(*pair, strict=True))
        for pair in zip(*after, strict=True)
    ]
    assert same == [not teach, False]


def test_taught_through_the_search_the_terms_are_of_the_place_where_it_ends(
    experiment_of, batch_of
):
    experiment = experiment_of(taught_iterations=3, search_rate=0.05)
    system, batch = systems.build(experiment), batch_of(experiment)
    mixture, tracks = system.at_one_level(
        batch["mixture"], system.targets(batch["mixture"], batch["sources"])
    )
    start = system.encoder(mixture, training=True)
    objective = system.mixture_objective(mixture, system.generator)
    end, least = search(objective, start[:, None], iterations=3, rate=0.05)
    assert np.all(least < objective(start))
    assert np.max(np.abs(end - start)) > 0.01
    losses = system.losses(mixture, tracks, batch["solo"])
    far = system.distance(tracks, system.generator(end, training=True))
    assert float(losses["distance"]) == pytest.approx(np.mean(far), rel=1e-4)
    assert float(losses["latent"]) == pytest.approx(
        np.mean(np.sum(np.square(end), axis=(1, 2))), rel=1e-4
    )


def test_the_way_of_the_search_is_no_part_of_the_gradient(experiment_of, batch_of):
    """The encoder is moved as if the place where the search ends were its own: by that place's
    slope, as it stands."""
    experiment = experiment_of(taught_iterations=3)
    system, batch = systems.build(experiment), batch_of(experiment)
    latents = tf.random.stateless_uniform((2, 2, 8), seed=(0, 1))
    with tf.GradientTape() as tape:
        tape.watch(latents)
        found = system.searched(latents, batch["mixture"])
        value = tf.reduce_sum(tf.square(found))
    np.testing.assert_allclose(tape.gradient(value, latents), 2 * found, rtol=1e-5)


def test_no_gradient_flows_through_the_search_into_the_generator(experiment_of, batch_of):
    """The objective that is searched is made of the generator, whose weights would else get a
    gradient of second order."""
    experiment = experiment_of(taught_iterations=3)
    system, batch = systems.build(experiment), batch_of(experiment)
    weights = [variable.value for variable in system.generator.trainable_variables]
    latents = tf.random.stateless_uniform((2, 2, 8), seed=(0, 1))
    with tf.GradientTape() as tape:
        tape.watch(weights)
        value = tf.reduce_sum(tf.square(system.searched(latents, batch["mixture"])))
    assert all(gradient is None for gradient in tape.gradient(value, weights))


def test_what_was_made_teaches_the_encoder_and_not_the_generator(experiment_of, batch_of):
    experiment = experiment_of()
    system, batch = systems.build(experiment), batch_of(experiment)
    players = {
        name: [v.value for v in getattr(system, name).trainable_variables]
        for name in ("encoder", "generator")
    }
    with tf.GradientTape() as tape:
        tape.watch(players)
        made = system.losses(batch["mixture"], tf.zeros((2, 2, WINDOW, 1)), batch["solo"])["made"]
    gradients = tape.gradient(made, players)
    assert all(gradient is not None for gradient in gradients["encoder"])
    assert all(gradient is None for gradient in gradients["generator"])


def test_the_encoders_statistics_are_those_of_mixtures(experiment_of, batch_of):
    experiment = experiment_of(taught_iterations=0)
    system, like, batch = systems.build(experiment), systems.build(experiment), batch_of(experiment)
    before = weights_of(like.encoder)
    system.losses(batch["mixture"], tf.zeros((2, 2, WINDOW, 1)), batch["solo"])
    like.encoder(batch["mixture"], training=True)
    assert any(
        not np.array_equal(*pair) for pair in zip(before, weights_of(like.encoder), strict=True)
    )
    for got, expected in zip(weights_of(system.encoder), weights_of(like.encoder), strict=True):
        np.testing.assert_allclose(got, expected, rtol=1e-6)


@pytest.mark.parametrize("rest", [False, True])
def test_the_encoder_is_given_what_was_made_in_the_company_of_a_rest(rest, experiment_of, batch_of):
    """A recorded rest, or a made one where that is modelled."""
    experiment = experiment_of(models_rest=rest, taught_iterations=0, adversarial_weight=0.0)
    system, batch, given = systems.build(experiment), batch_of(experiment), []
    made = 0.1 * np.random.default_rng(0).standard_normal((2, 1 + rest, WINDOW, 1)).astype(
        np.float32
    )
    system.generator = lambda latents, training: tf.constant(made)
    system.encoder = lambda heard, training: given.append(heard) or tf.zeros((2, 1 + rest, 8))
    system.losses(batch["mixture"], tf.zeros((2, 1 + rest, WINDOW, 1)), batch["solo"])
    expected = made.sum(axis=1) + (0 if rest else np.asarray(batch["solo"])[:, -1])
    np.testing.assert_allclose(given[-1], expected, atol=1e-6)


def test_without_adversarial_weight_there_is_no_critic(experiment_of, system_of, batch_of):
    experiment = experiment_of(adversarial_weight=0.0)
    system = system_of(experiment)
    assert set(system.players) == {"generator", "encoder"}
    assert float(system.train_step(batch_of(experiment))["discriminator"]) == 0


def test_every_source_has_a_generator_and_a_critic_of_its_own(experiment_of, system_of, batch_of):
    experiment = experiment_of(
        data={"sources": ("piano", "flute")}, objective="wgan-gp", discriminator_steps=2
    )
    system = system_of(experiment)
    assert set(system.players) == {
        "discriminator_piano",
        "discriminator_flute",
        "generator",
        "encoder",
    }
    assert all(
        np.isfinite(float(value)) for value in system.train_step(batch_of(experiment)).values()
    )
    assert int(system.optimizers["discriminator_flute"].iterations) == 2
    assert system.separate(np.ones((1, 700, 1), np.float32)).shape == (1, 2, 700, 1)


def test_the_running_means_follow_generator_and_encoder(experiment_of, system_of, batch_of):
    base = experiment_of()
    experiment = replace(base, training=replace(base.training, ema=0.75))
    system = system_of(experiment)
    for name in ("generator", "encoder"):
        assert all(
            np.array_equal(a, b)
            for a, b in zip(
                weights_of(system.shipped[name]), weights_of(getattr(system, name)), strict=True
            )
        )
    before = weights_of(system.shipped["encoder"])
    system.train_step(batch_of(experiment))
    for mean, old, variable in zip(
        system.shipped["encoder"].variables, before, system.encoder.variables, strict=True
    ):
        new = np.asarray(variable)
        np.testing.assert_allclose(
            mean, 0.75 * old + 0.25 * new if variable.trainable else new, atol=1e-6
        )


@pytest.fixture(scope="module")
def prior(short, tmp_path_factory):
    """A trained WaveGAN of the tiny settings on short windows."""
    base, like = systems.preset("wavegan", "tiny"), short()
    system = systems.build(replace(base, data=like.data, training=like.training))
    folder = tmp_path_factory.mktemp("prior") / "model"
    save_trained(folder, system, {})
    return folder, system


@pytest.fixture(scope="module")
def with_prior(experiment_of, prior):
    def make(**changes):
        like = prior[1].config.generator
        changes = {
            "prior": str(prior[0]),
            "generator": {"latent": like.latent, "channels": like.channels},
            **changes,
        }
        return experiment_of(**changes)

    return make


@pytest.mark.parametrize("rest", [False, True])
def test_a_prior_is_taken_as_it_is_and_does_not_move(rest, with_prior, prior, system_of, batch_of):
    experiment = with_prior(models_rest=rest)
    system = system_of(experiment)
    system.begin(load_trained)
    theirs = weights_of(prior[1].ema_generator)
    for seed in (0, 1):
        system.train_step(batch_of(experiment, seed))
    assert set(system.players) == ({"generator", "encoder"} if rest else {"encoder"})
    for network in (system.generator, system.shipped["generator"]):
        ours = weights_of(network.get_layer("maker0"))
        assert all(np.array_equal(a, b) for a, b in zip(ours, theirs, strict=True))


def test_a_model_with_a_prior_needs_it_no_more(with_prior, prior, tmp_path):
    there = tmp_path / "prior"
    shutil.copytree(prior[0], there)
    system = systems.build(with_prior(prior=str(there)))
    system.begin(load_trained)
    save_trained(tmp_path / "model", system, {})
    shutil.rmtree(there)
    mixture = np.random.default_rng(0).standard_normal((1, 2000, 1)).astype(np.float32)
    again = load_trained(tmp_path / "model")
    np.testing.assert_array_equal(again.separate(mixture), system.separate(mixture))
    with pytest.raises(CheckpointError):
        again.begin(load_trained)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"data": {"window": 2048}}, "window is 2048, and the prior's is 1024"),
        ({"data": {"sample_rate_hz": 8000}}, "sample_rate_hz is 8000, and the prior's is 16000"),
        ({"generator": {"latent": 9}}, "generator.latent is 9, and the prior's is 8"),
        ({"generator": {"latent": 8, "channels": 7}}, "other shapes"),
    ],
)
def test_a_prior_that_does_not_fit_is_refused_with_what_would(changes, message, with_prior):
    system = systems.build(with_prior(**changes))
    with pytest.raises(ConfigError, match=message):
        system.begin(load_trained)


def test_a_prior_must_make_sounds_and_be_one_sources(with_prior, experiment_of, tmp_path):
    save_trained(tmp_path / "searches", systems.build(experiment_of()), {})
    with pytest.raises(
        ConfigError, match="is a compressed_sensing model; wanted one that makes sounds"
    ):
        systems.build(with_prior(prior=str(tmp_path / "searches"))).begin(load_trained)
    with pytest.raises(ConfigError, match="prior is one generator, and there are 2 sources"):
        systems.build(with_prior(data={"sources": ("piano", "flute")}))
    with pytest.raises(ConfigError, match="take 'wavegan', or no prior"):
        check(with_prior(generator_kind="oscillators"))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"adversarial_weight": 0.0, "teach_generator": False, "models_rest": False},
            "nothing to learn from",
        ),
        ({"models_rest": True, "teach_generator": False}, "models_rest"),
        ({"restarts": 0}, "restarts is 0"),
        ({"hop": 100}, "multiple of the hop"),
        ({"search_rate": 0.0}, "search_rate is 0.0"),
        ({"made_weight": -1.0}, "made_weight is -1.0"),
    ],
)
def test_settings_that_cannot_be_are_refused(changes, message, experiment_of):
    with pytest.raises(ConfigError, match=message):
        check(experiment_of(**changes))


def test_windows_must_hold_whole_hops_on_either_side_of_their_middle(experiment_of):
    with pytest.raises(ConfigError, match="window is 1024 and hop 1024"):
        systems.build(experiment_of(frame=2048, hop=1024))


def test_measurements_that_do_not_fit_are_refused(searcher):
    with pytest.raises(ShapeError, match=r"\[2, 5\] by a matrix of shape \[5, 1000\]"):
        searcher.recover(np.zeros((2, 5)), np.zeros((5, 1000)))


def test_the_papers_preset_is_the_papers():
    model = systems.preset("compressed_sensing", "paper").model
    assert (model.generator.latent, model.restarts, model.iterations, model.search_rate) == (
        100,
        2,
        500,
        0.1,
    )
    assert (model.latent_weight, model.distance, model.estimate) == (0.001, "waveform", "waveform")
    assert (model.models_rest, model.teach_generator, model.paired_weight) == (False, False, 0.0)
