"""Requests by gRPC and REST without a client: stems as by Keras; bad requests are refused."""

import base64
import json
import urllib.error
import urllib.request

import numpy as np
import pytest
from serving_for_tests import RATE, address, assert_close, read_wav, wav


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
