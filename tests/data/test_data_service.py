"""Batches of a server equal those of the run itself, or an error says why there are none."""

import gc
import http.server
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
import weakref
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
from tfsepgan.data.remote import connection
from tfsepgan.data.remote import request as batch_request
from tfsepgan.data.remote import server as service
from tfsepgan.data.remote.client import ask_servers, served_batches
from tfsepgan.data.remote.http import three_ports
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
PAIRED = ("mixture", "sources")


@pytest.fixture
def serving(unpaired, tmp_path):
    """Starts servers of the unpaired recordings in this process: serving(**server arguments)."""
    servers = []

    def start(*, of=unpaired, **changes) -> BatchServer:
        def recordings(sources, leave_out):
            return scan(of, sources=sources, leave_out=leave_out)

        settings = {"port": 0, "address": "localhost", "cache": str(tmp_path / "cache"), **changes}
        servers.append(BatchServer(recordings, **settings))
        return servers[-1]

    yield start
    for server in servers:
        server.close()


@pytest.fixture
def quick(monkeypatch):
    """Shortens all waiting times from seconds to fractions of a second."""
    for name, seconds in {
        "_POLL_SECONDS": 0.1,
        "_ASK_WHY_SECONDS": 0.3,
        "PATIENCE_SECONDS": 0.5,
    }.items():
        monkeypatch.setattr(connection, name, seconds)


def at(*servers: BatchServer, config: DataConfig = CONFIG) -> DataConfig:
    return replace(config, data_server=",".join(f"localhost:{server.port}" for server in servers))


def first(dataset, count: int) -> list[dict[str, np.ndarray]]:
    return list(islice(dataset.as_numpy_iterator(), count))


def assert_same(ones, twos):
    assert len(ones) == len(twos)
    for one, two in zip(ones, twos, strict=True):
        assert one.keys() == two.keys()
        for key in one:
            np.testing.assert_array_equal(one[key], two[key])


def until(true, seconds: float = 10.0):
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "it did not come to be"
        time.sleep(0.02)


# Another process.


@pytest.fixture(scope="module")
def process(tones):
    """`tfsepgan-data serve` on the tones: the process and its address."""
    port = three_ports(0)[0]
    while True:
        try:
            three_ports(port)
            break
        except DataError:
            port = three_ports(0)[0]
    line = ["serve", "--data", str(tones), "--port", str(port), "--address", "localhost"]
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
        served_batches(
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
    servers = [serving() for _ in range(3)]
    theirs = served_batches(scan(unpaired), at(*servers), batch_keys=PAIRED, first_step=7)
    assert_same(
        first(theirs, 8),
        first(training_batches(scan(unpaired), CONFIG, first_step=7, cache_dir=tmp_path), 8),
    )
    assert [server.trainers for server in servers] == [1, 1, 1]


def test_a_run_continues_with_a_server_that_comes_back(
    unpaired, serving, quick, tmp_path, monkeypatch
):
    monkeypatch.setattr(connection, "PATIENCE_SECONDS", 30.0)
    server, messages = serving(), []
    batches = served_batches(
        scan(unpaired), at(server), batch_keys=PAIRED, say=messages.append
    ).as_numpy_iterator()
    got = list(islice(batches, 2))
    server.close()
    threading.Timer(1.0, serving, kwargs={"port": server.port}).start()
    got += islice(batches, 12)  # more than was on its way
    assert_same(got, first(training_batches(scan(unpaired), CONFIG, cache_dir=tmp_path), 14))
    assert any("waiting 30 s for it" in text for text in messages)
    assert any("is back; continuing at step" in text for text in messages)


def test_a_server_that_stays_away_ends_the_run_with_a_sentence(unpaired, serving, quick):
    import tensorflow as tf

    server = serving()
    batches = served_batches(scan(unpaired), at(server), batch_keys=PAIRED).as_numpy_iterator()
    next(batches)
    server.close()
    with pytest.raises(
        tf.errors.OpError, match=f"The data server localhost:{server.port} does not answer"
    ):
        list(islice(batches, 30))


def test_errors_of_the_server_reach_the_run(unpaired, serving, quick, tmp_path):
    import tensorflow as tf

    theirs = shutil.copytree(unpaired, tmp_path / "data")
    server = serving(of=theirs, cache=str(tmp_path / "cache"))
    batches = served_batches(scan(unpaired), at(server), batch_keys=PAIRED).as_numpy_iterator()
    next(batches)
    shutil.rmtree(tmp_path / "cache")
    shutil.rmtree(theirs / "train" / "piano")
    with pytest.raises(
        tf.errors.OpError, match="gives no batches: .*/train .*holds no recording of 'piano'"
    ):
        list(islice(batches, 60))


def test_a_server_whose_cache_was_emptied_fills_it_again_and_nothing_is_lost(
    unpaired, serving, quick, tmp_path
):
    server = serving(cache=str(tmp_path / "theirs"))
    batches = served_batches(scan(unpaired), at(server), batch_keys=PAIRED).as_numpy_iterator()
    got = list(islice(batches, 1))
    shutil.rmtree(tmp_path / "theirs")
    got += islice(batches, 19)
    assert_same(
        got, first(training_batches(scan(unpaired), CONFIG, cache_dir=tmp_path / "mine"), 20)
    )


def test_batches_of_another_run_are_never_taken(unpaired, serving, quick, monkeypatch):
    import tensorflow as tf

    monkeypatch.setattr(service, "token", lambda name: 1)
    server = serving()
    with pytest.raises(tf.errors.OpError, match="another one came: step 0 of another run"):
        first(served_batches(scan(unpaired), at(server), batch_keys=PAIRED), 1)


def test_batches_of_another_step_are_never_taken(unpaired, serving, quick, monkeypatch):
    import tensorflow as tf

    registered = BatchServer._registered

    def late(self, name, request):
        return registered(self, name, {**request, "first_step": request["first_step"] + 1})

    monkeypatch.setattr(BatchServer, "_registered", late)
    server = serving()
    with pytest.raises(
        tf.errors.OpError, match="gave no batch of step 0 in 3 tries .another one came: step 1"
    ):
        first(served_batches(scan(unpaired), at(server), batch_keys=PAIRED), 1)


# Memory.


def test_batches_of_a_silent_trainer_are_dropped(unpaired, serving, quick, tmp_path, monkeypatch):
    monkeypatch.setattr(connection, "KEEP_SECONDS", 3600.0)  # it looks as if it had gone
    server = serving()
    batches = served_batches(scan(unpaired), at(server), batch_keys=PAIRED).as_numpy_iterator()
    got = list(islice(batches, 2))
    (lease,) = server._leases.values()
    made = weakref.ref(lease.batches)
    del lease
    server._lease_seconds = 0.2
    until(lambda: server.trainers == 0)
    server._lease_seconds = 60.0
    gc.collect()
    assert made() is None  # and with it its functions, and what they hold of the recordings
    got += islice(batches, 12)  # it had not: it asks again, for what it is at
    assert_same(got, first(training_batches(scan(unpaired), CONFIG, cache_dir=tmp_path), 14))


def test_a_trainer_that_pauses_keeps_its_batches(unpaired, serving, monkeypatch):
    monkeypatch.setattr(connection, "KEEP_SECONDS", 0.1)
    messages = []
    server = serving(lease_seconds=5.0, say=messages.append)
    batches = served_batches(scan(unpaired), at(server), batch_keys=PAIRED).as_numpy_iterator()
    next(batches)
    server._lease_seconds = 1.0
    time.sleep(2.0)
    list(islice(batches, 12))
    assert messages == ["A trainer gets batches, starting at step 0."]


def test_deleting_a_dataset_drops_it_on_the_server(unpaired, serving):
    server = serving()
    dataset = served_batches(scan(unpaired), at(server), batch_keys=PAIRED)
    batches = iter(dataset.take(3))
    next(batches)
    assert server.trainers == 1
    del dataset, batches
    gc.collect()
    assert server.trainers == 0


# Refused.


def test_a_server_with_other_recordings_is_refused(unpaired, serving, write, tmp_path):
    write(tmp_path / "data" / "train" / "piano" / "a.wav", 2.0)
    write(tmp_path / "data" / "train" / "rest" / "b.wav", 2.0)
    server = serving(of=tmp_path / "data")
    with pytest.raises(
        DataError,
        match="gives no batches: The train split of .* holds other recordings than the trainer's",
    ):
        served_batches(scan(unpaired), at(server), batch_keys=PAIRED)
    assert server.trainers == 0


def test_a_server_that_reads_its_folder_otherwise_is_refused(unpaired, multitrack, serving):
    server = serving(of=multitrack)
    with pytest.raises(DataError, match="as multitrack, the trainer its own data as unpaired"):
        ask_servers(scan(unpaired), at(server), batch_keys=PAIRED)


@pytest.mark.parametrize("name", ["tfsepgan", "tensorflow", "protocol"])
def test_another_version_is_refused(unpaired, serving, monkeypatch, name):
    server = serving()
    real = connection.request_of

    def older(*arguments, **settings):
        request = real(*arguments, **settings)
        (request if name == "protocol" else request["versions"])[name] = "0.0"
        return request

    monkeypatch.setattr(connection, "request_of", older)
    with pytest.raises(DataError, match=f"It runs {name} .*, the trainer {name} 0.0"):
        ask_servers(scan(unpaired), at(server), batch_keys=PAIRED)


def test_recorded_rooms_must_be_there_and_the_same(unpaired, serving, tmp_path):
    rooms = []
    for number, length in enumerate((100, 200)):
        (tmp_path / str(number)).mkdir()
        soundfile.write(tmp_path / str(number) / "hall.wav", np.eye(1, length)[0] / 2, 8000)
        rooms.append(str(tmp_path / str(number)))
    config = replace(CONFIG, augment=AugmentConfig(room=1.0, rooms=rooms[0]))
    with pytest.raises(DataError, match="the server has none: start it with --rooms DIR"):
        ask_servers(scan(unpaired), at(serving(), config=config), batch_keys=PAIRED)
    with pytest.raises(DataError, match="or the rooms do"):
        ask_servers(scan(unpaired), at(serving(rooms=rooms[1]), config=config), batch_keys=PAIRED)
    batches = served_batches(
        scan(unpaired), at(serving(rooms=rooms[0]), config=config), batch_keys=PAIRED
    )
    assert_same(
        first(batches, 3),
        first(training_batches(scan(unpaired), config, cache_dir=tmp_path / "mine"), 3),
    )


def test_the_pipelines_error_reaches_the_run(unpaired, serving):
    with pytest.raises(DataError, match="none is longer than the window"):
        ask_servers(
            scan(unpaired), at(serving(), config=replace(CONFIG, window=10**6)), batch_keys=PAIRED
        )


def test_invalid_requests_get_an_error_and_the_server_continues(unpaired, serving, tmp_path):
    server = serving()
    name = "0123456789abcdef" * 2
    good = batch_request.request_of(
        scan(unpaired), CONFIG, batch_keys=PAIRED, first_step=0, every=1, name=name
    )
    for place, body, status in [
        ("/batches", {}, 400),
        ("/batches", {**good, "name": "../../etc"}, 400),
        ("/batches", {"name": name}, 409),
        ("/batches", {**good, "settings": {**good["settings"], "batch": "many"}}, 409),
        ("/batches", {**good, "settings": {**good["settings"], "btach": 3}}, 409),
        ("/batches", {**good, "batch_keys": ["everything"]}, 409),
        ("/batches", {**good, "every": 0}, 409),
        ("/keep", {"name": name}, 404),
        ("/why", {"name": name, "step": "one"}, 404),
    ]:
        got, reply = server.answer(place, body)
        assert (got, bool(reply["error"])) == (status, True)
    with socket.create_connection(("localhost", server.port)) as connection:
        connection.sendall(b"POST /batches HTTP/1.0\r\nContent-Length: 5\r\n\r\n[1,2]")
        assert b" 400 " in connection.makefile("rb").readline()
    batches = served_batches(scan(unpaired), at(server), batch_keys=PAIRED)
    assert_same(
        first(batches, 1), first(training_batches(scan(unpaired), CONFIG, cache_dir=tmp_path), 1)
    )


def test_a_request_cannot_name_places_on_the_server(unpaired, serving, tmp_path):
    settings = {"data": "/etc", "cache": "/etc", "reader": "tfio"}
    request = batch_request.request_of(
        scan(unpaired), CONFIG, batch_keys=PAIRED, first_step=0, every=1, name=""
    )
    request["settings"] |= settings
    request["settings"]["augment"]["rooms"] = "/etc"
    config = batch_request.settings_in(request, cache="here", rooms="rooms")
    assert (config.data, config.cache, config.reader, config.augment.rooms) == (
        None,
        "here",
        "memmap",
        None,
    )


def test_every_setting_that_decides_batches_is_sent():
    catalogue = scan(Path(tfsepgan.__file__).parent / "data" / "demo")
    sent = batch_request.request_of(
        catalogue, CONFIG, batch_keys=PAIRED, first_step=0, every=1, name=""
    )
    there = batch_request.settings_in(json.loads(json.dumps(sent)), cache=None, rooms=None)
    assert there == replace(CONFIG, reader="memmap")


def test_no_server_and_another_server_give_different_errors(unpaired):
    config = replace(CONFIG, data_server=f"localhost:{three_ports(0)[0]}")
    with pytest.raises(DataError, match="does not answer .*Start it .*or leave --data-server out"):
        ask_servers(scan(unpaired), config, batch_keys=PAIRED)
    with http.server.HTTPServer(("localhost", 0), http.server.BaseHTTPRequestHandler) as other:
        threading.Thread(target=other.handle_request, daemon=True).start()
        config = replace(CONFIG, data_server=f"localhost:{other.server_address[1]}")
        with pytest.raises(DataError, match="answers, but is no data server"):
            ask_servers(scan(unpaired), config, batch_keys=PAIRED)


def test_an_unreachable_address_of_the_batches_is_named(unpaired, serving):
    server = serving()
    server._places["worker"] = f"localhost:{three_ports(0)[0]}"
    with pytest.raises(DataError, match="which cannot be reached from here .*--address"):
        ask_servers(scan(unpaired), at(server), batch_keys=PAIRED)


@pytest.mark.parametrize(
    "servers", ["", "localhost", "localhost:", ":5050", "localhost:http", "a:1,b", "a:70000"]
)
def test_a_server_is_a_host_and_a_port(servers):
    tiny = PRESETS["tiny"]
    with pytest.raises(ConfigError, match="wanted HOST:PORT"):
        check(replace(tiny, data=replace(tiny.data, data_server=servers)))
    check(replace(tiny, data=replace(tiny.data, data_server="one:5050, [::1]:5051")))


def test_a_port_in_use_and_an_unknown_address_are_refused(serving):
    with pytest.raises(DataError, match="is not available"):
        serving(port=serving().port)
    with pytest.raises(DataError, match="The address 'no.such.invalid' cannot be resolved"):
        serving(address="no.such.invalid")
