"""NMF that separates: masks, single frames, blocks, silence, and a resumed run."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from nmf_for_tests import BINS, FRAME, HOP, experiment, sines, solos, trained

from tfsepgan.separation.engine import BlockSeparator
from tfsepgan.training.checkpoint import restore_state, save_state


def test_it_separates_tones_that_it_learnt_apart(system_of):
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


@pytest.mark.parametrize("power", [1.0, 2.0])
def test_estimates_of_all_parts_sum_to_the_mixture(power, system_of):
    """With the others counted as a source, all estimates are the whole mixture."""
    system = trained(system_of(experiment(data={"sources": ("piano", "flute")}, mask_power=power)))
    mixture = np.random.default_rng(1).standard_normal((2, 1000, 1)).astype(np.float32)
    system.sources = ("piano", "flute", "others")
    np.testing.assert_allclose(system.separate(mixture).sum(axis=1), mixture, atol=1e-4)


@pytest.mark.parametrize("power", [1.0, 2.0])
def test_a_mask_is_a_parts_share_of_the_magnitudes_raised_to_the_power(power, system_of):
    system = trained(system_of(experiment(mask_power=power)))
    mixture = np.random.default_rng(1).standard_normal((1, 640, 1)).astype(np.float32)
    spectrum = np.asarray(system.spectra.analyse(mixture))
    magnitudes = np.asarray(system.spectra.magnitude(spectrum))[0]
    parts = np.asarray(system.dictionary(system.activations(magnitudes))) ** power
    mask = parts[:, 0] / parts.sum(axis=1)
    expected = system.spectra.synthesise((spectrum * np.tile(mask, 2))[:, None], 640)
    np.testing.assert_allclose(system.separate(mixture), expected, atol=1e-3)


def test_each_frame_is_explained_by_itself(system_of):
    system = trained(system_of(experiment()))
    random = np.random.default_rng(0)
    quiet = 1e-4 * random.gamma(1.0, 1.0, (5, BINS)).astype(np.float32)
    loud = random.gamma(1.0, 1.0, (50, BINS)).astype(np.float32)
    alone, together = (
        system.activations(quiet),
        system.activations(np.concatenate([loud, quiet]))[50:],
    )
    np.testing.assert_allclose(together, alone, rtol=1e-3, atol=1e-9)


def test_a_frame_of_context_is_enough_for_blocks(system_of):
    system = trained(system_of(experiment()))
    assert system.context == FRAME
    mixture = np.random.default_rng(5).standard_normal((1, 4001, 1)).astype(np.float32)
    engine = BlockSeparator(
        system.separate, channels=1, sources=1, hop=HOP, context=FRAME, block=4 * FRAME
    )
    blocks = np.concatenate([*engine.push(mixture[0]), *engine.finish()], axis=1)
    np.testing.assert_allclose(blocks, system.separate(mixture)[0], atol=2e-5)


def test_silence_separates_into_silence(system_of):
    system = trained(system_of(experiment()))
    mixture = np.zeros((1, 2000, 1), np.float32)
    assert not system.separate(mixture).any()


def test_resumed_equals_uninterrupted(system_of, tmp_path):
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
    for one, other in zip(whole.variables, again.variables, strict=True):
        np.testing.assert_array_equal(one, other, err_msg=one.path)
