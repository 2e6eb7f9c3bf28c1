"""NMF in training: fits against NumPy and known dictionaries, and the sample of frames."""

import numpy as np
import pytest
import scipy.special
import tensorflow as tf
from nmf_for_tests import BINS, FRAME, HOP, RANK, experiment, solos, spectra_of, trained

from tfsepgan import systems
from tfsepgan.systems.nmf import EMPTY


def test_activations_are_those_of_multiplicative_updates(system_of):
    system = system_of(experiment(iterations=15))
    magnitudes = np.random.default_rng(0).gamma(1.0, 1.0, (20, BINS)).astype(np.float32)
    spectra = np.asarray(spectra_of(system), np.float64).reshape(-1, BINS)
    found = np.ones((20, len(spectra)))
    for _ in range(15):
        found *= ((magnitudes / (found @ spectra)) @ spectra.T) / spectra.sum(axis=1)
    got = system.activations(magnitudes)
    assert got.shape == (20, 2, RANK)
    np.testing.assert_allclose(got.reshape(20, -1), found, rtol=1e-3, atol=1e-4)


def test_a_fit_is_that_of_multiplicative_updates(system_of):
    """First of activations alone, then of both in turn."""
    system = system_of(experiment(fit_iterations=5))
    random = np.random.default_rng(0)
    frames, start = random.gamma(1.0, 1.0, (30, BINS)), random.uniform(0.5, 1.5, (RANK, BINS))
    activations, spectra = np.ones((30, RANK)), start.copy()
    for learning in 5 * [False] + 5 * [True]:
        activations *= ((frames / (activations @ spectra)) @ spectra.T) / spectra.sum(axis=1)
        if learning:
            spectra *= (activations.T @ (frames / (activations @ spectra))) / activations.sum(
                axis=0
            )[:, None]
    got, misfit = system.fit_dictionary(frames.astype(np.float32), start.astype(np.float32))
    np.testing.assert_allclose(
        got, spectra / spectra.mean(axis=1, keepdims=True), rtol=1e-3, atol=1e-4
    )
    assert misfit == pytest.approx(
        np.mean(scipy.special.kl_div(frames, activations @ spectra)), rel=1e-3
    )


def test_known_spectra_and_their_activations_are_found_again(system_of):
    """Frames with one spectrum each determine the dictionary, and it a mixture's activations."""
    system = system_of(experiment(fit_iterations=200, iterations=500, pool=60))
    random = np.random.default_rng(3)
    true = np.zeros((2, RANK, BINS), np.float32)
    for part in range(2):
        for index in range(RANK):
            low = 20 * (RANK * part + index)
            true[part, index, low : low + 25] = random.uniform(0.5, 2.0, 25)
    true /= true.mean(axis=-1, keepdims=True)
    activations_of_frames = np.eye(RANK, dtype=np.float32)[np.arange(60) % RANK] * random.uniform(
        0.5, 2.0, (60, 1)
    ).astype("f")
    system.pool.assign(np.stack([activations_of_frames @ true[part] for part in range(2)]))
    system.keys.assign(np.zeros((2, 60), np.float32))
    system.finish_epoch()
    assert float(system.misfit) < 1e-3
    learnt = np.asarray(spectra_of(system))
    order = [
        [
            int(np.argmax(learnt[p] @ true[p, k] / np.linalg.norm(learnt[p], axis=1)))
            for k in range(RANK)
        ]
        for p in (0, 1)
    ]
    for part in range(2):
        np.testing.assert_allclose(learnt[part][order[part]], true[part], atol=0.05)
    loudness = random.uniform(0.2, 2.0, (10, 2, RANK)).astype(np.float32)
    found = system.activations(np.einsum("npr,prb->nb", loudness, true))
    for part in range(2):
        np.testing.assert_allclose(found[:, part][:, order[part]], loudness[:, part], atol=0.05)


def test_more_updates_leave_less_unexplained_and_a_fit_forgets_the_last_one(system_of):
    misfits = []
    for updates in (1, 5, 25):
        system = trained(system_of(experiment(fit_iterations=updates)))
        misfits.append(float(system.misfit))
        learnt = np.array(spectra_of(system))
        system.finish_epoch()
        np.testing.assert_array_equal(learnt, spectra_of(system))
    assert misfits[2] < misfits[1] < misfits[0]


def test_what_is_logged_is_the_misfit_of_the_last_fit(system_of):
    system = trained(system_of(experiment()))
    for tracker in system.metrics:
        tracker.reset_state()
    assert (
        float(system.train_step(solos())["divergence"]) == pytest.approx(float(system.misfit)) != 0
    )


def test_the_sample_is_uniform_over_all_frames_so_far(system_of):
    system = system_of(experiment(pool=50))
    total = 200
    counts = np.zeros(total)
    for _ in range(20):
        system.keys.assign(np.full((2, 50), EMPTY))
        for first in range(0, total, 40):
            frames = np.repeat(
                np.arange(first, first + 40, dtype=np.float32)[None, :, None], 2, axis=0
            )
            system.sample(tf.constant(np.repeat(frames, BINS, axis=-1)))
        held = np.asarray(system.pool)[:, :, 0].astype(int)
        for part in range(2):
            assert len(set(held[part])) == 50  # no frame twice
            counts[held[part]] += 1
    early, late = counts[:100].sum(), counts[100:].sum()
    assert early + late == 20 * 2 * 50
    # four standard deviations of a fair draw, at most
    assert abs(early - late) < 4 * np.sqrt(20 * 2 * 50 / 4)


def test_the_sample_has_no_frame_where_there_was_none(system_of):
    system = system_of(experiment(pool=1000))
    system.train_step(solos())
    frames = 2 * (1024 // HOP + FRAME // HOP - 1)
    keys = np.asarray(system.keys)
    assert ((keys > EMPTY).sum(axis=1) == frames).all()
    assert np.asarray(system.pool)[keys == EMPTY].sum() == 0


def test_quiet_recordings_teach_as_much_as_loud_ones(system_of):
    loud, quiet = system_of(experiment()), system_of(experiment())
    loud.train_step(solos())
    quiet.train_step({"solo": 0.01 * solos()["solo"]})
    np.testing.assert_allclose(loud.pool, quiet.pool, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize(("weighting", "same"), [("equal", True), ("loudness", False)])
def test_frames_of_equal_weight_teach_the_same_at_any_level(weighting, same, system_of):
    """With equal weights, another level for each frame does not change the fit."""
    system = trained(system_of(experiment(weighting=weighting, pool=40)))
    plain, misfit = np.array(spectra_of(system)), float(system.misfit)
    gains = np.random.default_rng(5).uniform(0.1, 10.0, (2, 40, 1)).astype(np.float32)
    system.pool.assign(np.array(system.pool) * gains)
    system.finish_epoch()
    assert np.allclose(spectra_of(system), plain, rtol=1e-2, atol=1e-2) == same
    assert (float(system.misfit) == pytest.approx(misfit, rel=1e-3)) == same


def test_an_update_of_the_activations_is_that_of_the_authors_probability_model(system_of):
    """Expectation maximisation of distributions that sum to one gives the same masks."""
    system = system_of(experiment(iterations=15))
    magnitudes = np.random.default_rng(0).gamma(1.0, 1.0, (20, BINS))
    spectra = np.asarray(spectra_of(system), np.float64).reshape(-1, BINS)
    chances = spectra / spectra.sum(axis=1, keepdims=True)
    shares = np.asarray(
        np.broadcast_to(spectra.sum(axis=1) / spectra.sum(), (20, len(spectra)))
    )  # as activations of one have it
    observed = magnitudes / magnitudes.sum(axis=1, keepdims=True)
    for _ in range(15):
        shares = shares * ((observed / (shares @ chances)) @ chances.T)
        shares /= shares.sum(axis=1, keepdims=True)
    found = system.activations(magnitudes.astype(np.float32)).reshape(20, -1) * spectra.sum(axis=1)
    np.testing.assert_allclose(
        found / found.sum(axis=1, keepdims=True), shares, rtol=1e-3, atol=1e-5
    )


def test_in_the_paper_preset_all_frames_count_the_same():
    assert systems.preset("nmf", "paper").model.weighting == "equal"


def test_silent_recordings_teach_nothing(system_of):
    system = system_of(experiment())
    before = np.array(spectra_of(system))
    system.train_step({"solo": tf.zeros((2, 2, 1024, 1))})
    system.finish_epoch()
    np.testing.assert_array_equal(before, spectra_of(system))
