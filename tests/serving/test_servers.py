"""Clients and server together: the stems are those of Keras, or there is an error."""

import base64
import json
import socket
import urllib.error
import urllib.request

import numpy as np
import pytest
import soundfile
from serving_for_tests import RATE, assert_close, read_wav, wav
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


def address(server, rest):
    return f"127.0.0.1:{server.rest_port if rest else server.port}"


@pytest.fixture(params=["grpc", "rest"])
def remote(request, server):
    """A separator of short blocks through a server."""
    rest = request.param == "rest"
    with connect(
        address(server, rest), "small", rest=rest, block_seconds=0.2, patience=Patience(**QUICK)
    ) as separator:
        yield separator


@pytest.mark.parametrize(("frames", "channels"), [(1, 1), (63, 2), (16077, 3)])
def test_a_recording_through_a_server_equals_one_pass(remote, one_pass, music, frames, channels):
    mixture = np.ascontiguousarray(music[:channels, :frames, 0].T)
    stems = remote.separate(mixture, RATE)
    assert_close({name: stem[None] for name, stem in stems.items()}, one_pass(mixture[None]))


def test_other_rates_equal_the_local_separator(remote, bundle, music):
    mixture = np.ascontiguousarray(music[:2, :, 0].T)
    assert_close(remote.separate(mixture, 11025), Separator(bundle).separate(mixture, 11025))


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
        connect(address(server, rest), "small", rest=rest, max_message_bytes=100_000)


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


def post(server, body, name="small"):
    request = urllib.request.Request(
        f"http://127.0.0.1:{server.rest_port}/v1/models/{name}:predict", json.dumps(body).encode()
    )
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)


def test_rest_by_columns_and_by_rows(server, one_pass, music):
    mixture = music[:2, :500]
    expected = one_pass(mixture)
    status, columns = post(
        server, {"signature_name": "separate", "inputs": {"mixture": mixture.tolist()}}
    )
    assert status == 200
    assert_close(
        {name: np.array(stem, np.float32) for name, stem in columns["outputs"].items()}, expected
    )
    status, rows = post(server, {"instances": mixture.tolist()})
    assert status == 200
    stems = {
        name: np.array([row[name] for row in rows["predictions"]], np.float32) for name in expected
    }
    assert_close(stems, expected)


def test_rest_takes_wav_files_as_base64(server, one_pass, music):
    content = {"b64": base64.b64encode(wav(music[0])).decode()}
    status, reply = post(server, {"signature_name": "separate_wav", "inputs": {"wav": [content]}})
    assert status == 200
    stems = {
        name.removesuffix("_bytes"): read_wav(base64.b64decode(one[0]["b64"]))[None]
        for name, one in reply["outputs"].items()
    }
    assert_close(stems, one_pass(music[:1]))


BAD = [
    ({"inputs": {"mixture": [[0.1]]}}, "send `mixture` as float32 [batch, time, channels]"),
    ({"inputs": {"mixture": [[["a"]]]}}, ""),
    ({"inputs": {"mixture": [[[0.1], [0.1, 0.2]]]}}, ""),
    ({"inputs": {"mixture": [[[1e99]]]}}, ""),
    ({"inputs": {"sound": [[[0.1]]]}}, "mixture"),
    ({}, "'inputs' or 'instances'"),
    ([], ""),
    ({"signature_name": "nothing", "inputs": []}, "nothing"),
    (
        {"signature_name": "separate_wav", "inputs": {"wav": [{"b64": "aGVsbG8="}]}},
        "not a WAV file",
    ),
    ({"signature_name": "separate_wav", "inputs": {"wav": [{"b64": "no base64!"}]}}, ""),
]


@pytest.mark.parametrize(("body", "words"), BAD, ids=[json.dumps(body)[:60] for body, _ in BAD])
def test_bad_requests_by_rest_are_refused_and_the_server_keeps_running(server, body, words):
    status, reply = post(server, body)
    assert status == 400
    assert words in reply["error"]
    assert post(server, {"instances": [[[0.1]]]})[0] == 200


@pytest.fixture
def predict(server):
    """`PredictionService.Predict` on arrays."""
    import grpc
    import tensorflow as tf
    from tensorflow_serving.apis import predict_pb2, prediction_service_pb2_grpc

    options = [("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1)]
    with grpc.insecure_channel(address(server, False), options) as channel:
        stub = prediction_service_pb2_grpc.PredictionServiceStub(channel)

        def call(signature, outputs=(), **inputs):
            request = predict_pb2.PredictRequest(output_filter=outputs)
            request.model_spec.name, request.model_spec.signature_name = "small", signature
            for name, value in inputs.items():
                request.inputs[name].CopyFrom(tf.make_tensor_proto(value))
            reply = stub.Predict(request, timeout=60)
            return {name: tf.make_ndarray(one) for name, one in reply.outputs.items()}

        yield call


def test_every_signature_by_grpc(predict, one_pass, music):
    expected = one_pass(music)
    assert_close(predict("separate", mixture=music), expected)
    assert_close(predict("", mixture=music), expected)
    files = predict("separate_wav", wav=[wav(one) for one in music])
    stems = {
        name.removesuffix("_bytes"): np.stack([read_wav(one) for one in many])
        for name, many in files.items()
    }
    assert_close(stems, expected)
    first = predict("stream", block=music[:, :4000], context=music[:, :0], final=False)
    last = predict("stream", block=music[:, 4000:], context=first.pop("context"), final=True)
    assert last.pop("context").shape == (8, 0, 1)
    assert_close(
        {name: np.concatenate([first[name], last[name]], axis=1) for name in first}, expected
    )
    assert set(predict("separate", outputs=["voice"], mixture=music)) == {"voice"}


TWO_HOURS = (1, 7200 * RATE, 1)


@pytest.mark.parametrize(
    ("inputs", "words"),
    [
        ({"mixture": np.zeros((5, 5), np.float32)}, "send `mixture` as float32"),
        ({"mixture": np.zeros((1, 5, 1))}, "float"),
        ({"mixture": np.full((1, 5, 1), np.nan, np.float32)}, "NaN or infinite"),
        ({"mixture": np.zeros((1, 0, 1), np.float32)}, "send at least one sample"),
        ({"mixture": np.zeros(TWO_HOURS, np.float32)}, "send at most 240000"),
        ({"sound": np.zeros((1, 5, 1), np.float32)}, "mixture"),
        ({}, "mixture"),
    ],
    ids=["rank", "dtype", "NaN", "empty", "two hours", "name", "none"],
)
def test_bad_requests_by_grpc_are_refused_and_the_server_keeps_running(predict, inputs, words):
    import grpc

    with pytest.raises(grpc.RpcError) as caught:
        predict("separate", **inputs)
    assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert words in caught.value.details()
    assert predict("separate", mixture=np.zeros((1, 9, 1), np.float32))["piano"].shape == (1, 9, 1)


def test_metadata_and_status(server):
    import grpc
    from tensorflow_serving.apis import (
        get_model_metadata_pb2,
        get_model_status_pb2,
        model_service_pb2_grpc,
        prediction_service_pb2_grpc,
    )

    with grpc.insecure_channel(address(server, False)) as channel:
        request = get_model_metadata_pb2.GetModelMetadataRequest(metadata_field=["signature_def"])
        request.model_spec.name = "small"
        reply = prediction_service_pb2_grpc.PredictionServiceStub(channel).GetModelMetadata(
            request, timeout=60
        )
        signatures = get_model_metadata_pb2.SignatureDefMap.FromString(
            reply.metadata["signature_def"].value
        ).signature_def
        shape = signatures["separate"].inputs["mixture"].tensor_shape
        assert [dim.size for dim in shape.dim] == [-1, -1, -1]
        status = get_model_status_pb2.GetModelStatusRequest()
        status.model_spec.name = "small"
        states = (
            model_service_pb2_grpc.ModelServiceStub(channel)
            .GetModelStatus(status, timeout=60)
            .model_version_status
        )
        assert [(one.version, one.state) for one in states] == [
            (1, get_model_status_pb2.ModelVersionStatus.AVAILABLE)
        ]


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
        model, requests=20, faults=faults, mean_bytes=2e6, restart=True, seed=1, deadline=120.0
    )
    assert (figures["requests"], figures["wrong"]) == (20, 0), figures
    assert figures["whole"] >= 15, figures  # all of them on an idle machine
    assert figures["faults"] and figures["restarts"] == 1, figures
