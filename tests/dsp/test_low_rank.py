import re

import numpy as np
import pytest

from tfsepgan.dsp.low_rank import LowRank, approximation, low_rank_shares, random_start, sharpened


def fitted(values, config, draw):
    """Return the approximation of values from random numbers."""
    return approximation(values, random_start(values, config, draw), config.iterations)


def divergence(values, product):
    """That of Kullback and Leibler."""
    return float(np.sum(values * np.log(values / product) - values + product))


def few_spectra(parts=2, frames=60, bins=40, rank=3, seed=0):
    draw = np.random.default_rng(seed)
    return np.stack(
        [draw.random((frames, rank)) ** 4 @ draw.random((rank, bins)) ** 4 for _ in range(parts)]
    ).astype(np.float32)


def of_all(parts, config, *, bins):
    """The shares of one group."""
    (shares,) = low_rank_shares([parts], config, bins=bins, own=slice(None))
    return shares


def test_every_iteration_comes_closer():
    values = few_spectra()[0] + np.float32(1e-3)
    errors = [
        divergence(values, fitted(values, config, np.random.default_rng(0)))
        for config in (LowRank(rank=3, iterations=count) for count in (1, 2, 5, 20, 200))
    ]
    assert errors == sorted(errors, reverse=True)
    assert errors[-1] < 0.02 * errors[0]


def test_an_update_is_that_of_lee_and_seung():
    """Levels first, then spectra, by matrices in float64."""
    values = few_spectra()[0]
    found = fitted(values, LowRank(rank=2, iterations=1), np.random.default_rng(3))
    draw = np.random.default_rng(3)
    spectra = draw.random((2, 40), np.float32).astype(float) + 0.1
    levels = (draw.random((60, 2), np.float32).astype(float) + 0.1) * 2 * values.mean() / 2
    levels = levels * ((values / (levels @ spectra)) @ spectra.T) / spectra.sum(axis=1)
    spectra = spectra * (levels.T @ (values / (levels @ spectra))) / levels.sum(axis=0)[:, None]
    np.testing.assert_allclose(found, levels @ spectra, rtol=2e-3, atol=1e-5)


def test_shares_are_nearer_to_those_of_parts_with_few_spectra():
    parts = few_spectra()
    noise = np.random.default_rng(1).uniform(0.3, 3, parts.shape).astype(np.float32)
    shares = of_all(noise * parts, LowRank(rank=3, iterations=60), bins=40)
    np.testing.assert_allclose(shares.sum(axis=0), 1, atol=1e-5)
    true, before = sharpened(parts, 1), sharpened(noise * parts, 1)
    assert np.abs(shares - true).mean() < 0.7 * np.abs(before - true).mean()


def test_bins_above_keep_their_shares():
    parts = few_spectra()
    shares = of_all(parts, LowRank(rank=2, sharpness=2.0), bins=10)
    np.testing.assert_allclose(shares[..., 10:], sharpened(parts, 2.0)[..., 10:], rtol=1e-5)
    square = parts[..., 10:] ** 2
    np.testing.assert_allclose(shares[..., 10:], square / square.sum(axis=0), rtol=1e-4)


def test_groups_are_approximated_together():
    parts, config = few_spectra(), LowRank(rank=3)
    whole = of_all(parts, config, bins=30)
    groups = np.split(parts, 6, axis=1)
    some = low_rank_shares(groups, config, bins=30, own=slice(2, 4))
    np.testing.assert_array_equal(np.concatenate(some, axis=1), whole[:, 20:40])


def test_a_round_starts_from_the_shares_of_the_one_before():
    """The random numbers go on, so the second round is that of `approximation` twice."""
    parts, config = few_spectra(), LowRank(rank=3, rounds=2)
    draw, total = np.random.default_rng(0), parts.sum(axis=0)
    shares = sharpened(parts, 1)
    for _ in range(2):
        fits = np.stack([fitted(one, config, draw) for one in shares * total / total.mean()])
        shares = fits / fits.sum(axis=0)
    np.testing.assert_allclose(of_all(parts, config, bins=40), shares, atol=1e-4)


def test_a_silent_part_has_no_share_and_silence_has_none():
    parts = few_spectra()
    parts[1] = 0
    np.testing.assert_allclose(of_all(parts, LowRank(), bins=40)[0], 1, atol=1e-5)
    assert not of_all(np.zeros_like(parts), LowRank(), bins=40).any()


@pytest.mark.parametrize("name", ["rank", "iterations", "rounds", "sharpness", "below_hz"])
@pytest.mark.parametrize("value", [0, 2e6, float("nan")])
def test_numbers_that_fit_nothing_are_refused(name, value):
    with pytest.raises(
        ValueError, match=re.escape(f"{name} is {value}; wanted a number above 0, at most")
    ):
        LowRank(**{name: value})
