"""Batches of a server equal those of the run itself, or an error says why there are none."""

import http.server
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
from dataclasses import replace
from itertools import islice
from pathlib import Path

import numpy as np
import pytest
import soundfile
from rich.console import Console

import tfsepgan
from tfsepgan.config import AugmentConfig, DataConfig, check
from tfsepgan.data.batches.pipeline import training_batches
from tfsepgan.data.recordings.catalogue import scan
from tfsepgan.data.remote import client, request, server
from tfsepgan.data.remote.client import prepare_servers, remote_batches
from tfsepgan.data.remote.server import BatchServer
from tfsepgan.errors import ConfigError, DataError
from tfsepgan.settings.ssepgan import PRESETS

CONFIG = DataConfig(
    sample_rate_hz=8000,
    window=4096,
    batch=3,
    law="snr",
    seed=5,
    augment=AugmentConfig(polarity=0.5),
)
RESAMPLED = replace(CONFIG, sample_rate_hz=11025)  # so that windows are read from the cache
PAIRED = ("mixture", "sources")


@pytest.fixture
def serving(unpaired, tmp_path, monkeypatch):
    """Starts servers of the unpaired recordings in this process: serving(**server arguments)."""
    monkeypatch.setattr(server, "_ANSWER_SECONDS", 60.0)  # also on a busy machine
    servers = []

    def start(*, of=unpaired, **changes) -> BatchServer:
        def recordings(sources, leave_out):
            return scan(of, sources=sources, leave_out=leave_out)

        settings = {"port": 0, "cache": str(tmp_path / "cache"), **changes}
        servers.append(BatchServer(recordings, **settings))
        threading.Thread(target=servers[-1].serve_forever, args=(0.05,), daemon=True).start()
        return servers[-1]

    yield start
    for one in servers:
        stop(one)


def stop(one: BatchServer) -> None:
    one.shutdown()
    one.server_close()


def free_port() -> int:
    with socket.create_server(("localhost", 0)) as one:
        return one.getsockname()[1]


@pytest.fixture
def quick(monkeypatch):
    """Shortens all waiting times from seconds to fractions of a second."""
    monkeypatch.setattr(client, "PATIENCE_SECONDS", 0.5)
    monkeypatch.setattr(client, "_PAUSE_SECONDS", 0.1)


def at(*servers: BatchServer, config: DataConfig = CONFIG) -> DataConfig:
    return replace(config, data_server=",".join(f"localhost:{one.server_port}" for one in servers))


def first(dataset, count: int) -> list[dict[str, np.ndarray]]:
    return list(islice(dataset.as_numpy_iterator(), count))


def assert_same(ones, twos):
    assert len(ones) == len(twos)
    for one, two in zip(ones, twos, strict=True):
        assert one.keys() == two.keys()
        for key in one:
            np.testing.assert_array_equal(one[key], two[key])


# Another process.


@pytest.fixture(scope="module")
def process(tones):
    """`tfsepgan-data serve` on the tones: the process and its address."""
    port = free_port()
    line = ["serve", "--data", str(tones), "--port", str(port)]
    environment = {**os.environ, "PYTHONPATH": str(Path(tfsepgan.__file__).parents[1])}
    server = subprocess.Popen(
        [sys.executable, "-u", "-m", "tfsepgan.cli.data", *line],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=environment,
    )
    messages = []
    for text in server.stdout:
        messages.append(text)
        if "--data-server" in text:
            break
    assert f"--data-server localhost:{port}" in "".join(messages), "".join(messages)
    threading.Thread(target=server.stdout.read, daemon=True).start()
    yield server, f"localhost:{port}"
    server.send_signal(signal.SIGINT)
    assert server.wait(timeout=30) == 0


def test_two_trainers_at_once_get_their_own_batches_from_another_process(tones, process, tmp_path):
    catalogue = scan(tones, sources=("piano",))
    one = DataConfig(
        window=2048,
        batch=2,
        augment=AugmentConfig(equaliser=0.5, noise=0.5),
        data_server=process[1],
    )
    two = replace(one, law="snr", seed=9, labelled=0.5)
    asked = [(one, PAIRED, 3), (two, ("unlabelled", "solo", *PAIRED), 0)]
    theirs = [
        remote_batches(
            catalogue, config, batch_keys=batch_keys, first_step=step
        ).as_numpy_iterator()
        for config, batch_keys, step in asked
    ]
    together = list(zip(*(islice(batches, 12) for batches in theirs), strict=True))
    for number, (config, batch_keys, step) in enumerate(asked):
        here = training_batches(
            catalogue, config, batch_keys=batch_keys, first_step=step, cache_dir=tmp_path
        )
        assert_same([batches[number] for batches in together], first(here, 12))


def test_a_run_ends_in_the_same_weights_with_a_server_without_one_and_with_one_on_the_way(
    tones, process, tiny, tmp_path
):
    from tfsepgan.training.run import Run

    catalogue = scan(tones, sources=("piano",))
    light = {"adversarial_weight": 0.0, "identity_weight": 0.0}

    def experiment(data_server):
        data = {"window": 1024, "batch": 2, "data_server": data_server}
        return tiny(data=data, model=light, steps=2, steps_per_epoch=1, validation_mixtures=0)

    def trained(name, *sessions):
        for stop, data_server in sessions:
            console = Console(file=open(os.devnull, "w"))  # noqa: SIM115
            Run(experiment(data_server), catalogue, tmp_path / name, console).train(until=stop)
        with np.load(tmp_path / name / "state.npz") as saved:
            return {key: saved[key] for key in saved.files if key != "progress"}

    here = trained("here", (2, None))
    for name, sessions in {
        "there": [(2, process[1])],
        "both": [(1, process[1]), (2, None)],
    }.items():
        other = trained(name, *sessions)
        assert other.keys() == here.keys()
        for key in here:
            np.testing.assert_array_equal(other[key], here[key])


# Servers that come and go.


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


@pytest.mark.parametrize("sent", [b"", b"1234"], ids=["none", "four bytes"])
def test_a_reply_of_another_length_is_refused(unpaired, serving, monkeypatch, sent):
    import tensorflow as tf

    here = serving()
    here.batch = lambda request: [] if request["step"] is None else [sent]
    batches = remote_batches(scan(unpaired), at(here), batch_keys=PAIRED)
    with pytest.raises(tf.errors.OpError, match=r"sent \d samples, not"):
        first(batches, 1)


# Refused.


def test_a_server_with_other_recordings_is_refused(unpaired, serving, write, tmp_path):
    write(tmp_path / "data" / "train" / "piano" / "a.wav", 2.0)
    write(tmp_path / "data" / "train" / "rest" / "b.wav", 2.0)
    here = serving(of=tmp_path / "data")
    with pytest.raises(
        DataError,
        match="gives no batches: The train split of .* holds other recordings than the trainer's",
    ):
        remote_batches(scan(unpaired), at(here), batch_keys=PAIRED)
    assert here._makers == {}


def test_a_server_that_reads_its_folder_otherwise_is_refused(unpaired, multitrack, serving):
    with pytest.raises(DataError, match="as multitrack, the trainer its own data as unpaired"):
        prepare_servers(scan(unpaired), at(serving(of=multitrack)), batch_keys=PAIRED)


def test_another_version_is_refused(unpaired, serving):
    asked = {**request.request_of(scan(unpaired), CONFIG, PAIRED), "step": None, "version": "0.0"}
    with pytest.raises(DataError, match=r"It runs tfsepgan .* \(draws \d\), the trainer 0.0"):
        serving().batch(asked)


def test_recorded_rooms_must_be_there_and_the_same(unpaired, serving, tmp_path):
    rooms = []
    for number, length in enumerate((100, 200)):
        (tmp_path / str(number)).mkdir()
        soundfile.write(tmp_path / str(number) / "hall.wav", np.eye(1, length)[0] / 2, 8000)
        rooms.append(str(tmp_path / str(number)))
    config = replace(CONFIG, augment=AugmentConfig(room=1.0, rooms=rooms[0]))

    def ask(**options):
        prepare_servers(scan(unpaired), at(serving(**options), config=config), batch_keys=PAIRED)

    with pytest.raises(DataError, match="the server has none: start it with --rooms DIR"):
        ask()
    with pytest.raises(DataError, match="or the rooms differ"):
        ask(rooms=rooms[1])
    batches = remote_batches(
        scan(unpaired), at(serving(rooms=rooms[0]), config=config), batch_keys=PAIRED
    )
    assert_same(
        first(batches, 3),
        first(training_batches(scan(unpaired), config, cache_dir=tmp_path / "mine"), 3),
    )


def test_the_pipelines_error_reaches_the_run(unpaired, serving):
    config = at(serving(), config=replace(CONFIG, window=10**6))
    with pytest.raises(DataError, match="none is longer than the window"):
        prepare_servers(scan(unpaired), config, batch_keys=PAIRED)


def test_invalid_requests_get_an_error_and_the_server_continues(unpaired, serving, tmp_path):
    here = serving()
    good = {**request.request_of(scan(unpaired), CONFIG, PAIRED), "step": 0}
    for change in [
        {"settings": {**good["settings"], "batch": "many"}},
        {"settings": {**good["settings"], "btach": 3}},
        {"batch_keys": ["everything"]},
        {"step": "one"},
        {"layout": None},
    ]:
        with pytest.raises(DataError, match="gives no batches: ."):
            client._ask(f"localhost:{here.server_port}", {**good, **change}, 0.0, print)
    for body in (b"[1,2]", b"{}", b"no"):
        with socket.create_connection(("localhost", here.server_port)) as connection:
            connection.sendall(b"POST / HTTP/1.0\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
            assert b" 409 " in connection.makefile("rb").readline()
    batches = remote_batches(scan(unpaired), at(here), batch_keys=PAIRED)
    assert_same(
        first(batches, 1), first(training_batches(scan(unpaired), CONFIG, cache_dir=tmp_path), 1)
    )


def test_a_request_cannot_name_places_on_the_server(unpaired):
    asked = request.request_of(scan(unpaired), CONFIG, PAIRED)
    asked["settings"] |= {"data": "/etc", "cache": "/etc", "reader": "tfio"}
    asked["settings"]["augment"]["rooms"] = "/etc"
    config = request.settings_in(asked, cache="here", rooms="rooms")
    assert config == replace(CONFIG, cache="here")


def test_every_setting_that_decides_batches_is_sent():
    catalogue = scan(Path(tfsepgan.__file__).parent / "data" / "demo")
    sent = request.request_of(catalogue, CONFIG, PAIRED)
    assert request.settings_in(json.loads(json.dumps(sent)), cache=None, rooms=None) == CONFIG


def test_no_server_and_another_server_give_different_errors(unpaired):
    config = replace(CONFIG, data_server=f"localhost:{free_port()}")
    with pytest.raises(DataError, match="does not answer .*Start it .*or leave --data-server out"):
        prepare_servers(scan(unpaired), config, batch_keys=PAIRED)
    with http.server.HTTPServer(("localhost", 0), http.server.BaseHTTPRequestHandler) as other:
        threading.Thread(target=other.handle_request, daemon=True).start()
        config = replace(CONFIG, data_server=f"localhost:{other.server_address[1]}")
        with pytest.raises(DataError, match="answers, but is no data server"):
            prepare_servers(scan(unpaired), config, batch_keys=PAIRED)


@pytest.mark.parametrize(
    "servers", ["", "localhost", "localhost:", ":5050", "localhost:http", "a:1,b", "a:70000"]
)
def test_a_server_is_a_host_and_a_port(servers):
    tiny = PRESETS["tiny"]
    with pytest.raises(ConfigError, match="wanted HOST:PORT"):
        check(replace(tiny, data=replace(tiny.data, data_server=servers)))
    check(replace(tiny, data=replace(tiny.data, data_server="one:5050, [::1]:5051")))


def test_a_server_listens_on_this_machine_only_unless_told_otherwise(serving):
    assert serving().server_address[0] == "127.0.0.1"
    assert serving(address="0.0.0.0").server_address[0] == "0.0.0.0"


def test_a_port_in_use_and_an_unknown_address_are_refused(serving):
    with pytest.raises(DataError, match="Could not listen on localhost"):
        serving(port=serving().server_port)
    with pytest.raises(DataError, match="Could not listen on no.such.invalid"):
        serving(address="no.such.invalid")
