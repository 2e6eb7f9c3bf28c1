"""TF Serving's REST interface for `loopback_server.py`: predict, metadata and status.

Source: "RESTful API" of TF Serving's documentation; `json_tensor.cc` and `http_server.cc` for what
the documentation leaves open.
"""

import base64
import binascii
import json
import re
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
from c_api import DTYPES, INVALID_ARGUMENT, STRING, SessionError

PATH = re.compile(r"/v1/models/([^/:]+)(?:/versions/(\d+))?(:predict|/metadata)?")
# gRPC status code to HTTP status
HTTP = {3: 400, 4: 504, 5: 404, 6: 409, 7: 403, 8: 429, 9: 400, 10: 409, 11: 400, 12: 501, 14: 503}


class Handler(BaseHTTPRequestHandler):
    """One request."""

    protocol_version = "HTTP/1.1"
    models = None  # set by `rest_server`

    def do_GET(self):
        """Status and metadata."""
        self._answer(self._get)

    def do_POST(self):
        """Predict."""
        self._answer(self._post)

    def log_message(self, *_):
        """Print no log."""

    def _answer(self, work) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        cut = False
        try:
            status, content, cut = 200, *work(body)
        except SessionError as error:
            status, content = HTTP.get(error.code, 500), {"error": str(error)}
        text = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        try:
            self.wfile.write(text[: len(text) // 2] if cut else text)
        except OSError:  # the client has closed the connection
            cut = True
        self.close_connection = self.close_connection or cut

    def _place(self):
        found = PATH.fullmatch(self.path)
        if not found:
            raise SessionError(INVALID_ARGUMENT, f"Malformed request: {self.command} {self.path}")
        name, version, what = found.groups()
        return self.models.get(name, int(version) if version else None), what

    def _get(self, _):
        model, what = self._place()
        if what == "/metadata":
            signatures = {
                name: {"inputs": _infos(pair[0]), "outputs": _infos(pair[1])}
                for name, pair in model.signatures.items()
            }
            spec = {"name": model.name, "signature_name": "", "version": str(model.version)}
            return {
                "model_spec": spec,
                "metadata": {"signature_def": {"signature_def": signatures}},
            }, False
        state = {
            "version": str(model.version),
            "state": "AVAILABLE",
            "status": {"error_code": "OK", "error_message": ""},
        }
        return {"model_version_status": [state]}, False

    def _post(self, body: bytes):
        model, _ = self._place()
        try:
            request = json.loads(body)
            signature = request.get("signature_name", "serving_default")
        except (ValueError, AttributeError) as error:
            raise SessionError(INVALID_ARGUMENT, f"JSON Parse error: {error}") from error
        if signature not in model.signatures:
            raise SessionError(
                INVALID_ARGUMENT,
                f'Serving signature name: "{signature}" not found in signature def',
            )
        wanted = model.signatures[signature][0]
        rows = "instances" in request
        inputs = (
            _rows(request["instances"], wanted) if rows else _columns(request.get("inputs"), wanted)
        )
        cut = False
        try:
            results = model.predict(signature, inputs)
        except Exception as error:  # `Truncated` is defined in the program that imports this module
            if not hasattr(error, "results"):
                raise
            results, cut = error.results, True
        named = {
            name: _listed(value, binary=name.endswith("_bytes")) for name, value in results.items()
        }
        if rows:
            items = [
                dict(zip(named, row, strict=True)) for row in zip(*named.values(), strict=True)
            ]
            return {
                "predictions": items
                if len(named) > 1
                else [one for item in items for one in item.values()]
            }, cut
        return {"outputs": named if len(named) > 1 else next(iter(named.values()))}, cut


def _columns(inputs, wanted: dict) -> dict[str, np.ndarray]:
    if inputs is None:
        raise SessionError(INVALID_ARGUMENT, "Missing 'inputs' or 'instances' key")
    if not isinstance(inputs, dict) or set(inputs) == {"b64"}:
        if len(wanted) > 1:
            raise SessionError(
                INVALID_ARGUMENT, "inputs is a plain value/list, but expecting an object"
            )
        inputs = {next(iter(wanted)): inputs}
    missing = set(wanted) - set(inputs)
    if missing:
        raise SessionError(
            INVALID_ARGUMENT,
            f"Missing named input: {', '.join(sorted(missing))} in 'inputs' object.",
        )
    return {name: _tensor(inputs[name], info.dtype) for name, info in wanted.items()}


def _rows(instances, wanted: dict) -> dict[str, np.ndarray]:
    if not isinstance(instances, list) or not instances:
        raise SessionError(
            INVALID_ARGUMENT, "Expecting 'instances' to be a list of at least one value"
        )
    if len(wanted) == 1:
        name, info = next(iter(wanted.items()))
        items = [one[name] if isinstance(one, dict) and name in one else one for one in instances]
        return {name: _tensor(items, info.dtype)}
    if not all(isinstance(one, dict) and set(one) == set(wanted) for one in instances):
        raise SessionError(INVALID_ARGUMENT, f"keys must be equal to: {','.join(wanted)}")
    return {
        name: _tensor([one[name] for one in instances], info.dtype) for name, info in wanted.items()
    }


def _tensor(value, dtype: int) -> np.ndarray:
    """A JSON value as an array of a signature's type."""
    try:
        if dtype == STRING:
            shape = _string_shape(value)
            flat = [_bytes(one) for one in _flat(value)]
            texts = np.empty(len(flat), object)
            texts[:] = flat
            return texts.reshape(shape)
        return np.array(value, DTYPES[dtype])
    except (ValueError, TypeError, OverflowError, binascii.Error) as error:
        raise SessionError(
            INVALID_ARGUMENT, f"JSON Value does not fit the input: {error}"
        ) from error


def _string_shape(value) -> tuple[int, ...]:
    return (
        (len(value), *(_string_shape(value[0]) if value else ())) if isinstance(value, list) else ()
    )


def _flat(value):
    if isinstance(value, list):
        for one in value:
            yield from _flat(one)
    else:
        yield value


def _bytes(value) -> bytes:
    if isinstance(value, dict) and set(value) == {"b64"}:
        return base64.b64decode(value["b64"], validate=True)
    if isinstance(value, str):
        return value.encode()
    raise ValueError(f"{str(value):.40} is not a string")


def _listed(value: np.ndarray, *, binary: bool):
    if value.dtype != object:
        return value.tolist()
    texts = [
        {"b64": base64.b64encode(one).decode()} if binary else one.decode()
        for one in value.reshape(-1)
    ]
    return texts if value.ndim else texts[0]


def _infos(tensors: dict) -> dict:
    return {
        name: {
            "name": f"{info.operation}:{info.index}",
            "dtype": info.dtype,
            "tensor_shape": {
                "unknown_rank": info.shape is None,
                "dim": [{"size": str(size)} for size in info.shape or ()],
            },
        }
        for name, info in tensors.items()
    }


def rest_server(models, port: int):
    """A started REST server, and its port."""
    handler = type("ModelHandler", (Handler,), {"models": models})
    server = ThreadingHTTPServer(("127.0.0.1", port), handler)
    server.handle_error = lambda *_: None  # print nothing about broken connections
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server, server.server_port
