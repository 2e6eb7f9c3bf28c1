"""The server's side of remote batches: HTTP, one request for each batch.

A batch depends only on the request (settings, seed, step), so no state is lost when a server stops.
Requests are JSON and replies are numbers: a request cannot run code or name files of the server.
(tf.data service supports no graphs with Python functions, and batches are made in NumPy.)
"""

import contextlib
import functools
import http.server
import json
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from concurrent.futures import TimeoutError as NotYet
from typing import Any

import numpy as np

from tfsepgan.data.batches.pipeline import BatchMaker
from tfsepgan.data.recordings.catalogue import Catalogue
from tfsepgan.data.remote.request import SERVER, refuse_other_recordings, settings_in
from tfsepgan.errors import DataError, TfsepganError

MOST_BYTES = 1 << 20  # of a request
KEPT_RUNS = 8  # whose recordings stay open
_ANSWER_SECONDS = 3.0  # after that, the trainer must repeat the request
_QUIET_SECONDS = 30  # timeout of a connection without data

OpenCatalogue = Callable[[Sequence[str], Sequence[str]], Catalogue]  # (sources, leave_out)


class BatchServer(http.server.ThreadingHTTPServer):
    """Makes batches for trainers: call `serve_forever`.

    Args:
      open_catalogue: the server's recordings, given `sources` and `leave_out` of a trainer.
      address: name or IP address of the interface to listen on.
      port: 0 chooses a free one.
      cache: folder for unpacked recordings; default: the user's cache folder.
      rooms: folder of recorded rooms, for trainers that use `augment.rooms`.
      say: called with a sentence for each new trainer and each refusal.
    Raises: DataError when the address or the port is not available.
    """

    daemon_threads = True

    def __init__(
        self,
        open_catalogue: OpenCatalogue,
        *,
        address: str = "localhost",
        port: int,
        cache: str | None = None,
        rooms: str | None = None,
        say: Callable[[str], None] = lambda text: None,
    ):
        self._open_catalogue, self._cache, self._rooms = open_catalogue, cache, rooms
        self._say, self._lock, self._opening = say, threading.Lock(), threading.Lock()
        self._makers: dict[str, Future] = {}  # by request without its step, latest last
        try:
            super().__init__((address, port), _Handler)
        except (OSError, OverflowError, UnicodeError) as error:
            raise DataError(
                f"Could not listen on {address}:{port} ({error}). Set another --port, or an"
                " --address of this machine."
            ) from error

    def handle_error(self, request, client_address):
        """Do nothing; the trainer notices a broken connection."""

    def batch(self, request: dict[str, Any]) -> list[np.ndarray] | None:
        """The arrays of a batch, in the order of the request's keys.

        Args:
          request: from `request_of`, with a `step`; None only prepares.
        Returns: None when the recordings are not ready yet; the trainer then repeats the request.
        Raises: any error of the request, the recordings or the disk.
        """
        step = request.pop("step")
        run = json.dumps(request, sort_keys=True)
        with self._lock:
            maker = self._makers.pop(run, None)
            if maker is None:
                maker = Future()
                threading.Thread(target=self._open, args=(request, maker), daemon=True).start()
            self._makers[run] = maker
            while len(self._makers) > KEPT_RUNS:
                del self._makers[next(iter(self._makers))]
        try:
            make = maker.result(timeout=_ANSWER_SECONDS)
            return [] if step is None else make(np.int64(step))
        except Exception as error:
            # a timeout of the disk is a TimeoutError, too
            if isinstance(error, NotYet) and not maker.done():
                return None
            with self._lock:
                self._makers.pop(run, None)  # the next request opens the recordings again
            raise

    def _open(self, request: dict[str, Any], maker: Future) -> None:
        try:
            config = settings_in(request, cache=self._cache, rooms=self._rooms)
            with self._opening:  # recordings are unpacked once
                catalogue = self._open_catalogue(config.sources, config.leave_out)
                catalogue.require("train", config.sources)
                refuse_other_recordings(request, catalogue, config)
                made = BatchMaker(catalogue, config, request["batch_keys"])
                maker.set_result(functools.partial(made.batch, "memmap"))
            self._say("A trainer gets batches.")
        except Exception as error:  # raised in `batch`
            maker.set_exception(error)


class _Handler(http.server.BaseHTTPRequestHandler):
    server: BatchServer
    timeout = _QUIET_SECONDS
    server_version, sys_version = SERVER, ""

    def do_POST(self):
        try:
            length = int(self.headers["Content-Length"])
            if not 0 <= length <= MOST_BYTES:
                raise DataError(f"A request of {length} bytes is too long.")
            made = self.server.batch(json.loads(self.rfile.read(length)))
        except Exception as error:  # any error is sent to the trainer; the server continues
            known = isinstance(error, TfsepganError)
            text = str(error) if known else f"{type(error).__name__}: {error}"
            self.server._say(f"A trainer was refused: {text}")
            self._reply(409, [text.encode()])
        else:
            self._reply(202 if made is None else 200, made or [])

    def _reply(self, status: int, parts: Sequence[bytes | np.ndarray]) -> None:
        with contextlib.suppress(OSError):  # the trainer has disconnected
            self.send_response(status)
            self.send_header("Content-Length", str(sum(memoryview(part).nbytes for part in parts)))
            self.end_headers()
            for part in parts:
                self.wfile.write(part)

    def log_message(self, *arguments):
        """Do nothing; the server reports events."""
