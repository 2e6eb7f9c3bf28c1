"""The search of a generator: recovery from measurements, objectives, starts, separation."""

import numpy as np
import pytest
import tensorflow as tf
from sensing_for_tests import PAPERS, WINDOW, made_by

from tfsepgan import systems
from tfsepgan.dsp.measurements import gaussian_matrix, measure, relative_error
from tfsepgan.errors import ConfigError, ShapeError
from tfsepgan.separation.engine import BlockSeparator


@pytest.fixture(scope="module")
def searcher(sensing_of):
    """An untrained system with the paper's objective and enough steps to converge."""
    return systems.build(sensing_of(**PAPERS, latent_weight=0.0, restarts=4, iterations=250))


def test_what_the_generator_can_make_is_recovered_from_a_few_measurements(searcher):
    # not seed 0, which draws the starts of the search
    _, windows = made_by(searcher, 4, seed=1)
    errors = []
    for count in (4, 16, 64):
        matrix = gaussian_matrix(count, WINDOW, seed=count)
        found, _ = searcher.recover(measure(windows, matrix), matrix)
        errors.append(np.median(relative_error(windows, found)))
    assert errors[0] > 0.05  # fewer measurements than latents
    assert errors[1] < 0.02 and errors[2] < 1e-3
    assert errors[0] > errors[1] > errors[2]


def test_what_the_generator_cannot_make_is_not_recovered(searcher):
    noise = 0.1 * np.random.default_rng(0).standard_normal((2, WINDOW)).astype(np.float32)
    matrix = gaussian_matrix(256, WINDOW, seed=0)
    found, _ = searcher.recover(measure(noise, matrix), matrix)
    assert np.all(relative_error(noise, found) > 0.5)


def test_with_all_orthonormal_measurements_it_is_the_search_for_the_window_itself(sensing_of):
    """|A G(z) - A x| = |G(z) - x|, so every step is the same step."""
    system = systems.build(sensing_of(**PAPERS, iterations=20))
    window = 0.05 * np.random.default_rng(0).standard_normal((2, WINDOW)).astype(np.float32)
    basis, _ = np.linalg.qr(np.random.default_rng(1).standard_normal((WINDOW, WINDOW)))
    results = [
        system.recover(measure(window, matrix), matrix)
        for matrix in (basis.astype(np.float32), np.eye(WINDOW))
    ]
    (found, least), (direct, least_direct) = results
    np.testing.assert_allclose(least, least_direct, rtol=1e-3)
    np.testing.assert_allclose(found, direct, atol=1e-2 * np.abs(direct).max())


def test_the_objective_of_measurements_is_the_papers(sensing_of):
    """Without steps the best start is the result, at |A G(z) - y|^2 + lambda |z|^2."""
    system = systems.build(
        sensing_of(**PAPERS, iterations=0, restarts=5, latent_weight=0.1, encoder_start=False)
    )
    matrix = gaussian_matrix(20, WINDOW, seed=0)
    target = measure(0.1 * np.random.default_rng(0).standard_normal((3, WINDOW)), matrix)
    found, least = system.recover(target, matrix)
    latents = system.random_starts[:, 0]
    made = np.asarray(system.shipped["generator"].get_layer("maker0")(latents))[..., 0]
    twin = [
        [
            np.linalg.norm(matrix @ x - y) ** 2 + 0.1 * np.linalg.norm(z) ** 2
            for x, z in zip(made, latents, strict=True)
        ]
        for y in target
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


@pytest.mark.parametrize("others", [False, True])
@pytest.mark.parametrize("distance", ["waveform", "spectrum"])
def test_the_objective_of_a_mixture_is_its_numpy_twin(sensing_of, distance, others):
    model = {
        "distance": distance,
        "models_rest": others,
        "latent_weight": 0.01,
        "unexplained_weight": 0.3,
    }
    system = systems.build(sensing_of(**model))
    random = np.random.default_rng(0)
    mixture = 0.1 * random.standard_normal((2, WINDOW, 1)).astype(np.float32)
    latents = random.uniform(-1, 1, (2, 1 + others, 8)).astype(np.float32)
    made = np.asarray(system.shipped["generator"](latents))[..., 0]
    twin = []
    for target, tracks, latent in zip(mixture[..., 0], made, latents, strict=True):
        if distance == "waveform":
            far = np.sum((tracks.sum(axis=0) - target) ** 2)
        else:
            powers = [sum(loud(track, 256, 128) for track in tracks), loud(target, 256, 128)]
            excess = np.subtract(*(0.1 * np.log(2 * power + 2.0**-22) for power in powers))
            far = np.mean(np.where(excess > 0, excess, -0.3 * excess))
        twin.append(far + 0.01 * np.sum(latent**2))
    np.testing.assert_allclose(
        system.mixture_objective(tf.constant(mixture), system.generator)(latents), twin, rtol=1e-3
    )


def test_the_first_start_is_the_encoders_and_the_others_are_the_same_for_every_window(
    sensing_of,
):
    system = systems.build(sensing_of(restarts=3))
    encoded = np.random.default_rng(0).uniform(-1, 1, (4, 2, 8)).astype(np.float32)
    starts = np.asarray(system.starts(encoded, encoder_start=True))
    assert starts.shape == (4, 3, 2, 8)
    np.testing.assert_array_equal(starts[:, 0], encoded)
    for window in starts[1:]:
        np.testing.assert_array_equal(window[1:], starts[0, 1:])
    at_random = np.asarray(system.starts(encoded, encoder_start=False))
    np.testing.assert_array_equal(at_random[0], system.random_starts)
    np.testing.assert_array_equal(at_random[:, 1:], starts[:, 1:])


def test_searching_from_the_encoder_is_never_worse_than_the_encoder(sensing_of):
    """Nor are further restarts worse than none."""
    matrix = gaussian_matrix(32, WINDOW, seed=0)
    target = measure(0.1 * np.random.default_rng(0).standard_normal((3, WINDOW)), matrix)
    least = []
    for iterations, restarts in ((0, 1), (10, 1), (10, 3)):
        system = systems.build(sensing_of(iterations=iterations, restarts=restarts))
        least.append(system.recover(target, matrix)[1])
    assert np.all(least[1] < least[0])
    assert np.all(least[2] <= least[1] + 1e-6)


@pytest.mark.parametrize(
    "model", [PAPERS, {"restarts": 3}, {"models_rest": False}, {"generator_kind": "oscillators"}]
)
def test_separation_is_deterministic_and_in_blocks_the_same(sensing_of, model):
    system = systems.build(sensing_of(**{"iterations": 6, **model}))
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


def test_volume_does_not_matter_at_one_level(sensing_of):
    system = systems.build(sensing_of())
    mixture = 0.1 * np.random.default_rng(0).standard_normal((1, 3000, 1)).astype(np.float32)
    loud_one, quiet = system.separate(mixture), system.separate(0.02 * mixture)
    np.testing.assert_allclose(0.02 * loud_one, quiet, atol=1e-3 * np.abs(quiet).max())


def test_a_mask_gives_all_of_the_mixture_to_what_alone_is_made(sensing_of):
    system = systems.build(sensing_of())
    mixture = 0.1 * np.random.default_rng(0).standard_normal((2, WINDOW, 1)).astype(np.float32)
    made = np.stack([mixture, np.zeros_like(mixture)], axis=1)
    np.testing.assert_allclose(system.estimates(mixture, made)[:, 0], mixture, atol=1e-4)
    np.testing.assert_allclose(system.estimates(mixture, made[:, ::-1])[:, 0], 0, atol=1e-4)
    alike = np.stack([mixture, -mixture], axis=1)
    np.testing.assert_allclose(system.estimates(mixture, alike)[:, 0], 0.5 * mixture, atol=1e-4)
    alone = systems.build(sensing_of(models_rest=False))
    np.testing.assert_allclose(
        alone.estimates(mixture, 0.5 * mixture[:, None])[:, 0], 0.25 * mixture, atol=1e-4
    )


def test_windows_must_hold_whole_hops_on_either_side_of_their_middle(sensing_of):
    with pytest.raises(ConfigError, match="window is 1024 and hop 1024"):
        systems.build(sensing_of(frame=2048, hop=1024))


def test_measurements_that_do_not_fit_are_refused(searcher):
    with pytest.raises(ShapeError, match=r"\[2, 5\] by a matrix of shape \[5, 1000\]"):
        searcher.recover(np.zeros((2, 5)), np.zeros((5, 1000)))
