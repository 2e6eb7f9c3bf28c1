"""NMF against a twin in NumPy and known dictionaries; its fair sample of frames; masks, blocks, and
going on where it stopped."""

from dataclasses import replace

import keras
import numpy as np
import pytest
import scipy.special
import tensorflow as tf

from tfsepgan import systems
from tfsepgan.separation.engine import BlockSeparator
from tfsepgan.systems.nmf import EMPTY
from tfsepgan.training.checkpoint import restore_state, save_state

FRAME, HOP, RANK, BINS = 256, 64, 3, 129


@pytest.fixture
def experiment():
    """Gives the preset `tiny` on short windows, with settings changed by name."""

    def make(*, data=None, **model):
        base = systems.preset("nmf", "tiny")
        model = {"frame": FRAME, "hop": HOP, "rank": RANK, **model}
        return replace(
            base,
            model=replace(base.model, **model),
            data=replace(base.data, **{"window": 1024, "batch": 2, **(data or {})}),
        )

    return make


def solos(seed=0, parts=2):
    return {
        "solo": tf.constant(
            0.1 * np.random.default_rng(seed).standard_normal((2, parts, 1024, 1)).astype("f")
        )
    }


def spectra_of(system):
    return system.dictionary.get_layer("dictionary").spectra


def trained(system, steps=3):
    for seed in range(steps):
        system.train_step(solos(seed, len(system.sources) + 1))
    system.finish_epoch()
    return system


def sines(pitches, time=4096, seed=0):
    """Steady tones that start and end at random, `[1, time, 1]`, each seldom with the others."""
    random, t = np.random.default_rng(seed), np.arange(time)
    wave = np.zeros(time)
    for start in range(0, time, 512):
        pitch = random.choice(pitches)
        wave[start : start + 512] += np.sin(2 * np.pi * pitch * t[start : start + 512] / FRAME)
    return 0.2 * wave[None, :, None].astype(np.float32)


def test_activations_are_those_of_multiplicative_updates(experiment, system_of):
    system = system_of(experiment(iterations=15))
    magnitudes = np.random.default_rng(0).gamma(1.0, 1.0, (20, BINS)).astype(np.float32)
    spectra = np.asarray(spectra_of(system), np.float64).reshape(-1, BINS)
    found = np.ones((20, len(spectra)))
    for _ in range(15):
        found *= ((magnitudes / (found @ spectra)) @ spectra.T) / spectra.sum(axis=1)
    got = system.activations(magnitudes)
    assert got.shape == (20, 2, RANK)
    np.testing.assert_allclose(got.reshape(20, -1), found, rtol=1e-3, atol=1e-4)


def test_a_fit_is_that_of_multiplicative_updates(experiment, system_of):
    """Of activations alone, which forget what they start from, then of both in turn."""
    system = system_of(experiment(fit_iterations=5))
    random = np.random.default_rng(0)
    heard, start = random.gamma(1.0, 1.0, (30, BINS)), random.uniform(0.5, 1.5, (RANK, BINS))
    activations, spectra = np.ones((30, RANK)), start.copy()
    for learning in 5 * [False] + 5 * [True]:
        activations *= ((heard / (activations @ spectra)) @ spectra.T) / spectra.sum(axis=1)
        if learning:
            spectra *= (activations.T @ (heard / (activations @ spectra))) / activations.sum(
                axis=0
            )[:, None]
    got, misfit = system.fit_dictionary(heard.astype(np.float32), start.astype(np.float32))
    np.testing.assert_allclose(
        got, spectra / spectra.mean(axis=1, keepdims=True), rtol=1e-3, atol=1e-4
    )
    assert misfit == pytest.approx(
        np.mean(scipy.special.kl_div(heard, activations @ spectra)), rel=1e-3
    )


def test_known_spectra_are_found_again_and_so_is_how_loud_each_sounds(experiment, system_of):
    """Frames in which one spectrum at a time sounds determine the dictionary; then a mixture
    determines its activations."""
    system = system_of(experiment(fit_iterations=200, iterations=500, pool=60))
    random = np.random.default_rng(3)
    true = np.zeros((2, RANK, BINS), np.float32)
    for part in range(2):
        for index in range(RANK):
            low = 20 * (RANK * part + index)
            true[part, index, low : low + 25] = random.uniform(0.5, 2.0, 25)
    true /= true.mean(axis=-1, keepdims=True)
    sounding = np.eye(RANK, dtype=np.float32)[np.arange(60) % RANK] * random.uniform(
        0.5, 2.0, (60, 1)
    ).astype("f")
    system.pool.assign(np.stack([sounding @ true[part] for part in range(2)]))
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


def test_more_updates_leave_less_unexplained_and_a_fit_forgets_the_last_one(experiment, system_of):
    misfits = []
    for updates in (1, 5, 25):
        system = trained(system_of(experiment(fit_iterations=updates)))
        misfits.append(float(system.misfit))
        learnt = np.array(spectra_of(system))
        system.finish_epoch()
        np.testing.assert_array_equal(learnt, spectra_of(system))
    assert misfits[2] < misfits[1] < misfits[0]


def test_what_is_logged_is_the_misfit_of_the_last_fit(experiment, system_of):
    system = trained(system_of(experiment()))
    for tracker in system.metrics:
        tracker.reset_state()
    assert (
        float(system.train_step(solos())["divergence"]) == pytest.approx(float(system.misfit)) != 0
    )


def test_it_separates_tones_that_it_learnt_apart(experiment, system_of):
    system = system_of(
        experiment(data={"window": 4096}, fit_iterations=100, iterations=100, mask_power=2.0)
    )
    pitches = ([5.0, 9.0, 14.0], [21.0, 30.0, 44.0])
    for seed in range(4):
        alone = [sines(one, seed=seed) for one in pitches]
        system.train_step(
            {"solo": tf.constant(np.stack([np.repeat(a, 2, axis=0) for a in alone], axis=1))}
        )
    system.finish_epoch()
    target, other = sines(pitches[0], seed=50), sines(pitches[1], seed=51)
    estimate = system.separate(target + other)[:, 0]
    error_db = 10 * np.log10(np.sum(target**2) / np.sum((estimate - target) ** 2))
    assert error_db > 15


def test_the_sample_is_of_all_that_was_heard_each_as_likely(experiment, system_of):
    system = system_of(experiment(pool=50))
    heard = 200
    counts = np.zeros(heard)
    for _ in range(20):
        system.keys.assign(np.full((2, 50), EMPTY))
        for first in range(0, heard, 40):
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


def test_the_sample_does_not_fill_with_nothing(experiment, system_of):
    system = system_of(experiment(pool=1000))
    system.train_step(solos())
    frames = 2 * (1024 // HOP + FRAME // HOP - 1)
    keys = np.asarray(system.keys)
    assert ((keys > EMPTY).sum(axis=1) == frames).all()
    assert np.asarray(system.pool)[keys == EMPTY].sum() == 0


def test_quiet_recordings_teach_as_much_as_loud_ones(experiment, system_of):
    loud, quiet = system_of(experiment()), system_of(experiment())
    loud.train_step(solos())
    quiet.train_step({"solo": 0.01 * solos()["solo"]})
    np.testing.assert_allclose(loud.pool, quiet.pool, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize(("weighting", "same"), [("equal", True), ("loudness", False)])
def test_frames_of_equal_weight_teach_the_same_at_any_level(weighting, same, experiment, system_of):
    """Each frame of the pool at a level of its own: a fit in which all count the same does not
    change."""
    system = trained(system_of(experiment(weighting=weighting, pool=40)))
    plain, misfit = np.array(spectra_of(system)), float(system.misfit)
    gains = np.random.default_rng(5).uniform(0.1, 10.0, (2, 40, 1)).astype(np.float32)
    system.pool.assign(np.array(system.pool) * gains)
    system.finish_epoch()
    assert np.allclose(spectra_of(system), plain, rtol=1e-2, atol=1e-2) == same
    assert (float(system.misfit) == pytest.approx(misfit, rel=1e-3)) == same


def test_an_update_of_the_activations_is_that_of_the_authors_probability_model(
    experiment, system_of
):
    """Frames, spectra and activations that each sum to one, updated as expectation and maximisation
    do, give the same masks."""
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


def test_the_paper_counts_every_frame_the_same():
    assert systems.preset("nmf", "paper").model.weighting == "equal"


def test_silent_recordings_teach_nothing(experiment, system_of):
    system = system_of(experiment())
    before = np.array(spectra_of(system))
    system.train_step({"solo": tf.zeros((2, 2, 1024, 1))})
    system.finish_epoch()
    np.testing.assert_array_equal(before, spectra_of(system))


@pytest.mark.parametrize("power", [1.0, 2.0])
def test_stems_of_all_parts_sum_to_the_mixture(power, experiment, system_of):
    """Asked for both parts as sources, of a model that was told of three."""
    system = trained(system_of(experiment(data={"sources": ("piano", "flute")}, mask_power=power)))
    mixture = np.random.default_rng(1).standard_normal((2, 1000, 1)).astype(np.float32)
    system.sources = ("piano", "flute", "rest")
    np.testing.assert_allclose(system.separate(mixture).sum(axis=1), mixture, atol=1e-4)


@pytest.mark.parametrize("power", [1.0, 2.0])
def test_a_mask_is_a_parts_share_of_the_magnitudes_raised_to_the_power(
    power, experiment, system_of
):
    system = trained(system_of(experiment(mask_power=power)))
    mixture = np.random.default_rng(1).standard_normal((1, 640, 1)).astype(np.float32)
    spectrum = np.asarray(system.spectra.analyse(mixture))
    magnitudes = np.asarray(system.spectra.magnitude(spectrum))[0]
    parts = np.asarray(system.dictionary(system.activations(magnitudes))) ** power
    mask = parts[:, 0] / parts.sum(axis=1)
    expected = system.spectra.synthesise((spectrum * np.tile(mask, 2))[:, None], 640)
    np.testing.assert_allclose(system.separate(mixture), expected, atol=1e-3)


def test_frames_are_explained_one_by_one_whatever_else_there_is(experiment, system_of):
    system = trained(system_of(experiment()))
    random = np.random.default_rng(0)
    quiet = 1e-4 * random.gamma(1.0, 1.0, (5, BINS)).astype(np.float32)
    loud = random.gamma(1.0, 1.0, (50, BINS)).astype(np.float32)
    alone, together = (
        system.activations(quiet),
        system.activations(np.concatenate([loud, quiet]))[50:],
    )
    np.testing.assert_allclose(together, alone, rtol=1e-3, atol=1e-9)


def test_a_frame_of_context_is_all_that_blocks_need(experiment, system_of):
    system = trained(system_of(experiment()))
    assert system.context == FRAME
    mixture = np.random.default_rng(5).standard_normal((1, 4001, 1)).astype(np.float32)
    engine = BlockSeparator(
        system.separate, channels=1, sources=1, hop=HOP, context=FRAME, block=4 * FRAME
    )
    blocks = np.concatenate([*engine.push(mixture[0]), *engine.finish()], axis=1)
    np.testing.assert_allclose(blocks, system.separate(mixture)[0], atol=2e-5)


def test_silence_separates_into_silence(experiment, system_of):
    system = trained(system_of(experiment()))
    mixture = np.zeros((1, 2000, 1), np.float32)
    assert not system.separate(mixture).any()


def test_resumed_equals_uninterrupted(experiment, system_of, tmp_path):
    whole, first = trained(system_of(experiment())), trained(system_of(experiment()))
    save_state(tmp_path, first, {})
    keras.backend.clear_session()
    again = system_of(experiment())
    restore_state(tmp_path, again)
    for system in (whole, again):
        for seed in (3, 4):
            system.train_step(solos(seed))
        system.finish_epoch()
    assert not np.array_equal(whole.pool, first.pool)
    for mine, theirs in zip(whole.variables, again.variables, strict=True):
        np.testing.assert_array_equal(mine, theirs, err_msg=mine.path)
