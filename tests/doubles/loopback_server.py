"""TF Serving's gRPC and REST interfaces in Python, for tests on machines without TF Serving.

The messages are TF Serving's own (tensorflow-serving-api). The model runs in TensorFlow's C++
session through its C API (`c_session.py`); Python TensorFlow is not imported. Implemented are
Predict, GetModelMetadata and GetModelStatus, and REST predict, metadata and status. Status codes,
error texts, base64 and the packing of floats follow TF Serving's source. Not for production.

    python tests/doubles/loopback_server.py --model piano=exported_models/piano \\
        --port 8500 --rest-api-port 8501
"""

import argparse
import importlib.util
import json
import signal
import struct
import sys
import threading
import time
import types
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import grpc
import numpy as np
from c_api import CODES, DTYPES, INVALID_ARGUMENT, NOT_FOUND, STRING, SessionError
from c_session import Session
from loopback_faults import FaultRates, Faults, altered
from loopback_rest import rest_server


def without_tensorflow() -> None:
    """Make TensorFlow's message modules importable without importing TensorFlow."""
    found = importlib.util.find_spec("tensorflow")
    stand_in = types.ModuleType("tensorflow")
    stand_in.__path__, stand_in.__spec__ = list(found.submodule_search_locations), found
    sys.modules["tensorflow"] = stand_in


without_tensorflow()
from tensorflow.core.framework import tensor_pb2  # noqa: E402
from tensorflow.core.protobuf import meta_graph_pb2  # noqa: E402
from tensorflow_serving.apis import (  # noqa: E402
    get_model_metadata_pb2,
    get_model_status_pb2,
    model_service_pb2_grpc,
    predict_pb2,
    prediction_log_pb2,
    prediction_service_pb2_grpc,
)

STATUS = {code.value[0]: code for code in grpc.StatusCode}
FIELDS = {
    np.dtype(kind): name
    for kind, name in ((np.float32, "float_val"), (np.bool_, "bool_val"), (np.int32, "int_val"))
}


class Servable:
    """The newest version in a model's folder, loaded and warmed up as in TF Serving."""

    def __init__(self, name: str, folder: Path, *, threads: int, faults: Faults):
        versions = sorted(int(path.name) for path in folder.iterdir() if path.name.isdigit())
        if not versions:
            raise SystemExit(
                f"{folder} holds no version of a model; wanted a folder such as {folder}/1"
            )
        self.name, self.version, self.faults = name, versions[-1], faults
        self.session = Session(folder / str(self.version), threads=threads)
        self.signatures = self.session.signatures
        self.warmed_up = self._warm_up(
            folder / str(self.version) / "assets.extra" / "tf_serving_warmup_requests"
        )

    def predict(self, signature: str, inputs: dict, outputs=()) -> dict[str, np.ndarray]:
        """Run a signature, with a fault if one is drawn.

        Raises: SessionError, Truncated.
        """
        fault = self.faults.draw()
        if fault:
            # in one write, as several threads print
            print(json.dumps({"fault": fault}) + "\n", end="", flush=True)
        if fault == "exhausted":
            raise SessionError(8, "injected: too many requests")
        if fault == "slow":
            time.sleep(self.faults.rates.slow_seconds)
        results = self.session.run(signature or "serving_default", inputs, tuple(outputs))
        name = self.faults.choose(sorted(results))
        if fault == "altered" and signature != "describe":
            results[name] = altered(results[name])
        if fault == "truncated" and self.faults.choose((True, False)):
            del results[name]
        elif fault == "truncated":
            raise Truncated(results, name)
        return results

    def _warm_up(self, path: Path) -> int:
        """Run the warm-up requests; if one fails, the model is not loaded."""
        content, place, count = path.read_bytes() if path.is_file() else b"", 0, 0
        while place < len(content):
            (length,) = struct.unpack_from("<Q", content, place)
            log = prediction_log_pb2.PredictionLog.FromString(
                content[place + 12 : place + 12 + length]
            )
            request = log.predict_log.request
            inputs = {name: array(value) for name, value in request.inputs.items()}
            self.session.run(request.model_spec.signature_name, inputs)
            place, count = place + 16 + length, count + 1
        return count


class Truncated(Exception):
    """A reply whose end is to be cut off."""

    def __init__(self, results: dict, name: str):
        self.results, self.name = results, name


class Models:
    """The served models by name."""

    def __init__(self, servables):
        self._by_name = {one.name: one for one in servables}

    def get(self, name: str, version: int | None) -> Servable:
        """A model by name and version (None takes the newest). Raises: SessionError."""
        found = self._by_name.get(name)
        if found is None or version not in (None, found.version):
            which = f"Specific({name}, {version})" if version is not None else f"Latest({name})"
            raise SessionError(NOT_FOUND, f"Servable not found for request: {which}")
        return found


class Prediction(prediction_service_pb2_grpc.PredictionServiceServicer):
    """Predict and GetModelMetadata."""

    def __init__(self, models: Models):
        self._models = models

    def Predict(self, request, context):
        """Run a signature."""
        reply = predict_pb2.PredictResponse()
        try:
            model = _model(self._models, request.model_spec)
            signature = request.model_spec.signature_name
            inputs = {name: array(value) for name, value in request.inputs.items()}
            results = model.predict(signature, inputs, request.output_filter)
        except Truncated as cut:
            results = cut.results
            _pack(reply, results)
            _cut(reply.outputs[cut.name], model.faults)
        except SessionError as error:
            context.abort(STATUS[error.code], str(error))
        else:
            _pack(reply, results)
        reply.model_spec.name, reply.model_spec.version.value = model.name, model.version
        reply.model_spec.signature_name = signature
        return reply

    def GetModelMetadata(self, request, context):
        """The inputs and outputs of all signatures."""
        try:
            model = _model(self._models, request.model_spec)
        except SessionError as error:
            context.abort(STATUS[error.code], str(error))
        reply = get_model_metadata_pb2.GetModelMetadataResponse()
        reply.model_spec.name, reply.model_spec.version.value = model.name, model.version
        meta_graph = meta_graph_pb2.MetaGraphDef.FromString(model.session.meta_graph)
        signatures = get_model_metadata_pb2.SignatureDefMap()
        for name, definition in meta_graph.signature_def.items():
            signatures.signature_def[name].CopyFrom(definition)
        reply.metadata["signature_def"].Pack(signatures)
        return reply


class Status(model_service_pb2_grpc.ModelServiceServicer):
    """GetModelStatus."""

    def __init__(self, models: Models):
        self._models = models

    def GetModelStatus(self, request, context):
        """AVAILABLE for the only version, the loaded one."""
        try:
            model = _model(self._models, request.model_spec)
        except SessionError as error:
            context.abort(STATUS[error.code], str(error))
        state = get_model_status_pb2.ModelVersionStatus.AVAILABLE
        reply = get_model_status_pb2.GetModelStatusResponse()
        reply.model_version_status.add(version=model.version, state=state)
        return reply


def array(tensor) -> np.ndarray:
    """A TensorProto as an array. Raises: SessionError when its length does not fit its shape."""
    shape = tuple(dim.size for dim in tensor.tensor_shape.dim)
    size = int(np.prod(shape, dtype=np.int64))
    if tensor.dtype == STRING:
        values = np.empty(len(tensor.string_val), object)
        values[:] = list(tensor.string_val)
    elif tensor.tensor_content:
        values = np.frombuffer(tensor.tensor_content, DTYPES.get(tensor.dtype, np.uint8))
    else:
        kind = np.dtype(DTYPES.get(tensor.dtype, np.float32))
        name = {"f8": "double_val", "i8": "int64_val", "u1": "int_val"}.get(
            kind.str[1:], FIELDS.get(kind, "float_val")
        )
        values = np.fromiter(getattr(tensor, name), kind)
        if len(values) == 1 and size > 1:
            values = np.full(size, values[0])
    if len(values) != size:
        raise SessionError(
            INVALID_ARGUMENT, f"a tensor of shape {list(shape)} has {len(values)} values"
        )
    return values.reshape(shape)


def _pack(reply, results: dict) -> None:
    """Write arrays into a PredictResponse, value by value as in TF Serving."""
    for name, value in results.items():
        tensor = tensor_pb2.TensorProto(
            dtype=STRING if value.dtype == object else CODES[value.dtype]
        )
        for size in value.shape:
            tensor.tensor_shape.dim.add(size=size)
        values = value.reshape(-1).tolist()
        getattr(tensor, "string_val" if value.dtype == object else FIELDS[value.dtype]).extend(
            values
        )
        reply.outputs[name].CopyFrom(tensor)


def _cut(tensor, faults: Faults) -> None:
    """Cut off the end of a tensor; sometimes its shape is shortened too, to look complete."""
    if tensor.string_val:
        tensor.string_val[0] = tensor.string_val[0][: len(tensor.string_val[0]) // 2]
    elif faults.choose((True, False)) and len(tensor.tensor_shape.dim) == 3:
        dims = tensor.tensor_shape.dim
        dims[1].size //= 2
        del tensor.float_val[dims[0].size * dims[1].size * dims[2].size :]
    else:
        del tensor.float_val[len(tensor.float_val) // 2 :]


def _model(models: Models, spec) -> Servable:
    return models.get(spec.name, spec.version.value if spec.HasField("version") else None)


def grpc_server(models: Models, port: int, *, workers: int):
    """A started gRPC server, and its port."""
    options = [
        ("grpc.max_receive_message_length", -1),
        ("grpc.max_send_message_length", -1),
        ("grpc.so_reuseport", 0),
    ]
    server = grpc.server(ThreadPoolExecutor(workers), options=options)
    prediction_service_pb2_grpc.add_PredictionServiceServicer_to_server(Prediction(models), server)
    model_service_pb2_grpc.add_ModelServiceServicer_to_server(Status(models), server)
    bound = server.add_insecure_port(f"127.0.0.1:{port}")
    server.start()
    return server, bound


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", action="append", required=True, metavar="NAME=FOLDER")
    parser.add_argument("--port", type=int, default=0, help="of gRPC; 0 takes a free one")
    parser.add_argument("--rest-api-port", type=int, default=0)
    parser.add_argument("--workers", type=int, default=4, help="number of requests at a time")
    parser.add_argument("--threads", type=int, default=1, help="of TensorFlow, per request")
    parser.add_argument(
        "--faults", default="{}", help="rates by kind as JSON, such as '{\"slow\": 0.1}'"
    )
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    faults = Faults(FaultRates(**json.loads(options.faults)), options.seed)
    pairs = [one.partition("=")[::2] for one in options.model]
    models = Models(
        Servable(name, Path(path), threads=options.threads, faults=faults) for name, path in pairs
    )
    server, port = grpc_server(models, options.port, workers=options.workers)
    rest, rest_port = rest_server(models, options.rest_api_port)
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    foreign = sorted({name.split(".")[0] for name in sys.modules} & {"keras", "tfsepgan"})
    foreign += ["tensorflow"] if hasattr(sys.modules["tensorflow"], "constant") else []
    facts = {"port": port, "rest_api_port": rest_port, "python_packages_of_tensorflow": foreign}
    print(json.dumps(facts), flush=True)
    stop.wait()
    server.stop(grace=0.5).wait()
    rest.shutdown()


if __name__ == "__main__":
    main()
