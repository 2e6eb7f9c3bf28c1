"""Networks trained alike: the same windows at one level, the learning rate by the time that is
spent, estimates at their places, and their scores."""

import json
import sys

import numpy as np
import pytest
from tools_for_tests import from_tools

COUNT, TIME = 5, 64


@pytest.fixture(scope="module")
def alike():
    return from_tools("alike")


@pytest.fixture
def folder(alike, tmp_path):
    """Windows and scored mixtures in which the source and the rest are orthogonal."""
    random = np.random.default_rng(0)
    source, rest = random.normal(size=(2, COUNT, TIME))
    rest -= source * (np.sum(source * rest, axis=1) / np.sum(source**2, axis=1))[:, None]
    rest *= np.sqrt(np.sum(source**2, axis=1) / np.sum(rest**2, axis=1))[:, None]
    both = np.stack([source, rest], axis=1).astype(np.float16)
    np.save(tmp_path / alike.WINDOWS, both)
    np.save(tmp_path / alike.SCORED, both)
    sets = [{"set": "a" if at < 3 else "b", "mixture": str(at)} for at in range(COUNT)]
    about = {"source": "piano", "sample_rate_hz": 8, "mixtures": sets}
    (tmp_path / "scored.json").write_text(json.dumps(about))
    return tmp_path


@pytest.fixture
def processor(alike, monkeypatch):
    """The processor's clock, which the test sets."""
    now = {"seconds": 100.0}
    monkeypatch.setattr(alike.time, "process_time", lambda: now["seconds"])
    return now


def test_windows_come_in_one_order_at_one_level_and_begin_again(alike, folder):
    windows = alike.Windows(folder, batch=2, crop=48)
    stored = np.load(folder / alike.WINDOWS).astype(np.float32)[..., :48]
    for step, rows in enumerate([(0, 1), (2, 3), (4, 0)]):
        mixture, source = windows.at(step)
        np.testing.assert_allclose(np.sqrt(np.mean(mixture**2, axis=1)), alike.LEVEL, rtol=1e-5)
        for place, row in enumerate(rows):
            gain = source[place, 0] / stored[row, 0, 0]
            np.testing.assert_allclose(source[place], gain * stored[row, 0], rtol=1e-4)
            whole = stored[row].sum(axis=0)
            np.testing.assert_allclose(mixture[place], gain * whole, rtol=1e-3, atol=1e-6)


def test_silence_is_not_divided_by(alike):
    assert np.isfinite(alike.gain_to_level(np.zeros((1, TIME), np.float32))).all()


def test_the_learning_rate_rises_and_falls_with_the_time_of_all_sittings(alike, processor):
    budget = alike.Budget(10.0, spent=0.0)
    start = budget.learning_rate()
    processor["seconds"] += 600 * alike.WARM_UP
    assert budget.learning_rate() == pytest.approx(alike.STEP_SIZE)
    assert 0 < start < alike.STEP_SIZE / 10
    processor["seconds"] = 100 + 600 * (1 + alike.WARM_UP) / 2
    half = budget.learning_rate()
    assert half == pytest.approx(alike.STEP_SIZE / 2)
    later = alike.Budget(10.0, spent=budget.spent)
    assert later.learning_rate() == pytest.approx(half)
    assert later.left
    processor["seconds"] += 600
    assert not later.left
    assert later.learning_rate() == pytest.approx(0, abs=1e-12)


def test_it_is_time_to_save_once_in_each_interval(alike, processor):
    budget = alike.Budget(60.0)
    assert not budget.save_now()
    processor["seconds"] += alike.SECONDS_BETWEEN_SAVES
    assert budget.save_now()
    assert not budget.save_now()


def test_a_training_ends_with_its_time_and_saves_its_end(alike, folder, processor):
    rates, saved = [], []

    def learn(mixture, source, rate):
        processor["seconds"] += 200
        rates.append(rate)
        return 0.0

    budget = alike.Budget(10.0, spent=60.0)
    windows = alike.Windows(folder, batch=2, crop=48)
    facts = alike.train_until_spent(learn, lambda *state: saved.append(state), windows, budget, 7)
    assert saved == [(9, 460.0), (10, 660.0)]
    assert rates == sorted(rates, reverse=True)
    assert facts["steps"] == 10
    assert (facts["batch"], facts["crop"]) == (2, 48)
    assert facts["processor_minutes"] == 11


def test_estimates_are_scored_at_their_places(alike, folder, monkeypatch, capsys):
    table = from_tools("table")
    stored = np.load(folder / alike.SCORED).astype(np.float32)
    rows = iter(stored)

    def half_of_the_rest(mixtures):
        made = []
        for mixture, (source, rest) in zip(mixtures, rows, strict=False):
            gain = np.linalg.norm(mixture) / np.linalg.norm(source + rest)
            made.append(gain * (source + rest / 2))
        return np.stack(made)

    facts = {"seed": 0, "parameters": 1, "steps": 1, "batch": 1, "processor_minutes": 1}
    runs = []
    for name, separate in {"same": lambda some: some, "half": half_of_the_rest}.items():
        monkeypatch.setattr(alike, "PASS", 5)
        run = folder / name
        run.mkdir()
        runs.append(str(run))
        alike.write_estimates(folder, run, separate, {"network": name, "memory_mb": 1, **facts})
        seen = json.loads((run / alike.FACTS).read_text())
        assert seen["separation_seconds"] >= 0
        seen["separation_seconds"] = 1.0
        (run / alike.FACTS).write_text(json.dumps(seen))
    output = folder / "table.json"
    command = ["table", "--windows", str(folder), "--runs", *runs, "--output", str(output)]
    monkeypatch.setattr(sys, "argv", command)
    table.main()
    same, half = json.loads(output.read_text())
    for name, count in {"a": 3, "b": 2}.items():
        assert same["gains"][name]["mean"] == pytest.approx(0, abs=0.02)
        assert half["gains"][name]["mean"] == pytest.approx(20 * np.log10(2), abs=0.02)
        assert half["gains"][name]["over_first"]["mean"] == pytest.approx(6.02, abs=0.03)
        assert half["gains"][name]["mixtures"] == count
    assert half["times_real_time"] == pytest.approx(COUNT * TIME / 8)
    assert "half, seed 0" in capsys.readouterr().out
