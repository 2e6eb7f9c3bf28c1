"""A client of TF Serving's REST interface, which uses the signature `separate_wav`.

A WAV file of 32-bit floats in base64 is exact, and a third as long as the same numbers in JSON.
"""

import base64
import contextlib
import http.client
import io
import json
import socket
import threading
import time
from collections.abc import Iterator, Mapping
from urllib.parse import quote

import numpy as np
import soundfile

from tfsepgan.serving.retry import BAD_REPLY, BadReply, Refused

BYTES = "_bytes"  # ending of the names of binary outputs
_CODES = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    408: "DEADLINE_EXCEEDED",
    413: "INVALID_ARGUMENT",
    429: "RESOURCE_EXHAUSTED",
    500: "INTERNAL",
    501: "UNIMPLEMENTED",
    502: "UNAVAILABLE",
    503: "UNAVAILABLE",
    504: "DEADLINE_EXCEEDED",
}  # HTTP status to gRPC status, as TF Serving and proxies in front of it send them


class RestClient:
    """Sends requests to one model; several threads may use it, each has its own connection."""

    overhead_bytes = 1 << 16  # of a body, in addition to its samples
    bytes_per_sample = 16 / 3

    def __init__(self, server: str, model: str, *, max_message_bytes: int, secure: bool = False):
        """
        Args:
          server: HOST:PORT.
          model: its name on the server.
          max_message_bytes: larger replies are refused.
          secure: use HTTPS, with the system's certificates.
        """
        self.name = f"{server} (REST)"
        self._server, self._secure, self._most = server, secure, max_message_bytes
        self._model, self._place = quote(model, safe=""), f"/v1/models/{quote(model, safe='')}"
        self._rate: int | None = None  # of the model; `describe` sets it
        self._per_thread = threading.local()
        self._closed = False
        self._open: list[http.client.HTTPConnection] = []

    def describe(self, seconds: float) -> str:
        """The description of the model, as JSON.

        All later requests go to the newest version of the model at this time.

        Args:
          seconds: time limit of each request.
        Raises: Refused.
        """
        status = self._call("GET", f"/v1/models/{self._model}", None, seconds)
        try:
            versions = status["model_version_status"]
            ready = [int(one["version"]) for one in versions if one["state"] == "AVAILABLE"]
        except (KeyError, TypeError, ValueError) as error:
            raise BadReply(f"the status cannot be used: {status!r:.200}") from error
        if not ready:
            raise Refused("UNAVAILABLE", "no version of the model is ready yet")
        self._place = f"/v1/models/{self._model}/versions/{max(ready)}"
        reply = self._predict("describe", {"question": ["?"]}, seconds)
        description = reply[0] if isinstance(reply, list) and reply else None
        if not isinstance(description, str):
            raise BadReply(f"the reply holds no description: {reply!r:.200}")
        try:
            self._rate = int(json.loads(description)["sample_rate_hz"])
        except (ValueError, KeyError, TypeError) as error:
            raise BadReply(f"the description cannot be used: {description:.200}") from error
        return description

    def separate(self, mixture: np.ndarray, seconds: float) -> Mapping[str, np.ndarray]:
        """Separate `[batch, time, 1]` float32 into stems by name; checks only that they are audio.

        Args:
          seconds: time limit of the request.
        Raises: Refused.
        """
        file = io.BytesIO()
        soundfile.write(file, mixture[..., 0].T, self._rate, format="WAV", subtype="FLOAT")
        inputs = {"wav": {"b64": base64.b64encode(file.getvalue()).decode("ascii")}}
        reply = self._predict("separate_wav", inputs, seconds)
        if not isinstance(reply, dict):
            raise BadReply("the reply holds no stems")
        return {name.removesuffix(BYTES): _samples(one, name) for name, one in reply.items()}

    def close(self) -> None:
        """Close all connections; requests that are waiting for a reply fail."""
        self._closed = True
        for one in self._open:
            if one.sock is not None:
                _cut(one.sock)
            one.close()

    def _predict(self, signature: str, inputs: dict, seconds: float):
        body = json.dumps({"signature_name": signature, "inputs": inputs}).encode()
        reply = self._call("POST", f"{self._place}:predict", body, seconds)
        if not isinstance(reply, dict) or "outputs" not in reply:
            raise BadReply(f"the reply cannot be used: {reply!r:.200}")
        return reply["outputs"]

    def _call(self, method: str, path: str, body: bytes | None, seconds: float):
        if self._closed:
            raise Refused("CANCELLED", "the client was closed")
        end = time.monotonic() + seconds
        try:
            with _cut_at(end, self._connection(seconds)) as connection:
                connection.request(
                    method, path, body, {"Content-Type": "application/json"} if body else {}
                )
                answer = connection.getresponse()
                text = answer.read(self._most + 1)
                missing = answer.length  # bytes that were announced and not received
                if time.monotonic() >= end:  # it may have been cut
                    raise TimeoutError
        except (OSError, http.client.HTTPException) as error:
            self._drop()
            if self._closed:
                raise Refused("CANCELLED", "the client was closed") from error
            if isinstance(error, TimeoutError) or time.monotonic() >= end:
                raise Refused("DEADLINE_EXCEEDED", f"no answer within {seconds:.1f} s") from error
            reason = "".join(one for one in f"{type(error).__name__}: {error}" if one.isprintable())
            raise Refused(
                "UNAVAILABLE", f"{reason} (REST is usually on port 8501, gRPC on 8500)"
            ) from error
        if len(text) > self._most:
            self._drop()
            raise Refused(
                "RESOURCE_EXHAUSTED",
                f"the reply is larger than max_message_bytes, {self._most}",
                final=True,
            )
        if missing:
            self._drop()
            raise BadReply(f"the reply was cut short, {missing} bytes are missing")
        return self._parsed(answer.status, text)

    def _parsed(self, status: int, text: bytes):
        try:
            reply = json.loads(text)
        except (ValueError, RecursionError) as error:
            code = BAD_REPLY if status == 200 else _CODES.get(status, "UNKNOWN")
            raise Refused(
                code, f"HTTP {status}, with a body that is not JSON: {text[:200]!r}"
            ) from error
        if status != 200:
            message = reply.get("error") if isinstance(reply, dict) else None
            raise Refused(_CODES.get(status, "UNKNOWN"), str(message or text[:200]))
        return reply

    def _connection(self, seconds: float) -> http.client.HTTPConnection:
        """This thread's open connection, with a time limit of each wait."""
        connection = getattr(self._per_thread, "connection", None)
        if connection is None:
            kind = http.client.HTTPSConnection if self._secure else http.client.HTTPConnection
            connection = self._per_thread.connection = kind(self._server)
            self._open.append(connection)
        connection.timeout = seconds
        if connection.sock is None:
            connection.connect()
        connection.sock.settimeout(seconds)
        return connection

    def _drop(self) -> None:
        """Close this thread's connection; the next request opens it again."""
        self._per_thread.connection.close()


@contextlib.contextmanager
def _cut_at(end: float, connection: http.client.HTTPConnection) -> Iterator:
    """Within this context, the connection ends at a time, even if the server still sends."""
    # the socket itself: the connection forgets it when the server announces the end
    timer = threading.Timer(end - time.monotonic(), _cut, [connection.sock])
    timer.daemon = True
    timer.start()
    try:
        yield connection
    finally:
        timer.cancel()


def _cut(one: socket.socket) -> None:
    with contextlib.suppress(OSError):
        one.shutdown(socket.SHUT_RDWR)


def _samples(value, name: str) -> np.ndarray:
    """A WAV file in base64 as `[channels, time, 1]` float32."""
    try:
        file = base64.b64decode(value["b64"], validate=True)
        with soundfile.SoundFile(io.BytesIO(file)) as sound:
            if sound.format != "WAV" or 4 * sound.frames * sound.channels > len(file):
                raise ValueError(
                    f"{sound.format} of {len(file)} bytes that promises {sound.frames} samples"
                )
            samples = sound.read(dtype="float32", always_2d=True)
    except (TypeError, KeyError, ValueError, RuntimeError, soundfile.SoundFileError) as error:
        raise BadReply(f"{name!r} is not audio: {error}") from error
    return np.ascontiguousarray(samples.T)[..., None]
