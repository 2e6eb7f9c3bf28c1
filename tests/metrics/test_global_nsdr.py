"""GNSDR, GSIR and GSAR: closed forms, weights by length, and BSS Eval 3 as in museval."""

import numpy as np
import pytest

from tfsepgan.errors import ShapeError
from tfsepgan.metrics.bss import _museval, bss_eval_sources
from tfsepgan.metrics.global_nsdr import ClipScores, clip_scores, global_scores, mix_at_equal_energy


def clip(seed=0, samples=6000):
    random = np.random.default_rng(seed)
    voice, accompaniment, mixture = mix_at_equal_energy(
        random.standard_normal(samples), 3 * random.standard_normal(samples)
    )
    return np.stack([voice, accompaniment]), mixture


def test_the_mixture_gains_nothing():
    references, mixture = clip(samples=40_000)
    scores = clip_scores(references, np.stack([mixture, mixture]), mixture)
    np.testing.assert_allclose(scores.nsdr, 0.0, atol=1e-9)
    # equal energy, apart from what 512 taps explain by chance
    np.testing.assert_allclose(scores.sir, 0.0, atol=0.2)
    assert scores.samples == 40_000


def test_a_tenth_of_the_other_source_gives_20_db_of_sir_and_nsdr():
    references, mixture = clip(samples=40_000)
    scores = clip_scores(references, references + 0.1 * references[::-1], mixture)
    np.testing.assert_allclose(scores.nsdr, 20.0, atol=0.2)
    np.testing.assert_allclose(scores.sir, 20.0, atol=0.2)


def test_volume_and_sign_change_nothing():
    references, mixture = clip()
    estimates = references + 0.3 * references[::-1] + 0.05 * clip(1)[0]
    once = clip_scores(references, estimates, mixture)
    scaled = clip_scores(references, np.array([[-7.0], [0.01]]) * estimates, 0.5 * mixture)
    for one, other in zip(once[1:], scaled[1:], strict=True):
        np.testing.assert_allclose(one, other, atol=1e-6)


def test_means_are_weighted_by_length():
    clips = [
        ClipScores(100, *np.array([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]])),
        ClipScores(300, *np.array([[9.0, 2.0], [7.0, 0.0], [1.0, 2.0]])),
    ]
    scores = global_scores(clips)
    np.testing.assert_allclose(scores.gnsdr, [(100 * 1 + 300 * 9) / 400, 2.0])
    np.testing.assert_allclose(scores.gsir, [(300 + 2100) / 400, 1.0])
    np.testing.assert_allclose(scores.gsar, [2.0, 3.0])
    assert scores.clips == 2
    with pytest.raises(ShapeError, match="no clips"):
        global_scores([])


def test_clips_are_mixed_at_equal_energy_and_within_full_scale():
    time = np.arange(1000)
    voice, accompaniment = np.sin(time), 4 * np.cos(3 * time)
    scaled, other, mixture = mix_at_equal_energy(voice, accompaniment)
    assert np.sum(scaled**2) == pytest.approx(np.sum(other**2))
    np.testing.assert_allclose(mixture, scaled + other)
    assert np.abs(mixture).max() == pytest.approx(1.0)
    # nothing to scale down
    assert mix_at_equal_energy(0.1 * voice, accompaniment)[0] == pytest.approx(0.1 * voice)
    with pytest.raises(ShapeError, match="silent"):
        mix_at_equal_energy(0 * voice, accompaniment)
    with pytest.raises(ShapeError, match=r"wanted the same \[time\]"):
        mix_at_equal_energy(voice[1:], accompaniment)


def test_scores_equal_those_of_museval_in_the_given_order():
    references = clip()[0]
    estimates = references + 0.3 * references[::-1] + 0.1 * clip(1)[0]
    scores = bss_eval_sources(references, estimates)
    sdr, sir, sar, order = _museval().bss_eval_sources(references, estimates)
    assert np.ravel(order).tolist() == [0, 1] and np.isnan(scores.isr).all()
    for found, wanted in ((scores.sdr, sdr), (scores.sir, sir), (scores.sar, sar)):
        np.testing.assert_allclose(found, np.ravel(wanted))
    swapped = bss_eval_sources(references, estimates[::-1])
    assert (swapped.sdr < 0).all()


def test_silence_and_other_shapes_are_refused():
    references = clip()[0]
    with pytest.raises(ShapeError, match="estimate 1 of 2 is silent"):
        bss_eval_sources(references, references * [[1], [0]])
    with pytest.raises(ShapeError, match="reference 0 of 2 is silent"):
        bss_eval_sources(references * [[0], [1]], references)
    with pytest.raises(ShapeError, match=r"wanted the same \[sources, time\]"):
        bss_eval_sources(references[0], references[0])
    with pytest.raises(ShapeError, match="mixture of shape"):
        clip_scores(references, references, references[0][1:])
