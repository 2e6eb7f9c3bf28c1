"""Trials are exact training runs; trials that diverge, fail or are poor end early."""

import io

import numpy as np
import pytest
from rich.console import Console

from tfsepgan.errors import DataError, TfsepganError
from tfsepgan.settings.search import Choice, Range
from tfsepgan.tuning import trials
from tfsepgan.tuning.records import read_records
from tfsepgan.tuning.trials import run_trial

CONSOLE = Console(file=io.StringIO())

pytestmark = pytest.mark.usefixtures("step_by_step")


def test_a_continued_trial_ends_like_an_uninterrupted_run(
    plan_of, light, new_run, catalogue, saved_state, tmp_path
):
    start = light(steps=4, steps_per_epoch=2, schedule="cosine")
    plan = plan_of(
        {"learning_rate": Choice(values=(2e-3,))}, start=start, algorithm="hyperband", factor=2
    )
    values = {"learning_rate": 2e-3}
    first = run_trial(plan, 1, values, catalogue, CONSOLE, epochs=1)
    second = run_trial(plan, 2, values, catalogue, CONSOLE, epochs=2, after=first)
    assert (first.step, first.rung, first.whole, first.outcome) == (2, 2, False, "finished")
    assert (second.step, second.rung, second.whole, second.folder) == (4, None, True, first.folder)
    same = light(steps=4, steps_per_epoch=2, schedule="cosine", learning_rate=2e-3)
    outcome = new_run(same, tmp_path / "run").train()
    assert second.score == pytest.approx(outcome.best["score"], abs=1e-5)
    state, uninterrupted = saved_state(plan.directory / first.folder), saved_state(tmp_path / "run")
    for name, values in uninterrupted.items():
        np.testing.assert_allclose(state[name], values, rtol=0, atol=1e-6, err_msg=name)
    assert (
        run_trial(plan, 2, values, catalogue, CONSOLE) == second
    )  # a trial with a record is only read


def test_a_trial_that_diverges_has_no_score(plan_of, catalogue, no_curves, light):
    plan = plan_of(
        {"learning_rate": Choice(values=(1e30,))}, start=light(steps=8, steps_per_epoch=4)
    )
    record = run_trial(plan, 1, {"learning_rate": 1e30}, catalogue, CONSOLE)
    assert (record.outcome, record.score, record.whole) == ("diverged", None, False)
    assert "stopped being finite" in record.why
    assert read_records(plan.directory) == [record]


def test_a_poor_trial_ends_early_but_the_preset_does_not(plan_of, catalogue, no_curves, light):
    start = light(steps=3, steps_per_epoch=1)
    plan = plan_of(
        {"learning_rate": Choice(values=(1e-5,))}, start=start, poor_db=0.01, poor_epochs=2
    )
    assert plan.is_poor([{"val/si_sdr_improvement_db": -1.0}] * 2)
    assert not plan.is_poor([{"val/si_sdr_improvement_db": -1.0}])
    assert not plan.is_poor([{"val/si_sdr_improvement_db": value} for value in (-1.0, 0.0)])
    record = run_trial(plan, 1, {"learning_rate": 1e-5}, catalogue, CONSOLE)
    assert (record.outcome, record.step, record.whole) == ("poor", 2, False)
    assert record.score < -0.01
    assert run_trial(plan, 0, {}, catalogue, CONSOLE).step == 3


def test_invalid_settings_fail_their_trial_only(plan_of, catalogue, light):
    plan = plan_of(
        {"generator.hop": Choice(values=(100,))}, start=light(steps=2, steps_per_epoch=2)
    )
    record = run_trial(plan, 1, {"generator.hop": 100}, catalogue, CONSOLE)
    assert (record.outcome, record.step) == ("failed", 0)
    assert "multiple of the hop" in record.why


def test_an_error_of_the_recordings_ends_the_search(plan_of, catalogue, light, monkeypatch):
    def broken(*arguments, **named):
        raise DataError("The disk went away.")

    monkeypatch.setattr(trials.Run, "train", broken)
    plan = plan_of(
        {"learning_rate": Range(low=1e-4, high=1e-1, log=True)},
        start=light(steps=2, steps_per_epoch=2),
    )
    with pytest.raises(TfsepganError, match="went away"):
        run_trial(plan, 1, {"learning_rate": 1e-3}, catalogue, CONSOLE)
    assert read_records(plan.directory) == []
