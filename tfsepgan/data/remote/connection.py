"""A trainer's connection to one server of batches.

tf.data service waits forever for a server that stopped. So a background thread reads ahead, and a
batch is taken from the iterator only after it is announced. While none is announced, the server is
polled. If it does not answer, the iterator is dropped, and a new server at the same address is
asked for the required step.
"""

import contextlib
import math
import socket
import threading
import time
import uuid
import weakref
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from tfsepgan.config import DataConfig
from tfsepgan.data.batches.pipeline import batch_shapes
from tfsepgan.data.recordings.catalogue import Catalogue
from tfsepgan.data.remote.http import Gone, post
from tfsepgan.data.remote.request import request_of, token
from tfsepgan.data.remote.timeout import within
from tfsepgan.errors import DataError

PATIENCE_SECONDS = 60.0  # waiting for a server that stopped during a run
KEEP_SECONDS = 15.0  # between two keep-alive messages; a quarter of a lease
AHEAD = 2  # batches buffered here, in addition to those in transit
_POLL_SECONDS = 2.0  # without a batch; then the server is polled
# without a batch although the server answers; then the server is asked for the reason
_ASK_WHY_SECONDS = 10.0
_TRIES = 3
_CONNECT_SECONDS = 5.0
_WHY_SECONDS = 60.0  # enough for one batch with any augmentation


class _Link(NamedTuple):
    """A pipeline on a server, with the local iterator that reads it."""

    name: str
    batches: Any  # iterator of (step, token, batch)
    announced: threading.Semaphore


def one_at_a_time():
    """Options for reading one batch after the other in private threads.

    A waiting batch then takes no thread from the training step.
    """
    import tensorflow as tf

    options = tf.data.Options()
    options.threading.private_threadpool_size = 2
    options.experimental_optimization.map_parallelization = False
    return options


class ServerConnection:
    """The batches of one server; used by one thread at a time."""

    def __init__(
        self,
        place: tuple[str, int],
        catalogue: Catalogue,
        config: DataConfig,
        *,
        batch_keys: Sequence[str],
        every: int,
        say: Callable[[str], None],
    ):
        self.place, self.address = place, f"{place[0]}:{place[1]}"
        self._request = request_of(
            catalogue, config, batch_keys=batch_keys, first_step=0, every=every, name=""
        )
        self._shapes, self._say = batch_shapes(config, batch_keys), say
        self._link: _Link | None = None
        self._next = 0
        self._busy = threading.Lock()
        self._closed = threading.Event()
        threading.Thread(target=_keep, args=(weakref.ref(self), self._closed), daemon=True).start()

    def connect(self, step: int, *, patience: float) -> None:
        """Have the server make batches from a step on.

        Args:
          step: the first one.
          patience: seconds to wait for a server that does not answer.
        Raises: DataError when it does not answer, or refuses.
        """
        self._drop()
        deadline = time.monotonic() + patience
        waiting = False
        while True:
            try:
                self._link = self._connected(step)
            except Gone as gone:
                if time.monotonic() > deadline:
                    raise DataError(
                        f"The data server {self.address} does not answer ({gone}). Start it"
                        " (`tfsepgan-data serve`), or leave --data-server out to make the batches"
                        " on this machine."
                    ) from gone
                if not waiting:
                    self._say(
                        f"The data server {self.address} does not answer ({gone}); waiting"
                        f" {patience:.0f} s for it."
                    )
                waiting = True
                self._pause(1.0)
                continue
            if waiting:
                self._say(f"The data server {self.address} is back; continuing at step {step}.")
            self._next = step
            return

    def batch(self, step: int) -> list[np.ndarray]:
        """The batch of a step.

        Raises: DataError when the server does not deliver it.
        """
        with self._busy:
            self._refuse_closed()
            for _ in range(_TRIES):
                if self._link is None or self._next != step:
                    self.connect(step, patience=PATIENCE_SECONDS)
                batch, problem = self._take(step)
                if batch is not None:
                    self._next = step + self._request["every"]
                    return batch
                self._drop()
        raise DataError(
            f"The data server {self.address} answers, but gave no batch of step {step} in {_TRIES}"
            f" tries ({problem}). Check that no other server uses its ports, and that no firewall"
            " blocks the batches."
        )

    def close(self) -> None:
        """Tell the server that its batches are no longer read."""
        self._closed.set()
        with self._busy:
            self._drop()

    def _take(self, step: int) -> tuple[list[np.ndarray] | None, str]:
        """The next batch, if it is that of this step; otherwise None and the reason."""
        import tensorflow as tf

        ask_why_at = time.monotonic() + _ASK_WHY_SECONDS
        give_up_at = math.inf
        while not self._link.announced.acquire(timeout=_POLL_SECONDS):
            self._refuse_closed()
            if time.monotonic() > give_up_at:
                return None, "none arrived"
            try:
                self._ask("/keep")
                if time.monotonic() > ask_why_at and give_up_at == math.inf:
                    self._say(
                        f"Waiting for the batch of step {step} from {self.address}, which answers."
                    )
                    asked = time.monotonic()
                    self._ask("/why", seconds=_WHY_SECONDS, step=step)
                    # The batch can be made in that time. If it does not arrive in twice the time,
                    # a new pipeline may deliver it.
                    give_up_at = time.monotonic() + 2 * (time.monotonic() - asked)
            except Gone as gone:
                return None, str(gone)
        try:
            received, mark, batch = next(self._link.batches)
        except (tf.errors.OpError, StopIteration) as error:
            return None, (str(error).strip() or type(error).__name__).splitlines()[-1]
        if (int(received), int(mark)) != (step, token(self._link.name)):
            return None, f"another one came: step {int(received)}" + (
                " of another run" * (int(mark) != token(self._link.name))
            )
        return [batch[key].numpy() for key in self._shapes], ""

    def _connected(self, step: int) -> _Link:
        name = uuid.uuid4().hex
        request = {**self._request, "name": name, "first_step": step}
        progress = ""
        while "dispatcher" not in (
            reply := post(self.place, "/batches", request, _CONNECT_SECONDS + 5)
        ):
            if reply.get("wait") and not progress:
                progress = reply["wait"]
                self._say(f"The data server {self.address} is preparing: {progress}.")
            self._pause(0.1)
        target = (self.place[0], int(reply["dispatcher"]))
        host, _, port = str(reply["worker"]).rpartition(":")
        for place in (target, (host, int(port))):
            self._refuse_unreachable(*place)
        try:
            return within(_CONNECT_SECONDS * 6, lambda: _open_link(target, name, self._shapes))
        except TimeoutError as error:
            raise Gone("its dispatcher does not answer") from error

    def _refuse_unreachable(self, host: str, port: int) -> None:
        try:
            socket.create_connection((host, port), timeout=_CONNECT_SECONDS).close()
        except OSError as error:
            # raises Gone if the server has stopped meanwhile
            post(self.place, "/keep", {"name": "0" * 32}, _CONNECT_SECONDS, missing=True)
            raise DataError(
                f"The data server {self.address} serves its batches at {host}:{port}, which cannot"
                f" be reached from here ({error}). Start it with an --address that this machine can"
                f" reach, and open its ports {self.place[1]} to {self.place[1] + 2}."
            ) from error

    def _ask(self, what: str, seconds: float = _CONNECT_SECONDS, **more: Any) -> None:
        post(self.place, what, {"name": self._link.name, **more}, seconds)

    def _drop(self) -> None:
        link, self._link = self._link, None
        if link is not None:
            name, held = link.name, [link]
            del link
            # Deleting it stops the reading ahead, and may wait for batches in transit.
            with contextlib.suppress(TimeoutError):
                within(_CONNECT_SECONDS, held.clear)
            with contextlib.suppress(Gone, DataError):
                post(self.place, "/leave", {"name": name}, _POLL_SECONDS)

    def _pause(self, seconds: float) -> None:
        self._closed.wait(seconds)
        self._refuse_closed()

    def _refuse_closed(self) -> None:
        if self._closed.is_set():
            raise DataError("The reader of these batches was closed.")


def _keep(source: weakref.ref, closed: threading.Event) -> None:
    """Send keep-alive messages to a server, also while its batches are not read."""
    while not closed.wait(KEEP_SECONDS):
        here = source()
        link = here._link if here else None
        if here is None:
            return
        if link is not None:
            with contextlib.suppress(Gone, DataError):  # the next read raises it
                post(here.place, "/keep", {"name": link.name}, _CONNECT_SECONDS)
        del here, link


def _open_link(target: tuple[str, int], name: str, shapes: dict[str, tuple[int, ...]]) -> _Link:
    """Open a pipeline of the server and start reading ahead."""
    import tensorflow as tf

    announced = threading.Semaphore(0)
    number = tf.TensorSpec((), tf.int64)
    spec = (
        number,
        number,
        {key: tf.TensorSpec(shape, tf.float32) for key, shape in shapes.items()},
    )

    def announce(step: np.ndarray) -> np.ndarray:
        announced.release()
        return step

    def announcing(step, mark, batch):
        step = tf.ensure_shape(tf.numpy_function(announce, [step], tf.int64, stateful=False), ())
        return step, mark, batch

    service = tf.data.experimental.service
    host = f"[{target[0]}]" if ":" in target[0] else target[0]
    batches = service.from_dataset_id(
        service.ShardingPolicy.OFF,
        f"grpc://{host}:{target[1]}",
        name,
        element_spec=spec,
        max_outstanding_requests=AHEAD,
    )
    nothing = tf.nest.map_structure(lambda one: tf.zeros(one.shape, one.dtype), spec)
    # The first element is available immediately; taking it starts the reading ahead.
    dataset = (
        tf.data.Dataset.from_tensors(nothing).concatenate(batches.map(announcing)).prefetch(AHEAD)
    )
    iterator = iter(dataset.with_options(one_at_a_time()))
    next(iterator)
    return _Link(name, iterator, announced)
