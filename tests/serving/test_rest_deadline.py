"""The time limit of a REST request is the whole request's, however slowly the server sends."""

import contextlib
import socket
import threading
import time

import pytest

from tfsepgan.serving.rest_client import RestClient
from tfsepgan.serving.retry import Refused

HEAD = b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n%s\r\n"
PAUSE_SECONDS = 0.05


@pytest.fixture
def dripping():
    """Starts a server that sends some bytes at once, and then one byte at a time."""
    with contextlib.ExitStack() as stack:

        def start(at_once: bytes) -> str:
            listener = stack.enter_context(socket.create_server(("127.0.0.1", 0)))

            def serve():
                with contextlib.suppress(OSError):
                    connection, _ = listener.accept()
                    with connection:
                        connection.recv(1 << 16)
                        connection.sendall(at_once)
                        while True:
                            connection.sendall(b" ")
                            time.sleep(PAUSE_SECONDS)

            threading.Thread(target=serve, daemon=True).start()
            return f"127.0.0.1:{listener.getsockname()[1]}"

        yield start


@pytest.mark.parametrize(
    "at_once",
    [b"HTTP/1.1 200 OK\r\nX: ", HEAD % b"", HEAD % b"Connection: close\r\n"],
    ids=["headers", "body", "last body"],
)
def test_a_server_that_sends_a_byte_now_and_then_ends_at_the_time_limit(dripping, at_once):
    client = RestClient(dripping(at_once), "piano", max_message_bytes=1 << 20)
    start = time.monotonic()
    with pytest.raises(Refused, match=r"no answer within 0\.4 s") as refused:
        client.describe(0.4)
    assert time.monotonic() - start < 3
    assert refused.value.code == "DEADLINE_EXCEEDED"
    client.close()
