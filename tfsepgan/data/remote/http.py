"""How trainers and servers of batches speak before any batch flows: JSON over HTTP, one request a
connection."""

import contextlib
import http.client
import http.server
import json
import socket
from collections.abc import Callable
from typing import Any

from tfsepgan.errors import DataError

MOST_BYTES = 1 << 20  # of a request or a reply
PORTS = 3  # in a row: HTTP, and tf.data service's dispatcher and worker
_NAME = "tfsepgan"  # by which a server is known
_QUIET_SECONDS = 30  # of a connection on which nothing is said

Reply = tuple[int, dict[str, Any]]  # HTTP status and body
Answer = Callable[[str, dict[str, Any]], Reply]  # to the place and the body of a request


class Gone(Exception):
    """A server does not answer, or has forgotten us."""


def post(
    place: tuple[str, int],
    what: str,
    body: dict[str, Any],
    seconds: float,
    *,
    missing: bool = False,
) -> dict[str, Any]:
    """Ask a server something.

    Args:
      place: host and port.
      what: the place on it, as "/batches".
      body: goes as JSON.
      seconds: to wait for the reply.
      missing: take 404 for an answer.
    Returns: the reply.
    Raises: Gone when it does not answer or has forgotten the request; DataError in its own words
      when it refuses.
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
        told = json.loads(text)
    except ValueError:
        told = None
    if not isinstance(told, dict) or reply.getheader("Server", "").strip() != _NAME:
        raise DataError(
            f"{place[0]}:{place[1]} answers, but is no data server; give the port that"
            " `tfsepgan-data serve` was given."
        )
    if status == 404 and not missing:
        raise Gone("it has forgotten this run")
    if status >= 400 and status != 404:
        raise DataError(
            f"The data server {place[0]}:{place[1]} gives no batches: {told.get('error')}"
        )
    return told


def refuse_unknown(address: str) -> None:
    """Raises: DataError for an address that this machine cannot look up."""
    try:
        socket.getaddrinfo(address, None)
    except (OSError, UnicodeError) as error:
        raise DataError(
            f"Nobody knows the address {address!r} ({error}). Give --address: a name or IP address"
            " by which trainers reach this machine, or localhost for trainers on it."
        ) from error


def three_ports(first: int) -> list[int]:
    """Three ports that are free.

    Raises: DataError for one that is taken.
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
                    f"Port {port} cannot be had ({error}). {PORTS} in a row are needed; name the"
                    " first of others with --port."
                ) from error
            ports.append(one.getsockname()[1])
        return ports


class _Handler(http.server.BaseHTTPRequestHandler):
    """Requests as JSON, answers as JSON."""

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
        with contextlib.suppress(OSError):  # whoever asked is gone
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

    def log_message(self, *arguments):
        """Nothing: what happens is told by the server."""


class _Http(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request, client_address):
        """Nothing: a connection that breaks is the trainer's to notice."""


def listen(answer: Answer, port: int) -> http.server.ThreadingHTTPServer:
    """A server on a port, not yet serving; a GET is a request without a body.

    Raises: DataError when the port is taken.
    """
    handler = type("Handler", (_Handler,), {"answer": staticmethod(answer)})
    try:
        return _Http(("", port), handler)
    except OSError as error:
        raise DataError(f"Port {port} cannot be had ({error}). Name others with --port.") from error
