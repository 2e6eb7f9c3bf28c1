"""The messages between trainers and servers: JSON over HTTP, one request for each connection."""

import contextlib
import http.client
import http.server
import json
import socket
from collections.abc import Callable
from typing import Any

from tfsepgan.errors import DataError

MOST_BYTES = 1 << 20  # of a request or a reply
PORTS = 3  # consecutive: HTTP, and tf.data service's dispatcher and worker
_NAME = "tfsepgan"  # identifies a server
_QUIET_SECONDS = 30  # timeout of an idle connection

Reply = tuple[int, dict[str, Any]]  # HTTP status and body
Answer = Callable[[str, dict[str, Any]], Reply]  # of a request's path and body


class Gone(Exception):
    """A server does not answer, or no longer has this run."""


def post(
    place: tuple[str, int],
    what: str,
    body: dict[str, Any],
    seconds: float,
    *,
    missing: bool = False,
) -> dict[str, Any]:
    """Send a request to a server.

    Args:
      place: host and port.
      what: the path, such as "/batches".
      body: sent as JSON.
      seconds: timeout.
      missing: True accepts status 404.
    Returns: the reply.
    Raises: Gone when it does not answer or no longer has the request; DataError with the server's
      message when it refuses.
    """
    connection = http.client.HTTPConnection(*place, timeout=seconds)
    try:
        connection.request("POST", what, json.dumps(body), {"Content-Type": "application/json"})
        reply = connection.getresponse()
        status, text = reply.status, reply.read(MOST_BYTES)
    except (OSError, http.client.HTTPException) as error:
        raise Gone(str(error) or type(error).__name__) from error
    finally:
        connection.close()
    try:
        content = json.loads(text)
    except ValueError:
        content = None
    if not isinstance(content, dict) or reply.getheader("Server", "").strip() != _NAME:
        raise DataError(
            f"{place[0]}:{place[1]} answers, but is no data server; use the port of"
            " `tfsepgan-data serve`."
        )
    if status == 404 and not missing:
        raise Gone("it no longer has this run")
    if status >= 400 and status != 404:
        raise DataError(
            f"The data server {place[0]}:{place[1]} gives no batches: {content.get('error')}"
        )
    return content


def refuse_unknown(address: str) -> None:
    """Refuse an address that this machine cannot resolve.

    Raises: DataError.
    """
    try:
        socket.getaddrinfo(address, None)
    except (OSError, UnicodeError) as error:
        raise DataError(
            f"The address {address!r} cannot be resolved ({error}). Use --address with a name or IP"
            " address by which trainers reach this machine, or localhost for trainers on it."
        ) from error


def three_ports(first: int) -> list[int]:
    """Three free consecutive ports, or any three if `first` is 0.

    Raises: DataError for a port that is in use.
    """
    with contextlib.ExitStack() as held:
        ports = []
        for port in [first + number if first else 0 for number in range(PORTS)]:
            one = held.enter_context(socket.socket())
            one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                one.bind(("", port))
            except (OSError, OverflowError) as error:
                raise DataError(
                    f"Port {port} is not available ({error}). {PORTS} consecutive ports are needed;"
                    " set the first one with --port."
                ) from error
            ports.append(one.getsockname()[1])
        return ports


class _Handler(http.server.BaseHTTPRequestHandler):
    """Requests and replies as JSON."""

    timeout = _QUIET_SECONDS
    server_version, sys_version = _NAME, ""
    answer: Answer

    def do_GET(self):
        self._reply(*self.answer(self.path, {}))

    def do_POST(self):
        try:
            length = int(self.headers.get("Content-Length", 0))
            if not 0 <= length <= MOST_BYTES:
                raise ValueError(f"a body of {length} bytes")
            body = json.loads(self.rfile.read(length))
            if not isinstance(body, dict):
                raise ValueError("JSON that is no object")
        except ValueError as error:
            self._reply(400, {"error": f"the request cannot be read: {error}."})
            return
        self._reply(*self.answer(self.path, body))

    def _reply(self, status: int, body: dict[str, Any]) -> None:
        text = json.dumps(body).encode()
        with contextlib.suppress(OSError):  # the client has disconnected
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

    def log_message(self, *arguments):
        """Do nothing; the server reports events."""


class _Http(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request, client_address):
        """Do nothing; the trainer notices a broken connection."""


def listen(answer: Answer, port: int) -> http.server.ThreadingHTTPServer:
    """A server on a port, not yet serving; a GET is a request without a body.

    Raises: DataError when the port is in use.
    """
    handler = type("Handler", (_Handler,), {"answer": staticmethod(answer)})
    try:
        return _Http(("", port), handler)
    except OSError as error:
        raise DataError(
            f"Port {port} is not available ({error}). Set another one with --port."
        ) from error
