"""Servers and requests that are refused, each with its reason."""

import http.server
import json
import socket
import threading
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile
from remote_for_tests import CONFIG, PAIRED, assert_same, at, first, free_port

import tfsepgan
from tfsepgan.config import AugmentConfig, check
from tfsepgan.data.batches.pipeline import training_batches
from tfsepgan.data.recordings.catalogue import scan
from tfsepgan.data.remote import client, request
from tfsepgan.data.remote.client import prepare_servers, remote_batches
from tfsepgan.errors import ConfigError, DataError
from tfsepgan.settings.ssepgan import PRESETS


@pytest.mark.parametrize("sent", [b"", b"1234"], ids=["none", "four bytes"])
def test_a_reply_of_another_length_is_refused(unpaired, serving, monkeypatch, sent):
    import tensorflow as tf

    here = serving()
    here.batch = lambda request: [] if request["step"] is None else [sent]
    batches = remote_batches(scan(unpaired), at(here), batch_keys=PAIRED)
    with pytest.raises(tf.errors.OpError, match=r"sent \d samples, not"):
        first(batches, 1)


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
