"""The mixing laws against their closed forms."""

import numpy as np
import pytest

from tfsepgan.data.batches.mixing_laws import Mixed, finish, paper_law, root_mean_square, snr_law
from tfsepgan.errors import ShapeError

TIME = 5000


def noise(*shape: int, seed: int = 0, level: float = 0.1) -> np.ndarray:
    return np.random.default_rng(seed).normal(scale=level, size=(*shape, TIME)).astype(np.float32)


def level_db(samples: np.ndarray) -> float:
    return 20 * np.log10(np.sqrt(np.mean(samples.astype(np.float64) ** 2)))


@pytest.mark.parametrize("size", [1, 511, 512, 513, 131072])
def test_root_mean_square_of_a_constant_is_it(size):
    assert root_mean_square(np.full(size, -0.25, np.float32)) == pytest.approx(0.25, rel=1e-6)


def test_root_mean_square_of_nothing_is_zero():
    assert root_mean_square(np.zeros(0, np.float32)) == 0.0


@pytest.mark.parametrize("a", [0.0, 0.3, 1.0])
def test_paper_law_is_a_other_plus_one_minus_a_target(a):
    target, other = noise(1, seed=1), noise(1, seed=2)
    sources, residual = paper_law(target, other, weights=np.array([1 - a, a]))
    np.testing.assert_allclose(sources[0], (1 - a) * target[0], rtol=1e-6)
    mixture = finish(sources, residual).mixture
    np.testing.assert_allclose(mixture, a * other[0] + (1 - a) * target[0], atol=1e-7)


@pytest.mark.parametrize("snr", [-12.0, 0.0, 6.0])
@pytest.mark.parametrize("n", [1, 3])
def test_snr_law_sets_the_given_level(snr, n):
    target, others = noise(1, seed=1), noise(n, seed=2, level=0.03)
    spread = np.linspace(-6, 6, n)
    sources, residual = snr_law(target, others, snr_db=np.array([snr]), spread_db=spread)
    assert level_db(sources[0]) - level_db(residual) == pytest.approx(snr, abs=1e-4)
    np.testing.assert_allclose(sources, target, rtol=1e-6)


def test_snr_law_spreads_the_others_by_the_given_levels():
    target, others = noise(1), np.zeros((2, TIME), np.float32)
    others[0, : TIME // 2] = 0.5
    others[1, TIME // 2 :] = 0.001
    _, residual = snr_law(target, others, snr_db=np.zeros(1), spread_db=np.array([3.0, -3.0]))
    assert level_db(residual[: TIME // 2]) - level_db(residual[TIME // 2 :]) == pytest.approx(
        6.0, abs=1e-4
    )


def test_snr_law_sets_each_of_two_sources_against_the_others():
    targets = np.concatenate([noise(1, seed=1), noise(1, seed=2, level=0.4)])
    sources, residual = snr_law(
        targets, noise(2, seed=3), snr_db=np.array([4.0, -5.0]), spread_db=np.zeros(2)
    )
    assert level_db(sources[0]) - level_db(residual) == pytest.approx(4.0, abs=1e-4)
    assert level_db(sources[1]) - level_db(residual) == pytest.approx(-5.0, abs=1e-4)
    assert level_db(sources[0]) == pytest.approx(level_db(targets[0]), abs=1e-4)


def test_without_others_sources_are_levelled_against_the_first():
    targets = np.concatenate([noise(1, seed=1), noise(1, seed=2, level=0.4)])
    nothing = np.zeros((0, TIME), np.float32)
    sources, residual = snr_law(
        targets, nothing, snr_db=np.array([1.0, -2.0]), spread_db=np.zeros(0)
    )
    assert level_db(sources[1]) - level_db(sources[0]) == pytest.approx(-3.0, abs=1e-4)
    assert not residual.any()


def test_noise_below_silence_is_neither_levelled_nor_a_level():
    targets = np.concatenate([noise(1, seed=1, level=1e-5), noise(1, seed=2)])
    others = np.concatenate([noise(1, seed=3), noise(1, seed=4, level=1e-5)])
    levels = {"snr_db": np.array([0.0, 3.0]), "spread_db": np.zeros(2)}
    sources, residual = snr_law(targets, others, **levels, silence_db=-60.0)
    assert not sources[0].any()
    np.testing.assert_allclose(sources[1], targets[1], rtol=1e-5)
    assert level_db(sources[1]) - level_db(residual) == pytest.approx(3.0, abs=1e-4)
    assert np.corrcoef(residual, others[0])[0, 1] == pytest.approx(1, abs=1e-6)


@pytest.mark.parametrize("silent", ["target", "others"])
def test_silence_stays_silent_and_the_rest_keeps_its_loudness(silent):
    target, others = noise(1, seed=1), noise(1, seed=2)
    (target if silent == "target" else others)[:] = 0
    sources, residual = snr_law(target, others, snr_db=np.array([5.0]), spread_db=np.array([2.0]))
    kept, recorded = (residual, others[0]) if silent == "target" else (sources[0], target[0])
    np.testing.assert_allclose(kept, recorded, rtol=1e-5)
    assert not (sources if silent == "target" else residual).any()


@pytest.mark.parametrize("level", [0.01, 0.1, 10.0])
@pytest.mark.parametrize("sources", [1, 3])
def test_the_mixture_is_exactly_the_sum_of_its_parts(level, sources):
    mixed = finish(noise(sources, seed=1, level=level), noise(seed=2, level=level))
    total = mixed.sources[0].copy()
    for part in (*mixed.sources[1:], mixed.residual):
        total += part
    np.testing.assert_array_equal(mixed.mixture, total)


def test_gain_moves_all_parts():
    levels = {"snr_db": np.array([3.0]), "spread_db": np.array([1.0, -2.0])}
    plain = snr_law(noise(1, seed=1), noise(2, seed=2), **levels)
    moved = snr_law(noise(1, seed=1), noise(2, seed=2), **levels, gain_db=-6.0)
    for one, other in zip(plain, moved, strict=True):
        np.testing.assert_allclose(other, one * 10 ** (-6 / 20), rtol=1e-5, atol=1e-8)


def test_a_loud_mixture_ends_at_full_scale_and_a_quiet_one_stays():
    loud = finish(noise(1, seed=1, level=10), noise(seed=2, level=10))
    assert 0.999 < np.max(np.abs(loud.mixture)) <= 1.0
    quiet = noise(1, seed=1), noise(seed=2)
    np.testing.assert_array_equal(finish(*quiet).sources, quiet[0])


def test_limiting_scales_all_parts_alike():
    sources, residual = noise(2, seed=1, level=10), noise(seed=2, level=10)
    mixed = finish(sources, residual)
    factor = mixed.residual[0] / residual[0]
    np.testing.assert_allclose(mixed.sources, sources * factor, rtol=1e-5)


@pytest.mark.parametrize("level", [0.1, 10.0])
def test_parts_put_where_the_targets_were_are_the_same_bits(level):
    targets, others = noise(2, seed=1, level=level), noise(3, seed=2, level=level)
    laws = (
        (
            snr_law,
            {
                "snr_db": np.array([2.0, -1.0]),
                "spread_db": np.array([0.0, 5.0, -5.0]),
                "gain_db": 3.0,
            },
        ),
        (paper_law, {"weights": np.array([0.2, 0.5, 0.3])}),
    )
    for law, settings in laws:
        fresh = finish(*law(targets, others, **settings))
        out = Mixed(np.empty(TIME, np.float32), targets.copy(), np.empty(TIME, np.float32))
        finish(*law(out.sources, others, **settings, out=(out.sources, out.residual)), out=out)
        for one, other in zip(fresh, out, strict=True):
            np.testing.assert_array_equal(one, other)


def test_inputs_are_left_alone():
    target, others = noise(1, seed=1), noise(2, seed=2)
    before = target.copy(), others.copy()
    finish(*snr_law(target, others, snr_db=np.zeros(1), spread_db=np.zeros(2), gain_db=40.0))
    paper_law(target, others, weights=np.array([0.5, 0.5]))
    np.testing.assert_array_equal(target, before[0])
    np.testing.assert_array_equal(others, before[1])


def test_shapes_that_do_not_fit_are_named():
    with pytest.raises(ShapeError, match=r"got \[1, 5000\] and \[1, 4999\]"):
        paper_law(noise(1), noise(1)[:, :-1], weights=np.array([0.5, 0.5]))
