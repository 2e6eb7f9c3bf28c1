"""Warm-up requests: a server runs them while it loads a model, so the first client does not wait.

Source: "SavedModel warmup" of TF Serving's documentation and its `prediction_log.proto`: a TFRecord
file of `PredictionLog` messages under `assets.extra`. If one of these requests fails, the model is
not loaded, so they contain only inputs that every model accepts.
Departs from it: the four nested messages are assembled byte by byte, so that an export does not
need `tensorflow-serving-api`; the tests read them with it.
"""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import tensorflow as tf

from tfsepgan.export.savedmodel.signatures import MIXTURE, SEPARATE, STREAM, WAV
from tfsepgan.export.savedmodel.wav_signature import write_wav
from tfsepgan.models.folders import Manifest

WARMUP = Path("assets.extra") / "tf_serving_warmup_requests"


def write_warmup(directory: Path, manifest: Manifest) -> None:
    """Write the warm-up requests of a SavedModel in its folder.

    They send half a second of noise to each signature that runs the network.
    """
    time = max(manifest.sample_rate_hz // 2, 1)
    noise = np.random.default_rng(0).uniform(-0.1, 0.1, (1, time, 1)).astype(np.float32)
    requests: dict[str, dict] = {
        SEPARATE: {MIXTURE: noise},
        WAV: {"wav": write_wav(tf.constant(noise[0]), manifest.sample_rate_hz).numpy()},
        STREAM: {"block": noise, "context": noise[:, :0], "final": True},
    }
    path = directory / WARMUP
    path.parent.mkdir()
    with tf.io.TFRecordWriter(str(path)) as file:
        for signature, inputs in requests.items():
            file.write(_prediction_log(manifest.name, signature, inputs))


def _prediction_log(model: str, signature: str, inputs: Mapping) -> bytes:
    """A `PredictionLog` that holds a `PredictLog` that holds a `PredictRequest`."""
    request = _field(1, _field(1, model.encode()) + _field(3, signature.encode()))
    for name, value in inputs.items():
        tensor = tf.make_tensor_proto(value).SerializeToString()
        request += _field(2, _field(1, name.encode()) + _field(2, tensor))
    return _field(6, _field(1, request))


def _field(number: int, content: bytes) -> bytes:
    """A length-delimited field of a protocol buffer."""
    length, head = len(content), bytes([number << 3 | 2])
    while length > 0x7F:
        head += bytes([length & 0x7F | 0x80])
        length >>= 7
    return head + bytes([length]) + content
