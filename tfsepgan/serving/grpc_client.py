"""A client of TF Serving's gRPC interface: `PredictionService.Predict`, samples as float32."""

from collections.abc import Mapping

import numpy as np

from tfsepgan.errors import ServingError
from tfsepgan.serving.retry import BadReply, Refused

_FLOAT = 1  # of `tensorflow.DataType`
# gRPC's waits between attempts to connect grow to two minutes by default; a restart takes less.
_CONNECTING = (("grpc.initial_reconnect_backoff_ms", 100), ("grpc.max_reconnect_backoff_ms", 1000))


class GrpcClient:
    """Sends requests to one model; several threads may use it at once."""

    overhead_bytes = 1 << 16  # of a message, in addition to its samples
    bytes_per_sample = 4.0

    def __init__(self, server: str, model: str, *, max_message_bytes: int, secure: bool = False):
        """
        Args:
          server: HOST:PORT.
          model: its name on the server.
          max_message_bytes: larger replies are refused.
          secure: use TLS, with the system's certificates.
        Raises: ServingError when tensorflow-serving-api is not installed.
        """
        try:
            import grpc
            from tensorflow import make_tensor_proto
            from tensorflow_serving.apis import predict_pb2, prediction_service_pb2_grpc
        except ImportError as error:
            raise ServingError(
                f"gRPC needs packages that are not installed ({error.name}): pip install"
                " 'tfsepgan[serving]', or use REST"
            ) from error
        self.name = f"{server} (gRPC)"
        self._grpc, self._messages, self._model = grpc, predict_pb2, model
        self._tensor_of = make_tensor_proto
        self._version: int | None = None
        options = [
            ("grpc.max_receive_message_length", max_message_bytes),
            ("grpc.max_send_message_length", max_message_bytes),
            *_CONNECTING,
        ]
        self._channel = (
            grpc.secure_channel(server, grpc.ssl_channel_credentials(), options)
            if secure
            else grpc.insecure_channel(server, options)
        )
        self._stub = prediction_service_pb2_grpc.PredictionServiceStub(self._channel)

    def describe(self, seconds: float) -> bytes:
        """The description of the model, as JSON.

        All later requests go to the version of the model that replied.

        Args:
          seconds: time limit of the request.
        Raises: Refused.
        """
        reply = self._call("describe", "question", ["?"], seconds)
        descriptions = list(reply.outputs["manifest"].string_val)
        if len(descriptions) != 1:
            raise BadReply("the reply holds no description")
        self._version = (
            reply.model_spec.version.value if reply.model_spec.HasField("version") else None
        )
        return descriptions[0]

    def separate(self, mixture: np.ndarray, seconds: float) -> Mapping[str, np.ndarray]:
        """Separate `[batch, time, 1]` float32 into stems by name; checks only their length.

        Args:
          seconds: time limit of the request.
        Raises: Refused.
        """
        reply = self._call("separate", "mixture", mixture, seconds)
        return {name: _array(tensor, name) for name, tensor in reply.outputs.items()}

    def close(self) -> None:
        """Close the connection."""
        self._channel.close()

    def _call(self, signature: str, name: str, value, seconds: float):
        """Send a request with one input, and return the reply."""
        request = self._messages.PredictRequest()
        request.model_spec.name, request.model_spec.signature_name = self._model, signature
        if self._version is not None:
            request.model_spec.version.value = self._version
        request.inputs[name].CopyFrom(self._tensor_of(value))
        try:
            return self._stub.Predict(request, timeout=seconds)
        except self._grpc.RpcError as error:
            details = error.details() or ""
            raise Refused(error.code().name, details, final="larger than max" in details) from error
        except ValueError as error:  # the channel was closed during the request
            raise Refused("CANCELLED", str(error)) from error


def _array(tensor, name: str) -> np.ndarray:
    shape = tuple(dim.size for dim in tensor.tensor_shape.dim)
    if tensor.dtype != _FLOAT:
        raise BadReply(f"{name!r} has TensorFlow's type {tensor.dtype}; wanted float32")
    content = tensor.tensor_content
    if len(content) % 4:
        raise BadReply(f"{name!r} ends within a sample")
    values = np.frombuffer(content, "<f4") if content else np.fromiter(tensor.float_val, np.float32)
    if any(size < 0 for size in shape) or values.size != np.prod(shape, dtype=np.int64):
        raise BadReply(f"{name!r} was cut short: got {values.size} values for a shape of {shape}")
    return values.reshape(shape).astype(np.float32, copy=False)
