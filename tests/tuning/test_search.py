"""A search improves on the preset, resumes after a kill, and survives trials that fail."""

import contextlib
import io
import json
import socket
import threading
import time

import numpy as np
import pytest
from rich.console import Console

from tfsepgan.errors import CheckpointError, ConfigError
from tfsepgan.settings.search import Range
from tfsepgan.tuning import trials
from tfsepgan.tuning import tuner as tuning
from tfsepgan.tuning.plan import SEARCH, decoded, encoded, prepare_search
from tfsepgan.tuning.records import read_records
from tfsepgan.tuning.samplers import sampler_of, trials_of

RATE = {"learning_rate": Range(low=1e-4, high=1e-1, log=True)}
CONSOLE = Console(file=io.StringIO())


class Killed(BaseException):
    """Stands for `kill -9`: no code catches it."""


@pytest.fixture
def instant_trials(monkeypatch):
    """Trials without training; returns the list of their numbers.

    The score is higher for a learning rate closer to 0.01, and a little higher for more steps.
    """
    numbers = []

    def train(plan, record, catalogue, console):
        numbers.append(record.trial)
        score = -abs(np.log10(record.values["learning_rate"]) + 2) + (record.rung or 8) / 100
        return record._replace(outcome="finished", score=float(score), step=record.rung or 8)

    monkeypatch.setattr(trials, "_train", train)
    # nothing is built, and a session takes long to clear when many tests have left their graphs
    monkeypatch.setattr(trials.keras.backend, "clear_session", lambda: None)
    monkeypatch.setattr(tuning, "REQUEST_SECONDS", 0.01)
    return numbers


def search(plan, catalogue=None):
    prepare_search(plan)
    tuning.run_search(plan, catalogue, CONSOLE)
    return read_records(plan.directory)


@pytest.mark.parametrize("algorithm", ["random", "hyperband"])
def test_an_algorithm_tries_the_preset_first_and_finds_better_values(
    algorithm, plan_of, instant_trials
):
    plan = plan_of(algorithm=algorithm, trials=None if algorithm == "hyperband" else 10, factor=2)
    records = search(plan)
    assert len(records) == trials_of(sampler_of(plan)) == len(instant_trials)
    assert [record.trial for record in records] == list(range(len(records)))
    assert records[0].values == {"learning_rate": 1e-3, "ema": 0.999, "generator.channels": 16}
    assert records[0].whole
    for record in records:
        assert 1e-4 <= record.values["learning_rate"] <= 1e-1
        assert record.values["ema"] in (0.0, 0.9, 0.999)
        assert record.values["generator.channels"] in range(4, 17)
    assert max(record.score for record in records if record.whole) > records[0].score


def test_bayesian_search_approaches_the_optimum(plan_of, instant_trials):
    records = search(plan_of(RATE, algorithm="bayesian", trials=12))
    assert (len(records), records[0].values) == (12, {"learning_rate": 1e-3})
    distances = [abs(np.log10(record.values["learning_rate"]) + 2) for record in records]
    assert min(distances[5:]) < 0.05
    assert len({record.values["learning_rate"] for record in records}) >= 10


def test_hyperband_continues_the_best_trials(plan_of, instant_trials):
    records = search(plan_of(algorithm="hyperband", factor=2))
    by_number = {record.trial: record for record in records}
    later = [record for record in records if record.goes_on_from is not None]
    assert later
    for record in later:
        before = by_number[record.goes_on_from]
        assert (record.folder, record.values) == (before.folder, before.values)
        assert before.rung < (record.rung or 8)
    # The best ones of the first round of the widest bracket continued.
    first = [
        record for record in records[1:] if record.rung == min(r.rung for r in records if r.rung)
    ]
    chosen = {record.goes_on_from for record in later} & {record.trial for record in first}
    worst_chosen = min(by_number[number].score for number in chosen)
    assert all(record.score <= worst_chosen for record in first if record.trial not in chosen)


@pytest.mark.parametrize("algorithm", ["random", "hyperband"])
def test_a_search_that_is_killed_many_times_ends_like_an_uninterrupted_one(
    algorithm, plan_of, instant_trials, monkeypatch
):
    def plan(directory):
        return plan_of(directory=directory, algorithm=algorithm, trials=5, factor=2)

    kind = type(sampler_of(plan("x")))
    whole = [record.values for record in search(plan("whole"))]
    monkeypatch.setattr(trials, "_train", killed(trials._train, every=3))  # in a trial
    # before the sampler gets the score
    monkeypatch.setattr(tuning, "run_trial", killed(tuning.run_trial, every=2))
    # after the state is written
    monkeypatch.setattr(kind, "save", killed(kind.save, every=4))
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


def killed(plain, *, every):
    """The function, but every `every`-th call ends with a kill after its work."""
    calls = []

    def call(*arguments, **named):
        result = plain(*arguments, **named)
        calls.append(1)
        if len(calls) % every == 0:
            raise Killed
        return result

    return call


def test_a_damaged_state_is_named(plan_of, instant_trials):
    plan = plan_of(algorithm="random", trials=2)
    search(plan)
    (plan.directory / "oracle" / "state.json").write_text("{}")
    with pytest.raises(CheckpointError, match=r"state\.json is damaged: 'trials'"):
        search(plan)


def test_a_search_can_be_resumed_with_more_trials(plan_of, instant_trials):
    first = search(plan_of(algorithm="random", trials=3))
    more = search(plan_of(algorithm="random", trials=5))
    assert more[:3] == first
    assert (len(more), len(instant_trials)) == (5, 5)


def test_trials_that_fail_do_not_stop_a_search(plan_of, instant_trials, monkeypatch):
    """The next rounds of hyperband need a score of each trial."""
    train = trials._train

    def fails(plan, record, catalogue, console):
        if record.trial % 2:
            return record._replace(outcome="diverged", why="The losses stopped being finite.")
        return train(plan, record, catalogue, console)

    monkeypatch.setattr(trials, "_train", fails)
    plan = plan_of(algorithm="hyperband", factor=2)
    records = search(plan)
    assert len(records) == trials_of(sampler_of(plan))
    assert any(record.goes_on_from is not None and record.whole for record in records)
    states = json.loads((plan.directory / "oracle" / "state.json").read_text())["trials"].values()
    assert {trial["status"] for trial in states} == {"COMPLETED"}
    assert min(trial["score"] for trial in states) == -plan.poor_db


def test_an_error_of_every_trial_ends_the_search_which_can_be_resumed(
    plan_of, instant_trials, monkeypatch
):
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


def test_a_chief_and_a_worker_search_like_one_process(plan_of, instant_trials, monkeypatch):
    """Over keras-tuner's gRPC, whose numbers have fewer digits."""
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
        ({"algorithm": "hyperband", "factor": 9}, "a whole trial has 4"),
        ({"algorithm": "hyperband", "factor": 1}, "a --factor from 2 to 4"),
    ],
)
def test_an_invalid_plan_is_refused(changes, words, plan_of):
    with pytest.raises(ConfigError, match=words):
        sampler_of(plan_of(**changes))


def test_a_search_resumes_in_its_own_folder_only(plan_of, instant_trials, tmp_path):
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
    assert decoded(channels, 17) == 16  # a draw at the end of keras-tuner's scale
    assert [decoded(ema, encoded(ema, value)) for value in ema.span.values] == [0.999, 0.0, 0.9]
