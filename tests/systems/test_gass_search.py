"""The search of GASS: its loss, the points that it finds, and separation with them."""

import numpy as np
import pytest
from gass_for_tests import (
    BINS,
    FRAME,
    HOP,
    experiment,
    found_points,
    gamma,
    made_of,
    noise,
    scores_of,
    searched,
    solos,
    varied,
)

from tfsepgan.layers.spectra import level
from tfsepgan.losses.poisson import divergence, smoothness
from tfsepgan.separation.engine import BlockSeparator


def test_the_search_starts_at_latents_of_zero_and_even_shares_of_the_mixture(system_of):
    system = system_of(experiment())
    start = np.asarray(system.start(gamma(1, 7, BINS)))
    assert start.shape == (1, 7, 2, 4) and not start[..., :-1].any()
    np.testing.assert_allclose(np.exp(start[..., -1]), 0.5, rtol=1e-6)


def test_magnitudes_are_generated_frames_uncompressed_times_their_gain(system_of):
    system = system_of(experiment(compression=0.5))
    generated, points, levels = gamma(1, 7, 2, BINS), noise(1, 7, 2, 4), gamma(1, 7, 1, seed=1)
    expected = levels[..., None] * np.exp(points[..., -1:]) * generated**2
    np.testing.assert_allclose(system.magnitudes(generated, points, levels), expected, rtol=1e-4)


def test_the_search_loss_is_the_sum_of_its_terms_over_frames(system_of):
    system = varied(system_of(experiment(critic_weight=0.3, smoothness=0.2)))
    parts, points = made_of(system)
    magnitudes = gamma(1, 20, BINS)
    levels = np.asarray(level(magnitudes))
    scaled = parts * levels[..., None]
    rate, observed = scaled.sum(axis=2) / levels, magnitudes / levels
    likelihood = np.sum(np.mean(rate - observed * np.log(rate), axis=-1))
    critics = np.sum(scores_of(system, np.asarray(system.generated(points))[0])[0])
    smooth = np.sum(smoothness(scaled, levels))
    got = float(system.search_loss(points, magnitudes, levels))
    assert got == pytest.approx(likelihood - 0.3 * critics + 0.2 * smooth, rel=1e-3)


def test_mixtures_of_generated_frames_are_separated(system_of):
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


def test_a_longer_search_finds_better_points_than_where_it_starts(system_of):
    losses = []
    for iterations in (1, 10, 100):
        system = varied(system_of(experiment(iterations=iterations, search_rate=0.02)))
        magnitudes = made_of(system)[0].sum(axis=2)
        levels = level(magnitudes)
        if not losses:
            losses.append(float(system.search_loss(system.start(magnitudes), magnitudes, levels)))
        losses.append(
            float(system.search_loss(found_points(system, magnitudes), magnitudes, levels))
        )
    assert losses == sorted(losses, reverse=True)


def test_smoothness_and_critics_change_what_is_found(system_of):
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
        points = found_points(system, magnitudes)
        generated = np.asarray(system.generated(points))
        score = np.mean(scores_of(system, generated[0])[0])
        found[name] = (
            score,
            float(np.sum(smoothness(system.magnitudes(generated, points, levels), levels))),
        )
    assert found["critic"][0] > found["none"][0]
    assert found["smooth"][1] < 0.9 * found["none"][1]


def test_what_is_searched_is_the_running_mean(system_of):
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


def test_masks_of_all_parts_sum_to_the_mixture(system_of):
    system = system_of(experiment(mask_power=2.0))
    mixture = noise(2, 777, 1)
    system.sources = ("piano", "others")
    np.testing.assert_allclose(system.separate(mixture).sum(axis=1), mixture, atol=1e-4)


def test_without_masks_an_estimate_has_the_magnitudes_that_were_found(system_of):
    """In a signal this short overlaps do not differ, so frames keep the magnitudes found."""
    system = varied(system_of(experiment(estimate="magnitude", iterations=3)))
    mixture = noise(1, 640, 1)
    spectrum = system.spectra.analyse(mixture)
    magnitudes = system.spectra.magnitude(spectrum)
    found = np.asarray(system.searched(magnitudes))[:, :, 0]
    gain = np.tile(found / np.asarray(magnitudes), 2)
    expected = system.spectra.synthesise((np.asarray(spectrum) * gain)[:, None], 640)
    np.testing.assert_allclose(system.separate(mixture), expected, rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("gain", [1e-3, 10.0])
def test_the_search_does_not_depend_on_the_level_of_a_mixture(gain, system_of):
    system = system_of(experiment())
    mixture = noise(1, 640, 1)
    np.testing.assert_allclose(
        system.separate(gain * mixture) / gain, system.separate(mixture), atol=5e-3
    )


@pytest.mark.parametrize(("smoothness", "context"), [(0.0, FRAME), (5.0, FRAME + 12 * HOP)])
def test_context_is_a_frame_and_a_hop_for_each_step_of_the_search(smoothness, context, system_of):
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


def test_blocks_equal_one_pass(system_of):
    system = varied(system_of(experiment(iterations=20, smoothness=0.5)))
    mixture = noise(1, 9001, 1, seed=5)
    block = -(-4 * system.context // HOP) * HOP
    engine = BlockSeparator(
        system.separate, channels=1, sources=1, hop=HOP, context=system.context, block=block
    )
    blocks = np.concatenate([*engine.push(mixture[0]), *engine.finish()], axis=1)
    np.testing.assert_allclose(blocks, system.separate(mixture)[0], atol=2e-5)


def test_silence_separates_into_silence(system_of):
    system = system_of(experiment())
    assert np.abs(system.separate(np.zeros((1, 1000, 1), np.float32))).max() == 0
