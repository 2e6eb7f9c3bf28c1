"""Clients and server together: the stems are those of Keras, or there is an error."""

import json
import socket

import numpy as np
import pytest
import soundfile
from serving_for_tests import RATE, address, assert_close
from tools_for_tests import from_tools

from tfsepgan.errors import ServingError
from tfsepgan.separation.separator import Separator
from tfsepgan.serving.retry import Patience
from tfsepgan.serving.separator import connect

QUICK = {
    "deadline_seconds": 60.0,
    "attempts": 30,
    "first_wait_seconds": 0.02,
    "longest_wait_seconds": 0.5,
}


@pytest.fixture(params=["grpc", "rest"])
def remote(request, server):
    """A separator of short blocks through a server."""
    rest = request.param == "rest"
    options = {"block_seconds": 0.2, "stereo": "apart", "patience": Patience(**QUICK)}
    with connect(address(server, rest), "small", rest=rest, **options) as separator:
        yield separator


@pytest.mark.parametrize(("frames", "channels"), [(1, 1), (63, 2), (16077, 3)])
def test_a_recording_through_a_server_equals_one_pass(remote, one_pass, music, frames, channels):
    mixture = np.ascontiguousarray(music[:channels, :frames, 0].T)
    stems = remote.separate(mixture, RATE)
    assert_close({name: stem[None] for name, stem in stems.items()}, one_pass(mixture[None]))


def test_other_rates_equal_the_local_separator(remote, bundle, music):
    mixture = np.ascontiguousarray(music[:2, :, 0].T)
    local = Separator(bundle, stereo="apart")
    assert_close(remote.separate(mixture, 11025), local.separate(mixture, 11025))


def test_the_client_receives_the_manifest(remote, bundle):
    assert (remote.stems, remote.sample_rate_hz) == (("piano", "voice", "residual"), RATE)
    assert (remote.manifest.hop, remote.manifest.context) == (
        bundle.manifest.hop,
        bundle.manifest.context,
    )


@pytest.mark.parametrize("rest", [False, True])
def test_blocks_are_made_to_fit_messages(server, rest):
    small = connect(address(server, rest), "small", rest=rest, max_message_bytes=300_000)
    large = connect(address(server, rest), "small", rest=rest, max_message_bytes=3_000_000)
    with small, large:
        assert small.block < large.block and small.block % 64 == 0
        assert small.separate(np.full((40_000, 2), 0.1, np.float32), RATE)["piano"].shape == (
            40_000,
            2,
        )
    with pytest.raises(ServingError, match="raise max_message_bytes"):
        connect(address(server, rest), "small", rest=rest, max_message_bytes=20_000)


@pytest.mark.parametrize("rest", [False, True])
def test_a_missing_model_is_one_clear_error(server, rest):
    with pytest.raises(ServingError, match="answered NOT_FOUND: .*nowhere"):
        connect(address(server, rest), "nowhere", rest=rest)


def test_messages_larger_than_allowed_are_one_clear_error(server):
    from tfsepgan.serving.grpc_client import GrpcClient
    from tfsepgan.serving.retry import Refused

    client = GrpcClient(address(server, False), "small", max_message_bytes=10_000)
    with pytest.raises(Refused, match="larger than max") as caught:
        client.separate(np.zeros((1, 5000, 1), np.float32), 10)
    assert not caught.value.passing
    client.close()


@pytest.mark.parametrize("rest", [False, True])
def test_the_command_writes_the_same_stems_with_and_without_a_server(
    server, model, music, tmp_path, rest, capsys
):
    from tfsepgan.cli.separate import main

    soundfile.write(tmp_path / "song.wav", music[:2, :, 0].T, RATE, subtype="FLOAT")
    flags = ["--server", address(server, rest), "--model", "small", *(["--rest"] if rest else [])]
    for name, options in (("local", ["--model", str(model)]), ("remote", flags)):
        assert (
            main([str(tmp_path / "song.wav"), "--output", str(tmp_path / name), *options]) == 0
        ), capsys.readouterr()
    for stem in ("piano", "voice", "residual"):
        local, remote = (
            soundfile.read(tmp_path / name / "song" / f"{stem}.wav", dtype="float32")
            for name in ("local", "remote")
        )
        assert local[1] == remote[1]
        np.testing.assert_allclose(remote[0], local[0], rtol=0, atol=1e-6)


def test_the_command_reports_a_server_that_does_not_answer(music, tmp_path, capsys):
    from tfsepgan.cli.separate import main

    soundfile.write(tmp_path / "song.wav", music[0], RATE)
    options = [
        "--server",
        "127.0.0.1:9",
        "--rest",
        "--deadline-seconds",
        "0.3",
        "--output",
        str(tmp_path / "out"),
    ]
    assert main([str(tmp_path / "song.wav"), *options]) == 1
    assert capsys.readouterr().err.startswith(
        "ServingError: 127.0.0.1:9 (REST) gave no usable answer"
    )
    assert not (tmp_path / "out").exists()
    assert main([str(tmp_path / "song.wav"), "--rest"]) == 2


@pytest.fixture(scope="module")
def unreliable(model):
    """A server that sends a wrong reply to two requests of five."""
    pytest.importorskip("tensorflow_serving.apis", reason="tensorflow-serving-api is not installed")
    faults = {"exhausted": 0.1, "truncated": 0.2, "altered": 0.1}
    with from_tools("loopback_process").ServerProcess(
        "small", model, faults=faults, seed=5
    ) as server:
        yield server
    injected = {json.loads(line).get("fault") for line in server.said.splitlines()}
    assert set(faults) <= injected


@pytest.mark.parametrize("rest", [False, True])
def test_replies_that_are_cut_altered_or_refused_never_reach_the_caller(
    unreliable, one_pass, music, rest
):
    expected = {name: stem[0] for name, stem in one_pass(music[:1]).items()}
    options = {"rest": rest, "block_seconds": 0.1, "patience": Patience(**QUICK)}
    with connect(address(unreliable, rest), "small", **options) as separator:
        for _ in range(4):
            assert_close(separator.separate(music[0], RATE), expected)


@pytest.mark.parametrize("rest", [False, True])
def test_a_server_that_never_answers_is_an_error_in_time(rest):
    pytest.importorskip("tensorflow_serving.apis", reason="tensorflow-serving-api is not installed")
    patience = Patience(attempts=2, attempt_seconds=0.2, first_wait_seconds=0.01)
    sentence = "in 2 attempts; the last was (DEADLINE_EXCEEDED|UNAVAILABLE)"
    with (
        socket.create_server(("127.0.0.1", 0)) as silent,
        pytest.raises(ServingError, match=sentence),
    ):
        connect(f"127.0.0.1:{silent.getsockname()[1]}", "small", rest=rest, patience=patience)


def test_under_load_with_faults_every_file_is_complete_or_a_clear_error(model):
    pytest.importorskip("tensorflow_serving.apis", reason="tensorflow-serving-api is not installed")
    tool = from_tools("bench_serving")
    faults = {**tool.FAULTS, "slow_seconds": 1.0}
    figures = tool.run(
        model, requests=12, faults=faults, mean_bytes=1.5e6, restart=True, seed=1, deadline=120.0
    )
    assert (figures["requests"], figures["wrong"]) == (12, 0), figures
    assert figures["whole"] >= 9, figures  # all of them on an idle machine
    assert figures["faults"] and figures["restarts"] == 1, figures
