"""Gains over many mixtures: their summary in closed form, and the tool on the packaged recordings."""

import json
import sys

import numpy as np
import pytest
from tools_for_tests import from_tools


@pytest.fixture(scope="module")
def tool():
    return from_tools("score_many")


def test_the_summary_of_gains_is_the_closed_form(tool):
    told = tool.summary(np.array([1.0, 2.0, 6.0, -1.0]))
    assert told == tool.Summary(2.0, pytest.approx(np.sqrt(26 / 3 / 4)), 1.5, 3, 4)


def test_a_model_gains_nothing_over_itself(tool, tmp_path, monkeypatch):
    output = tmp_path / "gains.json"
    amount = ["--splits", "test", "--mixtures", "2", "--seconds", "2", "--output", str(output)]
    monkeypatch.setattr(
        sys, "argv", ["score_many", "--data", "demo", "--models", "piano", "piano", *amount]
    )
    tool.main()
    written = json.loads(output.read_text())["piano, test"]
    assert (written["over_first"]["mean"], written["mixtures"], len(written["gains"])) == (
        0.0,
        2,
        2,
    )
    assert written["mean"] == pytest.approx(np.mean(written["gains"]), abs=1e-3)
