"""Standard errors over recordings and seeds, against closed forms and random draws."""

import numpy as np
import pytest

from tfsepgan.errors import ShapeError
from tfsepgan.metrics.uncertainty import mean_of_each, mean_with_error


def test_one_seed_gives_the_error_of_the_files_means():
    found = mean_with_error([1.0, 2.0, 6.0, -1.0])
    assert (found.mean, found.files, found.seeds) == (2.0, 4, 1)
    assert found.error == found.error_files == pytest.approx(np.sqrt(26 / 3 / 4))
    assert np.isnan(found.error_seeds)
    assert str(found) == "+2.00 ± 1.47"


def test_more_files_lower_the_error_and_more_mixtures_of_them_do_not():
    values = np.random.default_rng(0).standard_normal(6)
    once = mean_with_error(list(mean_of_each(values, list("abcdef")).values()))
    copies = mean_with_error(
        list(mean_of_each(np.repeat(values, 50), list(np.repeat(list("abcdef"), 50))).values())
    )
    assert (copies.mean, copies.error, copies.files) == pytest.approx((once.mean, once.error, 6))
    others = [f"{name}{k}" for k in range(4) for name in "abcdef"]
    more = mean_with_error(list(mean_of_each(np.tile(values, 4), others).values()))
    # n - 1 in the deviation and n in the mean
    assert more.error == pytest.approx(once.error * np.sqrt(5 / 23))


def test_every_file_counts_once():
    each = mean_of_each([1.0, 1.0, 1.0, 5.0], ["a", "a", "a", "b"])
    assert each == {"a": 1.0, "b": 5.0}
    assert mean_with_error(list(each.values())).mean == 3.0


def test_undefined_values_are_left_out_of_the_mean_of_a_file():
    each = mean_of_each([1.0, np.nan, 3.0, -np.inf], ["a", "a", "a", "b"])
    assert each["a"] == 2.0 and np.isnan(each["b"])
    with pytest.raises(ShapeError, match="3 values of 2 recordings"):
        mean_of_each([1, 2, 3], ["a", "b"])


def test_equal_seeds_do_not_change_the_error():
    files = np.array([1.0, 2.0, 6.0, -1.0])
    found = mean_with_error(np.repeat(files[:, None], 3, axis=1))
    assert found.error == pytest.approx(mean_with_error(files).error)
    assert found.error_seeds == pytest.approx(0.0, abs=1e-12)


def test_when_only_seeds_differ_the_error_is_that_of_the_seeds():
    seeds = np.array([0.0, 3.0, 6.0])
    found = mean_with_error(np.repeat(seeds[None], 5, axis=0))
    assert found.error == pytest.approx(3.0 / np.sqrt(3))
    assert found.error_files == pytest.approx(0.0, abs=1e-12)


def test_errors_of_additive_files_and_seeds_add_in_squares():
    files, seeds = np.array([0.0, 1.0, 5.0, 2.0]), np.array([0.0, 3.0, 1.0])
    found = mean_with_error(files[:, None] + seeds)
    squares = [np.var(side, ddof=1) / len(side) for side in (files, seeds)]
    assert found.error == pytest.approx(np.sqrt(sum(squares)))


def test_the_error_equals_that_of_an_analysis_of_variance():
    """Mean squares of files and seeds minus the remaining mean square, over the number of cells."""
    rng = np.random.default_rng(3)
    table = (
        3.0 * rng.standard_normal((6, 1))
        + 2.0 * rng.standard_normal((1, 4))
        + rng.standard_normal((6, 4))
    )
    by_file, by_seed = table.mean(axis=1), table.mean(axis=0)
    left = table - by_file[:, None] - by_seed[None] + table.mean()
    squares = 4 * np.var(by_file, ddof=1) + 6 * np.var(by_seed, ddof=1) - np.sum(left**2) / (5 * 3)
    assert mean_with_error(table).error == pytest.approx(np.sqrt(squares / table.size))


def test_the_error_equals_the_deviation_of_means_over_many_draws():
    rng = np.random.default_rng(1)
    count, files, seeds = 4000, 9, 3
    tables = 1.0 * rng.standard_normal((count, files, 1)) + 0.5 * rng.standard_normal(
        (count, 1, seeds)
    )
    tables = tables + 0.5 * rng.standard_normal((count, files, seeds))
    found = [mean_with_error(table) for table in tables]
    expected = np.sqrt(1 / 9 + 0.25 / 3 + 0.25 / 27)
    assert np.std([one.mean for one in found]) == pytest.approx(expected, rel=0.05)
    assert np.sqrt(np.mean([one.error**2 for one in found])) == pytest.approx(expected, rel=0.05)


def test_one_file_has_no_error():
    assert np.isnan(mean_with_error([[1.0, 2.0]]).error)
    assert str(mean_with_error([1.5])) == "+1.50"


@pytest.mark.parametrize("table", [[], [[1.0, np.nan]], [[[1.0]]]])
def test_a_table_without_a_mean_is_refused(table):
    with pytest.raises(ShapeError, match=r"wanted \[files, seeds\]"):
        mean_with_error(table)
