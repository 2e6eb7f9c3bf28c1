"""Batches of servers that come, go and fail equal those of the run, or an error says why."""

import json
import shutil
import threading
from dataclasses import replace
from itertools import islice

import numpy as np
import pytest
from remote_for_tests import CONFIG, PAIRED, RESAMPLED, assert_same, at, first, stop

from tfsepgan.data.batches.pipeline import training_batches
from tfsepgan.data.recordings.catalogue import scan
from tfsepgan.data.remote import client, request, server
from tfsepgan.data.remote.client import prepare_servers, remote_batches
from tfsepgan.data.remote.server import BatchServer
from tfsepgan.errors import DataError


def test_the_steps_of_a_run_are_shared_among_servers(unpaired, serving, tmp_path):
    servers, steps = [serving() for _ in range(3)], []
    for one in servers:
        steps.append([])

        def batch(request, one=one, own=steps[-1]):
            own.append(request["step"])
            return BatchServer.batch(one, request)

        one.batch = batch
    theirs = remote_batches(scan(unpaired), at(*servers), batch_keys=PAIRED, first_step=7)
    assert_same(
        first(theirs, 8),
        first(training_batches(scan(unpaired), CONFIG, first_step=7, cache_dir=tmp_path), 8),
    )
    for number, own in enumerate(steps):
        assert {step % 3 for step in own if step is not None} == {number}


def test_a_run_continues_with_a_server_that_comes_back(
    unpaired, serving, quick, tmp_path, monkeypatch
):
    monkeypatch.setattr(client, "PATIENCE_SECONDS", 30.0)
    here, messages = serving(), []
    batches = remote_batches(
        scan(unpaired), at(here), batch_keys=PAIRED, say=messages.append
    ).as_numpy_iterator()
    got = list(islice(batches, 2))
    stop(here)
    threading.Timer(1.0, serving, kwargs={"port": here.server_port}).start()
    got += islice(batches, 12)  # more than was on its way
    assert_same(got, first(training_batches(scan(unpaired), CONFIG, cache_dir=tmp_path), 14))
    assert any("waiting 30 s for it" in text for text in messages)
    assert any("is ready" in text for text in messages)


def test_a_server_that_stays_away_ends_the_run_with_a_sentence(unpaired, serving, quick):
    import tensorflow as tf

    here = serving()
    batches = remote_batches(scan(unpaired), at(here), batch_keys=PAIRED).as_numpy_iterator()
    next(batches)
    stop(here)
    with pytest.raises(
        tf.errors.OpError, match=f"The data server localhost:{here.server_port} does not answer"
    ):
        list(islice(batches, 30))


def test_a_run_waits_while_a_server_reads_its_recordings(unpaired, serving, quick, monkeypatch):
    monkeypatch.setattr(server, "_ANSWER_SECONDS", 0.01)
    messages = []
    prepare_servers(scan(unpaired), at(serving()), batch_keys=PAIRED, say=messages.append)
    assert ["is preparing" in messages[0], "is ready" in messages[1]] == [True, True]


def test_errors_of_the_server_reach_the_run(unpaired, serving, quick, tmp_path):
    import tensorflow as tf

    config = at(serving(), config=RESAMPLED)
    batches = remote_batches(scan(unpaired), config, batch_keys=PAIRED).as_numpy_iterator()
    next(batches)
    shutil.rmtree(tmp_path / "cache")
    with pytest.raises(tf.errors.OpError, match="gives no batches: .*can no longer be read"):
        list(islice(batches, 60))


def test_a_server_opens_its_recordings_again_after_an_error(unpaired, serving, tmp_path):
    here, asked = serving(), request.request_of(scan(unpaired), RESAMPLED, PAIRED)
    before = here.batch({**asked, "step": 3})
    shutil.rmtree(tmp_path / "cache")
    with pytest.raises(DataError, match="can no longer be read"):
        here.batch({**asked, "step": 3})
    for one, two in zip(before, here.batch({**asked, "step": 3}), strict=True):
        np.testing.assert_array_equal(one, two)


def test_a_server_keeps_the_recordings_of_the_latest_runs_open(unpaired, serving, monkeypatch):
    monkeypatch.setattr(server, "KEPT_RUNS", 2)
    here = serving()
    for seed in (1, 2, 1, 3):
        asked = request.request_of(scan(unpaired), replace(CONFIG, seed=seed), PAIRED)
        here.batch({**asked, "step": None})
    assert [json.loads(run)["settings"]["seed"] for run in here._makers] == [1, 3]
