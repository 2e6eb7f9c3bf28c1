"""A search finds, goes on after a kill, and takes trials that diverge for what they are; trials are
exact training runs."""

import contextlib
import io
import json
import socket
import threading
import time

import numpy as np
import pytest
from rich.console import Console

from tfsepgan.errors import CheckpointError, ConfigError, DataError, TfsepganError
from tfsepgan.settings.search import Choice, Range, resolve
from tfsepgan.tuning import trials
from tfsepgan.tuning import tuner as tuning
from tfsepgan.tuning.samplers import oracle_of, trials_of
from tfsepgan.tuning.trials import (
    SEARCH,
    SearchPlan,
    decoded,
    encoded,
    prepare_search,
    read_records,
    run_trial,
)

RATE = {"learning_rate": Range(low=1e-4, high=1e-1, log=True)}
MANY = RATE | {"ema": Choice(values=(0.0, 0.9)), "generator.channels": Range(low=4, high=16)}
CONSOLE = Console(file=io.StringIO())


class Killed(BaseException):
    """Ends everything at once, as `kill -9` does; nothing catches it."""


@pytest.fixture
def plan_of(light, tmp_path):
    """A plan over `light` runs of four epochs."""

    def make(spans=MANY, *, directory="search", start=None, strict=True, **changes):
        start = start or light(steps=8, steps_per_epoch=2)
        return SearchPlan(
            start=start,
            space=resolve(spans, start, strict=strict),
            directory=tmp_path / directory,
            **changes,
        )

    return make


@pytest.fixture
def imagined(monkeypatch):
    """Trials that take no time: the nearer the learning rate to 0.01, the better, and longer ones
    better still."""
    seen = []

    def train(plan, record, catalogue, console):
        seen.append(record.trial)
        score = -abs(np.log10(record.values["learning_rate"]) + 2) + (record.rung or 8) / 100
        return record._replace(outcome="finished", score=float(score), step=record.rung or 8)

    monkeypatch.setattr(trials, "_train", train)
    monkeypatch.setattr(tuning, "ASKING_SECONDS", 0.01)
    return seen


def search(plan, catalogue=None):
    prepare_search(plan)
    tuning.run_search(plan, catalogue, CONSOLE)
    return read_records(plan.directory)


# Searching, with imagined trials.


@pytest.mark.parametrize("algorithm", ["random", "hyperband"])
def test_an_algorithm_tries_the_start_first_and_finds_better(algorithm, plan_of, imagined):
    plan = plan_of(algorithm=algorithm, trials=None if algorithm == "hyperband" else 10, factor=2)
    records = search(plan)
    assert len(records) == trials_of(oracle_of(plan)) == len(imagined)
    assert [record.trial for record in records] == list(range(len(records)))
    assert records[0].values == {"learning_rate": 1e-3, "ema": 0.999, "generator.channels": 16}
    assert records[0].whole
    for record in records:
        assert 1e-4 <= record.values["learning_rate"] <= 1e-1
        assert record.values["ema"] in (0.0, 0.9, 0.999)
        assert record.values["generator.channels"] in range(4, 17)
    assert max(record.score for record in records if record.whole) > records[0].score


def test_bayesian_search_closes_in(plan_of, imagined):
    records = search(plan_of(RATE, algorithm="bayesian", trials=12))
    assert (len(records), records[0].values) == (12, {"learning_rate": 1e-3})
    distances = [abs(np.log10(record.values["learning_rate"]) + 2) for record in records]
    assert min(distances[5:]) < 0.05
    assert len({record.values["learning_rate"] for record in records}) >= 10


def test_hyperband_goes_on_with_the_best(plan_of, imagined):
    records = search(plan_of(algorithm="hyperband", factor=2))
    by_number = {record.trial: record for record in records}
    later = [record for record in records if record.goes_on_from is not None]
    assert later
    for record in later:
        before = by_number[record.goes_on_from]
        assert (record.folder, record.values) == (before.folder, before.values)
        assert before.rung < (record.rung or 8)
    # Of the first round of the widest bracket the best ones went on.
    first = [
        record for record in records[1:] if record.rung == min(r.rung for r in records if r.rung)
    ]
    chosen = {record.goes_on_from for record in later} & {record.trial for record in first}
    worst_chosen = min(by_number[number].score for number in chosen)
    assert all(record.score <= worst_chosen for record in first if record.trial not in chosen)


@pytest.mark.parametrize("algorithm", ["random", "hyperband"])
def test_a_search_killed_again_and_again_ends_as_an_undisturbed_one(
    algorithm, plan_of, imagined, monkeypatch
):
    def plan(directory):
        return plan_of(directory=directory, algorithm=algorithm, trials=5, factor=2)

    kind = type(oracle_of(plan("x")))
    whole = [record.values for record in search(plan("whole"))]
    monkeypatch.setattr(trials, "_train", dies(trials._train, every=3))  # in a trial
    # before the search hears of it
    monkeypatch.setattr(tuning, "run_trial", dies(tuning.run_trial, every=2))
    # while the state is written
    monkeypatch.setattr(kind, "_save_trial", dies(kind._save_trial, every=4))
    kills = 0
    for _ in range(40):
        try:
            records = search(plan("killed"))
            break
        except Killed:
            kills += 1
    assert kills > 5
    assert [record.values for record in records] == whole
    assert [record.trial for record in records] == list(range(5))


def dies(plain, *, every):
    """The function, killed just after it has done its work, every so many calls."""
    calls = []

    def call(*given, **named):
        result = plain(*given, **named)
        calls.append(1)
        if len(calls) % every == 0:
            raise Killed
        return result

    return call


def test_more_trials_may_be_asked_for_later(plan_of, imagined):
    first = search(plan_of(algorithm="random", trials=3))
    more = search(plan_of(algorithm="random", trials=5))
    assert more[:3] == first
    assert (len(more), len(imagined)) == (5, 5)


def test_trials_that_fail_do_not_stop_a_search(plan_of, imagined, monkeypatch):
    """Nor hyperband's next rounds, which wait for a number from each."""
    train = trials._train

    def fails(plan, record, catalogue, console):
        if record.trial % 2:
            return record._replace(outcome="diverged", why="The losses stopped being finite.")
        return train(plan, record, catalogue, console)

    monkeypatch.setattr(trials, "_train", fails)
    plan = plan_of(algorithm="hyperband", factor=2)
    records = search(plan)
    assert len(records) == trials_of(oracle_of(plan))
    assert any(record.goes_on_from is not None and record.whole for record in records)
    told = [
        json.loads(path.read_text()) for path in plan.directory.glob("oracle/trial_*/trial.json")
    ]
    assert {trial["status"] for trial in told} == {"COMPLETED"}
    assert min(trial["score"] for trial in told) == -plan.poor_db


def test_what_no_trial_would_escape_ends_the_search_and_is_not_lost(plan_of, imagined, monkeypatch):
    train = trials._train

    def full(plan, record, catalogue, console):
        if record.trial == 2:
            raise CheckpointError("Could not write: no space left.")
        return train(plan, record, catalogue, console)

    monkeypatch.setattr(trials, "_train", full)
    plan = plan_of(algorithm="random", trials=4)
    with pytest.raises(CheckpointError, match="no space left"):
        search(plan)
    monkeypatch.setattr(trials, "_train", train)
    assert [record.outcome for record in search(plan)] == ["finished"] * 4


def test_a_chief_and_a_worker_search_as_one_process_does(plan_of, imagined, monkeypatch):
    """Over keras-tuner's own gRPC, whose numbers are shorter than ours."""
    alone = search(plan_of(directory="alone", algorithm="random", trials=4))
    plan = plan_of(algorithm="random", trials=4)
    prepare_search(plan)
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port = listener.getsockname()[1]
    for name, value in {"IP": "127.0.0.1", "PORT": str(port)}.items():
        monkeypatch.setenv(f"KERASTUNER_ORACLE_{name}", value)
    monkeypatch.setenv("no_grpc_proxy", "127.0.0.1")
    monkeypatch.setenv(tuning.PROCESS, "chief")
    assert tuning.is_chief()
    assert tuning.is_part()
    threading.Thread(target=tuning.run_search, args=(plan, None, CONSOLE), daemon=True).start()
    for _ in range(200):
        time.sleep(0.05)
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            break
    monkeypatch.setenv(tuning.PROCESS, "worker0")
    tuning.run_search(plan, None, CONSOLE)
    assert read_records(plan.directory) == alone


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"trials": 1}, "trials is 1; it must be at least 2"),
        ({"algorithm": "hyperband", "factor": 9}, "a whole one has 4"),
        ({"algorithm": "hyperband", "factor": 1}, "a --factor from 2 to 4"),
    ],
)
def test_a_plan_that_cannot_be_is_refused(changes, words, plan_of):
    with pytest.raises(ConfigError, match=words):
        oracle_of(plan_of(**changes))


def test_a_search_goes_on_in_its_own_folder_only(plan_of, imagined, tmp_path):
    plan = plan_of(algorithm="random", trials=2)
    search(plan)
    before = (plan.directory / SEARCH).read_bytes()
    for other, words in (
        (plan_of(RATE, algorithm="random"), "space: the search has"),
        (plan_of(algorithm="bayesian"), "algorithm: the search has random, you asked for bayesian"),
    ):
        with pytest.raises(CheckpointError, match=words):
            prepare_search(other)
    (tmp_path / "thesis").mkdir()
    (tmp_path / "thesis" / "chapter.txt").write_text("years of work")
    with pytest.raises(CheckpointError, match="is not empty and not a search"):
        prepare_search(plan_of(directory="thesis"))
    assert (plan.directory / SEARCH).read_bytes() == before


def test_values_are_rounded_and_stay_in_their_range(plan_of):
    rate, ema, channels = plan_of().space.settings
    assert decoded(rate, 0.00123456) == 0.001235
    assert decoded(rate, np.float32(0.1) + 1e-6) == 0.1
    assert decoded(channels, 17) == 16  # a draw at the very end of keras-tuner's scale
    assert [decoded(ema, encoded(ema, value)) for value in ema.span.values] == [0.999, 0.0, 0.9]


# Trials, with real training.


def test_a_trial_that_goes_on_ends_as_an_undisturbed_run(
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
    outcome = new_run(
        light(steps=4, steps_per_epoch=2, schedule="cosine", learning_rate=2e-3), tmp_path / "run"
    ).train()
    assert second.score == pytest.approx(outcome.best["score"], abs=1e-5)
    state, undisturbed = saved_state(plan.directory / first.folder), saved_state(tmp_path / "run")
    for name, values in undisturbed.items():
        np.testing.assert_allclose(state[name], values, rtol=0, atol=1e-6, err_msg=name)
    assert run_trial(plan, 2, values, catalogue, CONSOLE) == second  # its record is only read


def test_a_trial_that_diverges_is_said_to(plan_of, catalogue, no_curves, light):
    plan = plan_of(
        {"learning_rate": Choice(values=(1e30,))}, start=light(steps=8, steps_per_epoch=4)
    )
    record = run_trial(plan, 1, {"learning_rate": 1e30}, catalogue, CONSOLE)
    assert (record.outcome, record.score, record.whole) == ("diverged", None, False)
    assert "stopped being finite" in record.why
    assert read_records(plan.directory) == [record]


def test_a_poor_trial_ends_early_but_never_the_start(plan_of, catalogue, no_curves, light):
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


def test_settings_that_no_network_has_fail_their_trial_only(plan_of, catalogue, light):
    plan = plan_of(
        {"generator.hop": Choice(values=(100,))}, start=light(steps=2, steps_per_epoch=2)
    )
    record = run_trial(plan, 1, {"generator.hop": 100}, catalogue, CONSOLE)
    assert (record.outcome, record.step) == ("failed", 0)
    assert "multiple of the hop" in record.why


def test_recordings_that_fail_end_the_search(plan_of, catalogue, light, monkeypatch):
    def broken(*given, **named):
        raise DataError("The disk went away.")

    monkeypatch.setattr(trials.Run, "train", broken)
    plan = plan_of(RATE, start=light(steps=2, steps_per_epoch=2))
    with pytest.raises(TfsepganError, match="went away"):
        run_trial(plan, 1, {"learning_rate": 1e-3}, catalogue, CONSOLE)
    assert read_records(plan.directory) == []
