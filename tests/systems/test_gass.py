"""GASS's own algebra: what critics and generators are told, which frames they hear, and what the
search finds."""

from dataclasses import replace

import keras
import numpy as np
import pytest
import tensorflow as tf

from tfsepgan import systems
from tfsepgan.layers.spectra import level
from tfsepgan.losses.poisson import divergence, jumps
from tfsepgan.separation.engine import BlockSeparator
from tfsepgan.systems.statistics import batch_normalisations

FRAME, HOP, BINS = 128, 32, 65


@pytest.fixture
def experiment():
    """Gives the preset `tiny` on short windows, with settings changed by name."""

    def make(*, data=None, training=None, **model):
        base = systems.preset("gass", "tiny")
        return replace(
            base,
            model=replace(
                base.model, **{"frame": FRAME, "hop": HOP, "latent": 3, "hidden": 5, **model}
            ),
            data=replace(base.data, **{"window": 1024, "batch": 2, **(data or {})}),
            training=replace(base.training, **(training or {})),
        )

    return make


def noise(*shape, seed=0):
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)


def solos(seed=0):
    return {"solo": tf.constant(0.1 * noise(2, 2, 1024, 1, seed=seed))}


def gamma(*shape, seed=0):
    return np.random.default_rng(seed).gamma(1.0, 1.0, shape).astype(np.float32)


def scores_of(system, frames):
    """The critics in NumPy: scores `[frames, parts]`, and how long each one's gradient is."""
    scores, slopes = [], []
    for part in range(2):
        inner, bias = system.critic.get_layer(f"part{part}_hidden").get_weights()
        (outer,) = system.critic.get_layer(f"part{part}_score").get_weights()
        units = np.tanh(frames[:, part] @ inner + bias)
        scores.append((units @ outer)[:, 0])
        slopes.append(np.linalg.norm(((1 - units**2) * outer[:, 0]) @ inner.T, axis=1))
    return np.stack(scores, axis=1), np.stack(slopes, axis=1)


def varied(system, *, halves=False):
    """Give generators that make frames which differ a lot; by halves, the first part has the lower
    bins and the second the upper."""
    for part in range(2):
        kept = (np.arange(BINS) < BINS // 2) == (part == 0)
        bias = np.where(kept | (not halves), 0.0, -12.0).astype(np.float32)
        inner, outer = 2 * noise(3, 5, seed=part), noise(5, BINS, seed=2 + part) * (bias == 0)
        for network in (system.generator, system.ema_generator):
            network.get_layer(f"part{part}_hidden").set_weights([inner, np.zeros(5, np.float32)])
            network.get_layer(f"part{part}_magnitudes").set_weights([outer, bias])
    return system


def made_of(system, seed=0, frames=20):
    """Parts that are in the range of the generators, `[1, frames, parts, bins]`, and points that
    make them."""
    points = np.concatenate(
        [noise(1, frames, 2, 3, seed=seed), -0.7 + 0.3 * noise(1, frames, 2, 1, seed=9)], axis=-1
    )
    levels = np.ones((1, frames, 1), np.float32)
    return np.asarray(system.magnitudes(system.generated(points), points, levels)), points


def descended(system, magnitudes):
    """Points after the search of a mixture."""
    return tf.function(system.found_points)(tf.constant(magnitudes), level(magnitudes))


def searched(system, parts):
    """What the search makes of the parts' sum."""
    return np.asarray(system.searched(tf.constant(parts.sum(axis=2))))


def test_the_critics_loss_is_the_difference_of_scores_and_the_penalty_of_the_slope(
    experiment, system_of
):
    system = system_of(experiment(objective="wgan-gp", penalty_weight=7.0))
    real, fake = gamma(6, 2, BINS), gamma(6, 2, BINS, seed=1)
    system.config = replace(system.config, penalty_weight=0.0)
    expected = np.mean(scores_of(system, fake)[0]) - np.mean(scores_of(system, real)[0])
    assert float(system.critic_loss(real, fake)) == pytest.approx(expected, rel=1e-3, abs=1e-6)
    system.config = replace(system.config, penalty_weight=7.0)
    slopes = scores_of(system, real)[1]  # between frames that are equal there is one point only
    assert float(system.critic_loss(real, real)) == pytest.approx(
        7 * np.mean((slopes - 1) ** 2), rel=1e-3
    )


def test_the_penalty_is_taken_at_a_random_point_between_each_pair_of_frames(experiment, system_of):
    """A critic with tanh is as steep as the place where it is asked, so points elsewhere give
    another penalty."""
    system = system_of(experiment(objective="wgan-gp", penalty_weight=7.0))
    for part in range(2):
        layer = system.critic.get_layer(f"part{part}_hidden")
        layer.set_weights(
            [noise(*layer.kernel.shape, seed=part) / 4, noise(*layer.bias.shape, seed=5)]
        )
    real, fake = gamma(6, 2, BINS), 2 * gamma(6, 2, BINS, seed=1)
    state = np.array(system.draws.state)
    position = np.asarray(keras.random.uniform((6, 2, 1), seed=system.draws))
    system.draws.state.assign(state)
    difference = np.mean(scores_of(system, fake)[0]) - np.mean(scores_of(system, real)[0])
    slopes = scores_of(system, real + position * (fake - real))[1]
    expected = difference + 7 * np.mean((slopes - 1) ** 2)
    assert float(system.critic_loss(real, fake)) == pytest.approx(expected, rel=1e-3)


def test_critic_and_generator_are_judged_by_what_learns_not_by_its_running_mean(
    experiment, system_of
):
    system = varied(system_of(experiment(training={"ema": 0.5})))
    system.ema_generator.set_weights([0 * weight for weight in system.ema_generator.get_weights()])
    latents, given, loss = noise(system.config.frames, 2, 3), [], system.critic_loss
    made = np.asarray(system.generator(latents))
    system.latents = lambda: tf.constant(latents)
    system.critic_loss = lambda real, fake: given.append(np.asarray(fake)) or loss(real, fake)
    expected = -np.mean(scores_of(system, made)[0])
    assert float(system.generator_loss(latents)) == pytest.approx(expected, rel=1e-3)
    system.train_step(solos())
    np.testing.assert_allclose(given[0], made, rtol=1e-4, atol=1e-5)


def test_latents_are_standard_normal_and_drawn_anew(experiment, system_of):
    system = system_of(experiment(frames=3000))
    one, other = np.asarray(system.latents()), np.asarray(system.latents())
    assert one.shape == (3000, 2, 3) and not np.array_equal(one, other)
    assert np.mean(one) == pytest.approx(0, abs=0.04) and np.var(one) == pytest.approx(1, abs=0.05)


def test_the_search_starts_at_latents_of_zero_and_even_shares_of_the_mixture(experiment, system_of):
    system = system_of(experiment())
    start = np.asarray(system.start(gamma(1, 7, BINS)))
    assert start.shape == (1, 7, 2, 4) and not start[..., :-1].any()
    np.testing.assert_allclose(np.exp(start[..., -1]), 0.5, rtol=1e-6)


def test_what_sounds_is_what_was_generated_at_its_gain_and_no_longer_compressed(
    experiment, system_of
):
    system = system_of(experiment(compression=0.5))
    generated, points, levels = gamma(1, 7, 2, BINS), noise(1, 7, 2, 4), gamma(1, 7, 1, seed=1)
    expected = levels[..., None] * np.exp(points[..., -1:]) * generated**2
    np.testing.assert_allclose(system.magnitudes(generated, points, levels), expected, rtol=1e-4)


def test_the_paper_has_no_penalty_but_bounded_weights(experiment, system_of):
    system = system_of(experiment(objective="wgan", clip=0.02))
    real, fake = gamma(6, 2, BINS), gamma(6, 2, BINS, seed=1)
    expected = np.mean(scores_of(system, fake)[0]) - np.mean(scores_of(system, real)[0])
    assert float(system.critic_loss(real, fake)) == pytest.approx(expected, rel=1e-3, abs=1e-6)
    assert max(np.abs(weight).max() for weight in system.critic.get_weights()) > 0.02
    system.train_step(solos())
    assert max(np.abs(weight).max() for weight in system.critic.get_weights()) <= 0.02


def test_the_generators_loss_is_less_the_score_of_what_they_make(experiment, system_of):
    system = system_of(experiment())
    latents = noise(8, 2, 3)
    expected = -np.mean(scores_of(system, np.asarray(system.generator(latents)))[0])
    assert float(system.generator_loss(latents)) == pytest.approx(expected, rel=1e-3, abs=1e-6)


@pytest.mark.parametrize("wrap", [lambda step: step, tf.function], ids=["eager", "graph"])
def test_critics_step_more_often_in_the_first_steps(wrap, experiment, system_of):
    """Two first steps of 7 critic steps each, then 2 each; the generators step once each time."""
    system = system_of(experiment(critic_steps=2, first_critic_steps=7, first_steps=2))
    step = wrap(system.train_step)
    counted = []
    for seed in range(4):
        step(solos(seed))
        counted.append(
            [int(system.optimizers[player].iterations) for player in ("critic", "generator")]
        )
    assert counted == [[7, 1], [14, 2], [16, 3], [18, 4]]


def test_further_critic_steps_are_those_of_one_long_step(experiment, system_of):
    """Two steps and three further ones give the weights, and draw the numbers, of five."""
    few = system_of(experiment(critic_steps=2, first_critic_steps=5, first_steps=1))
    many = system_of(experiment(critic_steps=5))
    for network in ("generator", "critic"):
        getattr(few, network).set_weights(getattr(many, network).get_weights())
    logs = [system.train_step(solos()) for system in (few, many)]
    for one, other in zip(few.critic.get_weights(), many.critic.get_weights(), strict=True):
        np.testing.assert_allclose(one, other, atol=1e-6)
    assert float(logs[0]["critic"]) == pytest.approx(float(logs[1]["critic"]), rel=1e-4, abs=1e-6)


def test_fewer_first_critic_steps_than_later_are_refused(experiment):
    assert list(experiment(critic_steps=5, first_critic_steps=5).model.problems()) == []
    (problem,) = experiment(critic_steps=5, first_critic_steps=4).model.problems()
    assert "first_critic_steps is 4" in problem


def test_the_networks_of_the_paper_start_as_the_authors_do(system_of):
    """Weights and biases of the authors' sizes within one over the root of the inputs, no
    normalisation anywhere."""
    system = system_of(systems.preset("gass", "paper"))
    sizes = {"hidden": (513, 100), "magnitudes": (100, 513)}
    for part in range(2):
        for name, (inputs, units) in sizes.items():
            kernel, bias = system.generator.get_layer(f"part{part}_{name}").get_weights()
            assert kernel.shape == (inputs, units)
            for weight in (kernel, bias):
                assert 0.8 < np.abs(weight).max() * inputs**0.5 <= 1.0001
        assert system.critic.get_layer(f"part{part}_hidden").get_weights()[0].shape == (513, 90)
    for network in (system.generator, system.critic):
        assert not list(batch_normalisations(network))
        # no statistics that signals could move
        assert all(weight.trainable for weight in network.weights)


def test_frames_have_mean_one_and_do_not_tell_how_loud_the_recording_was(experiment, system_of):
    system = system_of(experiment(compression=0.5))
    loud, quiet = (system.frames(gain * solos()["solo"]) for gain in (1.0, 0.01))
    for one, other in zip(loud, quiet, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-3, atol=1e-3)
    np.testing.assert_allclose(np.mean(np.square(loud[0]), axis=-1), 1, atol=1e-3)


def test_frames_are_drawn_as_often_as_they_are_loud(experiment, system_of):
    system = system_of(experiment(frames=4000))
    loudness = np.float32([[1, 3, 0, 4], [5, 0, 1, 2]])
    frames = np.repeat(np.arange(4, dtype=np.float32)[None, :, None], 2, axis=0)
    drawn = np.asarray(system.drawn(tf.constant(frames), tf.constant(loudness)))
    assert drawn.shape == (4000, 2, 1)
    for part in range(2):
        often = np.bincount(drawn[:, part, 0].astype(int), minlength=4) / 4000
        np.testing.assert_allclose(often, loudness[part] / 8, atol=0.04)


def test_the_search_loss_is_the_sum_of_its_terms_over_frames(experiment, system_of):
    system = varied(system_of(experiment(critic_weight=0.3, smoothness=0.2)))
    parts, points = made_of(system)
    magnitudes = gamma(1, 20, BINS)
    levels = np.asarray(level(magnitudes))
    heard = parts * levels[..., None]
    rate, observed = heard.sum(axis=2) / levels, magnitudes / levels
    likelihood = np.sum(np.mean(rate - observed * np.log(rate), axis=-1))
    critics = np.sum(scores_of(system, np.asarray(system.generated(points))[0])[0])
    smooth = np.sum(jumps(heard, levels))
    got = float(system.search_loss(points, magnitudes, levels))
    assert got == pytest.approx(likelihood - 0.3 * critics + 0.2 * smooth, rel=1e-3)


def test_mixtures_of_what_the_generators_make_are_taken_apart(experiment, system_of):
    system = varied(
        system_of(experiment(iterations=300, search_rate=0.05, critic_weight=0.0, smoothness=0.0)),
        halves=True,
    )
    parts, _ = made_of(system)
    found = searched(system, parts)
    assert float(np.mean(divergence(found.sum(axis=2), parts.sum(axis=2)))) < 1e-3
    for part in range(2):
        error_db = 10 * np.log10(
            np.sum((found[:, :, part] - parts[:, :, part]) ** 2) / np.sum(parts[:, :, part] ** 2)
        )
        assert error_db < -25


def test_a_longer_search_finds_better_points_than_where_it_starts(experiment, system_of):
    losses = []
    for iterations in (1, 10, 100):
        system = varied(system_of(experiment(iterations=iterations, search_rate=0.02)))
        magnitudes = made_of(system)[0].sum(axis=2)
        levels = level(magnitudes)
        if not losses:
            losses.append(float(system.search_loss(system.start(magnitudes), magnitudes, levels)))
        losses.append(float(system.search_loss(descended(system, magnitudes), magnitudes, levels)))
    assert losses == sorted(losses, reverse=True)


def test_smoothness_and_critics_get_what_they_ask_for(experiment, system_of):
    found = {}
    for name, weights in {"none": (0.0, 0.0), "critic": (1.0, 0.0), "smooth": (0.0, 1.0)}.items():
        model = {
            "critic_weight": weights[0],
            "smoothness": weights[1],
            "iterations": 60,
            "search_rate": 0.05,
        }
        system = varied(system_of(experiment(**model)))
        magnitudes = made_of(system)[0].sum(axis=2)
        levels = level(magnitudes)
        points = descended(system, magnitudes)
        generated = np.asarray(system.generated(points))
        score = np.mean(scores_of(system, generated[0])[0])
        found[name] = (
            score,
            float(np.sum(jumps(system.magnitudes(generated, points, levels), levels))),
        )
    assert found["critic"][0] > found["none"][0]
    assert found["smooth"][1] < 0.9 * found["none"][1]


def test_what_is_searched_is_the_running_mean(experiment, system_of):
    system = system_of(experiment(training={"ema": 0.5}))
    mixture = noise(1, 500, 1)
    before, mean = system.separate(mixture), system.ema_generator.get_weights()
    system.train_step(solos())
    for old, now, after in zip(
        mean, system.generator.get_weights(), system.ema_generator.get_weights(), strict=True
    ):
        np.testing.assert_allclose(after, 0.5 * old + 0.5 * now, atol=1e-6)
    changed = system.separate(mixture)
    assert not np.array_equal(before, changed)
    system.generator.set_weights([0 * weight for weight in system.generator.get_weights()])
    np.testing.assert_array_equal(changed, system.separate(mixture))


def test_masks_of_all_parts_sum_to_the_mixture(experiment, system_of):
    system = system_of(experiment(mask_power=2.0))
    mixture = noise(2, 777, 1)
    system.sources = ("piano", "rest")
    np.testing.assert_allclose(system.separate(mixture).sum(axis=1), mixture, atol=1e-4)


def test_without_masks_an_estimate_has_the_magnitudes_that_were_found(experiment, system_of):
    """In one frame's worth of hops nothing overlaps differently: the parts' sum stands for the
    mixture where it explains it."""
    system = varied(system_of(experiment(estimate="magnitude", iterations=3)))
    mixture = noise(1, 640, 1)
    spectrum = system.spectra.analyse(mixture)
    magnitudes = system.spectra.magnitude(spectrum)
    found = np.asarray(system.searched(magnitudes))[:, :, 0]
    gain = np.tile(found / np.asarray(magnitudes), 2)
    expected = system.spectra.synthesise((np.asarray(spectrum) * gain)[:, None], 640)
    np.testing.assert_allclose(system.separate(mixture), expected, rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("gain", [1e-3, 10.0])
def test_the_search_does_not_hear_how_loud_a_mixture_is(gain, experiment, system_of):
    system = system_of(experiment())
    mixture = noise(1, 640, 1)
    np.testing.assert_allclose(
        system.separate(gain * mixture) / gain, system.separate(mixture), atol=5e-3
    )


@pytest.mark.parametrize(("smoothness", "context"), [(0.0, FRAME), (5.0, FRAME + 12 * HOP)])
def test_context_is_a_frame_and_a_hop_for_each_step_of_the_search(
    smoothness, context, experiment, system_of
):
    system = varied(system_of(experiment(smoothness=smoothness)))
    assert system.context == context
    mixture = noise(1, 6000, 1)
    changed = mixture.copy()
    changed[:, 3000] += 5.0
    moved = np.abs(system.separate(changed) - system.separate(mixture))[0, 0, :, 0]
    far = np.abs(np.arange(6000) - 3000) > context
    assert moved[far].max() < 1e-5 < moved[~far].max()
    if smoothness:
        further = np.abs(np.arange(6000) - 3000) > FRAME + HOP
        assert moved[further].max() > 1e-4


def test_blocks_equal_one_pass(experiment, system_of):
    system = varied(system_of(experiment(iterations=20, smoothness=0.5)))
    mixture = noise(1, 9001, 1, seed=5)
    block = -(-4 * system.context // HOP) * HOP
    engine = BlockSeparator(
        system.separate, channels=1, sources=1, hop=HOP, context=system.context, block=block
    )
    blocks = np.concatenate([*engine.push(mixture[0]), *engine.finish()], axis=1)
    np.testing.assert_allclose(blocks, system.separate(mixture)[0], atol=2e-5)


def test_silence_separates_into_silence(experiment, system_of):
    system = system_of(experiment())
    assert np.abs(system.separate(np.zeros((1, 1000, 1), np.float32))).max() == 0
