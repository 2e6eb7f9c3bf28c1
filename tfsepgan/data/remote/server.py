"""The server's side of remote batches, on top of tf.data service.

A pipeline's Python functions run only in the process that made them (`tf.numpy_function`). So this
process holds dispatcher and worker of tf.data service, and a trainer cannot send its pipeline.
Instead, it requests batches over HTTP. The server makes the pipeline and registers it under the
name in the request, and the trainer reads it (`client`).

Batches depend only on (seed, step), so no state is lost with a server: a trainer requests its
current step from the next one. One pipeline has one trainer and one worker, which keeps the steps
in order.

Source: tf.data service, https://www.tensorflow.org/api_docs/python/tf/data/experimental/service
"""

import re
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from concurrent.futures import TimeoutError as NotYet
from dataclasses import dataclass, field
from typing import Any

from tfsepgan.data.batches.pipeline import LAST_STEP, training_batches
from tfsepgan.data.recordings.catalogue import Catalogue
from tfsepgan.data.remote.http import Reply, listen, refuse_unknown, three_ports
from tfsepgan.data.remote.request import (
    refuse_other_recordings,
    refuse_other_versions,
    settings_in,
    token,
    versions,
)
from tfsepgan.errors import DataError, TfsepganError

LEASE_SECONDS = 60.0  # a trainer that is silent for this long has stopped
_ANSWER_SECONDS = 3.0  # after that, the trainer must repeat the request
_GARBAGE_MS = 10_000  # how soon tf.data service drops a pipeline without readers
_HEARTBEAT_MS = 5_000
_ID = re.compile(r"[0-9a-f]{32}")

OpenCatalogue = Callable[[Sequence[str], Sequence[str]], Catalogue]  # (sources, leave_out)


@dataclass(kw_only=True)
class _Lease:
    """What is held for a trainer as long as it sends requests."""

    request: dict[str, Any]
    ready: Future = field(default_factory=Future)
    seen: float = field(default_factory=time.monotonic)
    batches: Any = None
    """The registered dataset, which keeps its Python functions alive."""


class BatchServer:
    """Makes batches for trainers until it is closed.

    Args:
      open_catalogue: the server's recordings, given `sources` and `leave_out` of a trainer.
      port: the first of three consecutive ports (HTTP, dispatcher, worker); 0 chooses free ones.
      address: name or IP address by which trainers reach this machine.
      cache: folder for unpacked recordings; default: the user's cache folder.
      rooms: folder of recorded rooms, for trainers that use `augment.rooms`.
      say: called with a sentence for each event.
      lease_seconds: when a trainer is silent for this long, its batches are dropped.
    Raises: DataError when a port is in use or the address is unknown.
    """

    def __init__(
        self,
        open_catalogue: OpenCatalogue,
        *,
        port: int,
        address: str,
        cache: str | None = None,
        rooms: str | None = None,
        say: Callable[[str], None] = lambda text: None,
        lease_seconds: float = LEASE_SECONDS,
    ):
        self._open_catalogue, self._cache, self._rooms = open_catalogue, cache, rooms
        self._say, self._lease_seconds = say, lease_seconds
        self._leases: dict[str, _Lease] = {}
        self._lock = threading.Lock()
        # one at a time for each sample rate
        self._unpacking: dict[int, threading.Lock] = defaultdict(threading.Lock)
        self._closed = threading.Event()
        refuse_unknown(address)
        ports = three_ports(port)
        self.port, self.address = ports[0], address
        self._http = listen(self.answer, ports[0])
        try:
            self._start_service(ports)
        except BaseException:
            self._http.server_close()
            raise
        for work in (self._http.serve_forever, self._drop_silent_trainers):
            threading.Thread(target=work, daemon=True).start()

    def _start_service(self, ports: Sequence[int]) -> None:
        import tensorflow as tf

        service = tf.data.experimental.service
        self._target = f"grpc://localhost:{ports[1]}"
        self._places = {"dispatcher": ports[1], "worker": f"{self.address}:{ports[2]}"}
        try:
            self._dispatcher = service.DispatchServer(
                service.DispatcherConfig(
                    port=ports[1],
                    protocol="grpc",
                    job_gc_check_interval_ms=_GARBAGE_MS,
                    job_gc_timeout_ms=_GARBAGE_MS,
                )
            )
            self._worker = service.WorkerServer(
                service.WorkerConfig(
                    dispatcher_address=f"localhost:{ports[1]}",
                    worker_address=self._places["worker"],
                    port=ports[2],
                    protocol="grpc",
                    heartbeat_interval_ms=_HEARTBEAT_MS,
                )
            )
        except tf.errors.OpError as error:
            raise DataError(
                f"tf.data service did not start on the ports {ports[1]} and {ports[2]}:"
                f" {error.message}. Try another --port."
            ) from error

    def close(self) -> None:
        """Stop the server; trainers wait a while for another one."""
        self._closed.set()
        self._http.shutdown()
        self._http.server_close()
        self._worker.stop()
        self._dispatcher.stop()
        with self._lock:
            self._leases.clear()

    @property
    def trainers(self) -> int:
        """How many trainers currently have batches."""
        with self._lock:
            return len(self._leases)

    def answer(self, place: str, body: dict[str, Any]) -> Reply:
        """Answer a request: `/` (status), `/batches`, `/keep`, `/why` or `/leave`."""
        if place == "/":
            return 200, {"trainers": self.trainers, "versions": versions()}
        name = body.get("name")
        if not isinstance(name, str) or not _ID.fullmatch(name):
            return 400, {"error": "the request has no name of 32 hexadecimal digits."}
        if place == "/batches":
            return self._give(name, body)
        with self._lock:
            lease = self._leases.get(name)
            if lease and place == "/leave":
                del self._leases[name]
            elif lease:
                lease.seen = time.monotonic()
        if lease is None:
            return 404, {"error": "there are no batches for this name (any more)."}
        if place == "/leave":
            self._say("A trainer has finished.")
        return self._why(lease, body.get("step")) if place == "/why" else (200, {})

    def _give(self, name: str, request: dict[str, Any]) -> Reply:
        """Make a pipeline, once for repeated requests; the status is 202 until it is ready."""
        with self._lock:
            lease = self._leases.get(name)
            if lease is None:
                lease = self._leases[name] = _Lease(request=request)
                threading.Thread(target=self._fulfil, args=(name, lease), daemon=True).start()
            lease.seen = time.monotonic()
        try:
            return 200, lease.ready.result(timeout=_ANSWER_SECONDS)
        except Exception as error:  # any error is reported to the trainer; the server continues
            # a timeout of the disk is a TimeoutError, too
            if isinstance(error, NotYet) and not lease.ready.done():
                return 202, {"wait": "it reads its recordings and unpacks those not in its cache"}
            with self._lock:
                self._leases.pop(name, None)
            self._say(f"A trainer was refused: {_reason(error)}")
            return 409, {"error": _reason(error)}

    def _fulfil(self, name: str, lease: _Lease) -> None:
        try:
            lease.batches = self._registered(name, lease.request)
        except Exception as error:  # raised in `_give`
            lease.ready.set_exception(error)
            return
        self._say(f"A trainer gets batches, starting at step {lease.request['first_step']}.")
        lease.ready.set_result(self._places)

    def _registered(self, name: str, request: dict[str, Any]):
        """The dataset for a request, `(step, token, batch)`, registered with the dispatcher."""
        import tensorflow as tf

        first, every, mark = int(request["first_step"]), int(request["every"]), token(name)
        batches = self._batches(request, first, every)
        steps = tf.data.Dataset.range(first, LAST_STEP, every)
        marked = tf.data.Dataset.zip((steps, batches)).map(
            lambda step, batch: (step, tf.constant(mark, tf.int64), batch)
        )
        service = tf.data.experimental.service
        # audio does not compress well
        service.register_dataset(self._target, marked, compression=None, dataset_id=name)
        return marked

    def _batches(self, request: dict[str, Any], first: int, every: int):
        """The pipeline for a request, if it gives the same batches as the trainer's own.

        Raises: TfsepganError with the message for the trainer.
        """
        refuse_other_versions(request)
        config = settings_in(request, cache=self._cache, rooms=self._rooms)
        catalogue = self._open_catalogue(config.sources, config.leave_out)
        catalogue.require("train", config.sources)
        refuse_other_recordings(request, catalogue, config)
        with self._unpacking[config.sample_rate_hz]:
            return training_batches(
                catalogue, config, batch_keys=request["batch_keys"], first_step=first, every=every
            )

    def _why(self, lease: _Lease, step: Any) -> Reply:
        """Make the batch of a step now, to find out whether data or network are the problem."""
        import tensorflow as tf

        if type(step) is not int or not lease.ready.done():
            return 400, {"error": "there is no such step."}
        try:
            next(iter(self._batches(lease.request, step, 1).take(1)))
        except (TfsepganError, tf.errors.OpError, OSError) as error:
            return 409, {"error": _reason(error)}
        return 200, {}

    def _drop_silent_trainers(self) -> None:
        while not self._closed.wait(min(1.0, self._lease_seconds / 4)):
            latest = time.monotonic() - self._lease_seconds
            with self._lock:
                gone = [name for name, lease in self._leases.items() if lease.seen < latest]
                for name in gone:
                    del self._leases[name]
            for _ in gone:
                self._say(
                    f"A trainer was silent for {self._lease_seconds:.0f} s; its batches are"
                    " dropped."
                )


def _reason(error: BaseException) -> str:
    """An error as one line."""
    if isinstance(error, TfsepganError):
        return str(error)
    text = str(getattr(error, "message", error)).strip() or type(error).__name__
    return text.splitlines()[-1] if hasattr(error, "message") else f"{type(error).__name__}: {text}"
