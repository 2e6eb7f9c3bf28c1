"""Every signature, run by TensorFlow's C API, equals one pass of the Keras model."""

import json
import subprocess
import sys

import numpy as np
import pytest
from serving_for_tests import RATE, REQUEST_SECONDS, SOURCES, assert_close, read_wav, strings, wav
from tools_for_tests import DOUBLES

from tfsepgan.export.savedmodel.signatures import SIGNATURES


@pytest.mark.parametrize("signature", ["separate", "serving_default"])
@pytest.mark.parametrize(("batch", "time"), [(1, 1), (1, 63), (1, 64), (8, 1000), (8, 16077)])
def test_separate_equals_keras(session, one_pass, music, signature, batch, time):
    mixture = np.ascontiguousarray(music[:batch, :time])
    assert_close(session.run(signature, {"mixture": mixture}), one_pass(mixture))


def test_channels_are_separated_each_on_its_own(session, one_pass, music):
    mixture = np.ascontiguousarray(music[:6].reshape(2, 3, -1).transpose(0, 2, 1))
    assert_close(session.run("separate", {"mixture": mixture}), one_pass(mixture))


@pytest.mark.parametrize("subtype", ["FLOAT", "PCM_16", "PCM_24", "PCM_32"])
@pytest.mark.parametrize("container", ["WAV", "WAVEX"])
def test_wav_files_give_the_stems_of_their_samples(session, one_pass, music, subtype, container):
    mixtures = [np.ascontiguousarray(music[:2, :time, 0].T) for time in (3001, 64)]
    files = [wav(mixture, subtype, container=container) for mixture in mixtures]
    reply = session.run("separate_wav", {"wav": strings(*files)})
    assert set(reply) == {"piano_bytes", "voice_bytes", "residual_bytes"}
    for index, file in enumerate(files):
        stems = {
            name.removesuffix("_bytes"): read_wav(content[index]) for name, content in reply.items()
        }
        decoded = read_wav(file)
        assert_close(stems, {name: stem[0] for name, stem in one_pass(decoded[None]).items()})
        np.testing.assert_allclose(sum(stems.values()), decoded, rtol=0, atol=1e-6)


def test_eight_wav_files_give_the_same_stems_as_one_alone(session, one_pass, music):
    reply = session.run("separate_wav", {"wav": strings(*(wav(one) for one in music))})
    stems = {
        name.removesuffix("_bytes"): np.stack([read_wav(one) for one in many])
        for name, many in reply.items()
    }
    assert_close(stems, one_pass(music))
    alone = session.run("separate_wav", {"wav": np.array(wav(music[0]), object)})
    assert (
        alone["piano_bytes"].shape == () and alone["piano_bytes"].item() == reply["piano_bytes"][0]
    )


def test_stems_in_wav_files_are_not_clipped(session, one_pass, music):
    loud = music[:1] * np.float32(3 / np.abs(music[0]).max())
    reply = session.run("separate_wav", {"wav": strings(wav(loud[0]))})
    assert np.abs(read_wav(reply["piano_bytes"][0])).max() > 1
    np.testing.assert_allclose(
        sum(read_wav(one[0]) for one in reply.values()), loud[0], rtol=0, atol=1e-5
    )


def streamed(session, mixture, pieces):
    """The stems of a mixture sent in pieces of cycling lengths, and the longest context."""
    context, done, number, longest, replies = mixture[:, :0], 0, 0, 0, []
    while done < mixture.shape[1]:
        block = mixture[:, done : done + pieces[number % len(pieces)]]
        done, number = done + block.shape[1], number + 1
        reply = session.run(
            "stream",
            {"block": block, "context": context, "final": np.array(done == mixture.shape[1])},
        )
        context = reply.pop("context")
        longest = max(longest, context.shape[1])
        replies.append(reply)
    assert context.shape[1] == 0
    return {
        name: np.concatenate([reply[name] for reply in replies], axis=1) for name in replies[0]
    }, longest


@pytest.mark.parametrize("pieces", [(16077,), (4000,), (100,), (1, 3000, 64, 63, 1281, 7)])
@pytest.mark.parametrize("batch", [1, 8])
def test_a_stream_of_blocks_equals_one_pass(session, bundle, one_pass, music, pieces, batch):
    mixture = music[:batch, : 16077 if batch == 1 else 5000]
    stems, longest = streamed(session, mixture, pieces)
    assert_close(stems, one_pass(mixture), limit=1e-5)
    reach = -(-bundle.manifest.context // bundle.manifest.hop) * bundle.manifest.hop
    assert longest < 2 * reach + bundle.manifest.hop


def test_a_stream_returns_all_samples_that_are_ready(session, bundle):
    hop, context = bundle.manifest.hop, bundle.manifest.context
    block = np.zeros((1, context + hop, 2), np.float32)
    for time, ready in ((context + hop - 1, 0), (context + hop, hop)):
        reply = session.run(
            "stream", {"block": block[:, :time], "context": block[:, :0], "final": np.array(False)}
        )
        assert reply["piano"].shape == (1, ready, 2)


def test_the_end_of_a_stream_may_come_without_samples(session, one_pass, music):
    mixture = music[:2, :500]
    first = session.run(
        "stream", {"block": mixture, "context": np.zeros(0, np.float32), "final": np.array(False)}
    )
    assert first["piano"].shape == (2, 0, 1)
    last = session.run(
        "stream",
        {"block": mixture[:, :0], "context": first.pop("context"), "final": np.array(True)},
    )
    assert last.pop("context").size == 0
    assert_close(last, one_pass(mixture))


def test_the_description_holds_what_a_client_needs(session, bundle):
    reply = session.run("describe", {"question": strings(b"", b"x")})["manifest"]
    first, second = (json.loads(one) for one in reply)
    assert first == second
    expected = {"name": "small", "sample_rate_hz": RATE, "sources": list(SOURCES), "hop": 64}
    assert expected.items() <= first.items()
    assert first["context"] == bundle.manifest.context
    assert first["limits"] == {
        "max_request_seconds": REQUEST_SECONDS,
        "max_request_samples": RATE * REQUEST_SECONDS,
    }


def test_each_weight_is_stored_once(model, bundle):
    stored = (model / "1" / "variables" / "variables.data-00000-of-00001").stat().st_size
    assert 4 * bundle.manifest.parameters <= stored < 1.1 * 4 * bundle.manifest.parameters


def test_no_operator_of_python_is_needed(model, music, one_pass, tmp_path):
    """A process without Python TensorFlow and without tfsepgan runs the model."""
    np.savez(tmp_path / "in.npz", mixture=music[:2])
    command = [
        sys.executable,
        "-I",
        DOUBLES / "c_session.py",
        model / "1",
        "separate",
        tmp_path / "in.npz",
    ]
    done = subprocess.run(
        [*command, tmp_path / "out.npz"], capture_output=True, text=True, check=True
    )
    summary = json.loads(done.stdout)
    assert summary == {"signatures": sorted(SIGNATURES), "python_packages_of_tensorflow": []}
    with np.load(tmp_path / "out.npz") as stems:
        assert_close(dict(stems), one_pass(music[:2]))


def test_the_model_answers_its_warm_up_requests(model, session):
    import tensorflow as tf

    logs = pytest.importorskip(
        "tensorflow_serving.apis.prediction_log_pb2",
        reason="tensorflow-serving-api is not installed",
    )
    path = model / "1" / "assets.extra" / "tf_serving_warmup_requests"
    records = [
        logs.PredictionLog.FromString(one.numpy()) for one in tf.data.TFRecordDataset(str(path))
    ]
    warmed_up = set()
    for record in records:
        request = record.predict_log.request
        inputs = {name: tf.make_ndarray(value) for name, value in request.inputs.items()}
        assert request.model_spec.name == "small" and session.run(
            request.model_spec.signature_name, inputs
        )
        warmed_up.add(request.model_spec.signature_name)
    assert warmed_up == {"separate", "separate_wav", "stream"}
