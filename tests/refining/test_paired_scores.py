"""Gains over many mixtures: their summary in closed form, and two models on the same mixtures."""

from types import SimpleNamespace

import numpy as np
import pytest

from tfsepgan.data.references.fixed_mixtures import Mixture
from tfsepgan.errors import DataError, ShapeError
from tfsepgan.refining import paired_scores
from tfsepgan.refining.paired_scores import (
    Summary,
    as_json,
    compare_models,
    gains_of,
    mixtures_to_score,
    summarize,
)


def mixture(name, piano, residual):
    return Mixture(
        name=name,
        mixture=piano + residual,
        sources={"piano": piano, "residual": residual},
        sample_rate_hz=16000,
    )


@pytest.fixture
def noise():
    return np.random.default_rng(0).normal(size=(2, 800, 1)).astype(np.float32)


def test_the_summary_of_gains_is_the_closed_form():
    found = summarize(np.array([1.0, 2.0, 6.0, -1.0]))
    assert found == Summary(2.0, pytest.approx(np.sqrt(26 / 3 / 4)), 1.5, 3, 4)


def test_one_mixture_has_no_standard_error():
    assert np.isnan(summarize(np.array([1.0])).error)


def test_a_model_gains_nothing_over_itself():
    results = list(compare_models(["piano", "piano"], "demo", splits=["test"], count=2, seconds=2))
    figures = as_json(results)["piano, test"]
    assert figures["over_first"]["mean"] == 0.0
    assert (figures["mixtures"], len(figures["gains"])) == (2, 2)
    assert figures["mean"] == pytest.approx(np.mean(figures["gains"]), abs=1e-3)


def test_mixtures_in_which_the_source_is_silent_or_alone_are_named_not_scored(monkeypatch, noise):
    piano, residual = noise
    silence = np.zeros_like(piano)
    made = [
        mixture("both", piano, residual),
        mixture("silent", silence, residual),
        mixture("alone", piano, silence),
    ]
    catalogue = SimpleNamespace(directory="DIR")
    amount = {"split": "test", "count": 3, "seconds": 1.0, "seed": 0}
    monkeypatch.setattr(paired_scores, "scoring_mixtures", lambda *_, **__: made)
    kept, left_out = mixtures_to_score(catalogue, "piano", 16000, **amount)
    assert ([item.name for item in kept], left_out) == (["both"], ("silent", "alone"))
    monkeypatch.setattr(paired_scores, "scoring_mixtures", lambda *_, **__: made[1:])
    with pytest.raises(DataError, match="silent or alone"):
        mixtures_to_score(catalogue, "piano", 16000, **amount)


def test_a_silent_source_is_an_error_that_names_the_mixture(noise):
    silent = mixture("012_waltz", np.zeros_like(noise[0]), noise[1])
    separator = SimpleNamespace(separate=lambda audio, rate_hz: {"piano": audio})
    with pytest.raises(ShapeError, match="012_waltz"):
        gains_of(separator, [silent], "piano")
