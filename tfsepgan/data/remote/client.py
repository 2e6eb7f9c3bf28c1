"""Batches that servers make (`data/remote/server.py`): the trainer's side.

The batches are those of `pipeline.training_batches`, bit for bit and in the same order. Each
carries its step and the name of the request it was made for, and is refused where they are not the
ones awaited. tf.data service itself waits for ever for a server that went away; so its iterator is
read ahead in the background, and only asked for a batch that is announced. While none is, the
server is asked whether it is still there; if not, the iterator is dropped, and the next server at
the same place is asked for the step that is wanted.
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
from tfsepgan.data.batches.pipeline import LAST_STEP, batch_shapes
from tfsepgan.data.recordings.catalogue import Catalogue
from tfsepgan.data.remote.http import Gone, post
from tfsepgan.data.remote.request import request_of, token
from tfsepgan.errors import DataError

PATIENCE_SECONDS = 60.0  # for a server that went away during a run
KEEP_SECONDS = 15.0  # between two signs of life; a quarter of a lease
_LOOK_SECONDS = 2.0  # without a batch: is the server still there?
_ASK_WHY_SECONDS = 10.0  # without a batch from a server that is: what is wrong with it?
_TRIES = 3
_CONNECT_SECONDS = 5.0
_WHY_SECONDS = 60.0  # one batch, however it is augmented
_AHEAD = 2  # batches kept here, beside those on their way


class _Link(NamedTuple):
    """A pipeline on a server, and the end of it here."""

    name: str
    batches: Any  # iterator of (step, token, batch)
    announced: threading.Semaphore


def served_batches(
    catalogue: Catalogue,
    config: DataConfig,
    *,
    batch_keys: Sequence[str],
    first_step: int = 0,
    say: Callable[[str], None] = lambda text: None,
):
    """The batches of `pipeline.training_batches`, made by the servers that the settings name.

    With several servers, step n is made by the one in place n modulo their number.

    Args:
      catalogue, config, batch_keys, first_step: as there; `config.data_server` names the servers.
      say: told in a sentence when something is waited for.
    Returns: tf.data.Dataset of dictionaries with the keys of `batch_keys`; when it is dropped, the
      servers are told so.
    Raises: DataError when a server does not answer, would give other batches, or cannot make them;
      in the dataset, when a server that went away does not come back.
    """
    import tensorflow as tf

    places = server_places(config.data_server)
    sources = [
        _Source(place, catalogue, config, batch_keys=batch_keys, every=len(places), say=say)
        for place in places
    ]
    try:
        for number, source in enumerate(sources):
            source.connect(first_step + (number - first_step) % len(places), patience=0.0)
    except BaseException:
        _close(sources)
        raise
    shapes = batch_shapes(config, batch_keys)

    def batch(step: np.ndarray) -> list[np.ndarray]:
        return sources[int(step) % len(sources)].batch(int(step))

    def to_batch(step):
        made = tf.numpy_function(batch, [step], [tf.float32] * len(batch_keys))
        return {
            key: tf.ensure_shape(value, shapes[key])
            for key, value in zip(batch_keys, made, strict=True)
        }

    dataset = tf.data.Dataset.range(first_step, LAST_STEP).map(to_batch).prefetch(_AHEAD)
    dataset = dataset.with_options(_options())
    weakref.finalize(dataset, _close, sources)
    return dataset


def ask_servers(
    catalogue: Catalogue,
    config: DataConfig,
    *,
    batch_keys: Sequence[str],
    say: Callable[[str], None] = lambda text: None,
) -> None:
    """Have the servers get ready, and see that they give what the settings say; the arguments are
    those of `served_batches`.

    Raises: DataError as `served_batches` does.
    """
    for place in server_places(config.data_server):
        source = _Source(place, catalogue, config, batch_keys=batch_keys, every=1, say=say)
        try:
            source.connect(0, patience=0.0)
        finally:
            source.close()


def server_places(servers: str) -> list[tuple[str, int]]:
    """`HOST:PORT,HOST:PORT` as pairs; checked by `config.check`."""
    pairs = [server.strip().rpartition(":") for server in servers.split(",")]
    return [(host.strip("[]"), int(port)) for host, _, port in pairs]


def _close(sources: Sequence["_Source"]) -> None:
    for source in sources:
        source.close()


def _options():
    """One batch after the other, in threads of their own, so that one that waits takes none from
    the training step."""
    import tensorflow as tf

    options = tf.data.Options()
    options.threading.private_threadpool_size = 2
    options.experimental_optimization.map_parallelization = False
    return options


class _Source:
    """One server's part of the batches; used by one thread at a time."""

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
        self.place, self.called = place, f"{place[0]}:{place[1]}"
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
        """Have batches made from a step on.

        Args:
          step: the first one.
          patience: seconds to wait for a server that does not answer.
        Raises: DataError when it does not answer, or refuses.
        """
        self._drop()
        until = time.monotonic() + patience
        waits = False
        while True:
            try:
                self._link = self._connected(step)
            except Gone as gone:
                if time.monotonic() > until:
                    raise DataError(
                        f"The data server {self.called} does not answer ({gone}). Start it"
                        " (`tfsepgan-data serve`), or leave --data-server out to make the batches"
                        " here."
                    ) from gone
                if not waits:
                    self._say(
                        f"The data server {self.called} does not answer ({gone}); waiting"
                        f" {patience:.0f} s for it."
                    )
                waits = True
                self._pause(1.0)
                continue
            if waits:
                self._say(f"The data server {self.called} is back; going on at step {step}.")
            self._next = step
            return

    def batch(self, step: int) -> list[np.ndarray]:
        """The batch of a step.

        Raises: DataError when it cannot be had.
        """
        with self._busy:
            self._refuse_closed()
            for _ in range(_TRIES):
                if self._link is None or self._next != step:
                    self.connect(step, patience=PATIENCE_SECONDS)
                made, why = self._take(step)
                if made is not None:
                    self._next = step + self._request["every"]
                    return made
                self._drop()
        raise DataError(
            f"The data server {self.called} answers, but gave no batch of step {step} in {_TRIES}"
            f" tries ({why}). Is another server on one of its ports, or does something between the"
            " machines hold the batches back?"
        )

    def close(self) -> None:
        """Tell the server that nobody reads any more."""
        self._closed.set()
        with self._busy:
            self._drop()

    def _take(self, step: int) -> tuple[list[np.ndarray] | None, str]:
        """The next batch of the link, if it is the one of this step; else why it is not."""
        import tensorflow as tf

        asks = time.monotonic() + _ASK_WHY_SECONDS
        ends = math.inf
        while not self._link.announced.acquire(timeout=_LOOK_SECONDS):
            self._refuse_closed()
            if time.monotonic() > ends:
                return None, "none arrived"
            try:
                self._ask("/keep")
                if time.monotonic() > asks and ends == math.inf:
                    self._say(
                        f"Waiting for the batch of step {step} from {self.called}, which answers."
                    )
                    asked = time.monotonic()
                    self._ask("/why", seconds=_WHY_SECONDS, step=step)
                    # It can be made, in so many seconds: where it does not come soon, another
                    # pipeline may give it.
                    ends = time.monotonic() + 2 * (time.monotonic() - asked)
            except Gone as gone:
                return None, str(gone)
        try:
            got, mark, made = next(self._link.batches)
        except (tf.errors.OpError, StopIteration) as error:
            return None, (str(error).strip() or type(error).__name__).splitlines()[-1]
        if (int(got), int(mark)) != (step, token(self._link.name)):
            return None, f"another one came: step {int(got)}" + (
                " of another run" * (int(mark) != token(self._link.name))
            )
        return [made[key].numpy() for key in self._shapes], ""

    def _connected(self, step: int) -> _Link:
        name = uuid.uuid4().hex
        request = {**self._request, "name": name, "first_step": step}
        told = ""
        while "dispatcher" not in (
            reply := post(self.place, "/batches", request, _CONNECT_SECONDS + 5)
        ):
            if reply.get("wait") and not told:
                told = reply["wait"]
                self._say(f"The data server {self.called} gets ready: {told}.")
            self._pause(0.1)
        target = (self.place[0], int(reply["dispatcher"]))
        host, _, port = str(reply["worker"]).rpartition(":")
        for place in (target, (host, int(port))):
            self._refuse_unreachable(*place)
        try:
            return _within(_CONNECT_SECONDS * 6, lambda: _open_link(target, name, self._shapes))
        except TimeoutError as error:
            raise Gone("its dispatcher does not answer") from error

    def _refuse_unreachable(self, host: str, port: int) -> None:
        try:
            socket.create_connection((host, port), timeout=_CONNECT_SECONDS).close()
        except OSError as error:
            # gone meanwhile?
            post(self.place, "/keep", {"name": "0" * 32}, _CONNECT_SECONDS, missing=True)
            raise DataError(
                f"The data server {self.called} gives its batches at {host}:{port}, which cannot be"
                f" reached from here ({error}). Start it with an --address that reaches it, and"
                f" open its ports {self.place[1]} to {self.place[1] + 2}."
            ) from error

    def _ask(self, what: str, seconds: float = _CONNECT_SECONDS, **more: Any) -> None:
        post(self.place, what, {"name": self._link.name, **more}, seconds)

    def _drop(self) -> None:
        link, self._link = self._link, None
        if link is not None:
            name, held = link.name, [link]
            del link
            # Dropping it ends the reading ahead, and may wait for what is on its way.
            with contextlib.suppress(TimeoutError):
                _within(_CONNECT_SECONDS, held.clear)
            with contextlib.suppress(Gone, DataError):
                post(self.place, "/leave", {"name": name}, _LOOK_SECONDS)

    def _pause(self, seconds: float) -> None:
        self._closed.wait(seconds)
        self._refuse_closed()

    def _refuse_closed(self) -> None:
        if self._closed.is_set():
            raise DataError("Nobody reads these batches any more.")


def _keep(source: weakref.ref, closed: threading.Event) -> None:
    """Tell a server from time to time that its trainer is still there, though it may read nothing
    for a while."""
    while not closed.wait(KEEP_SECONDS):
        here = source()
        link = here._link if here else None
        if here is None:
            return
        if link is not None:
            with contextlib.suppress(Gone, DataError):  # whoever reads next finds out
                post(here.place, "/keep", {"name": link.name}, _CONNECT_SECONDS)
        del here, link


def _open_link(target: tuple[str, int], name: str, shapes: dict[str, tuple[int, ...]]) -> _Link:
    """Start reading ahead."""
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
        max_outstanding_requests=_AHEAD,
    )
    nothing = tf.nest.map_structure(lambda one: tf.zeros(one.shape, one.dtype), spec)
    # The first element is there at once; taking it starts the reading ahead.
    dataset = (
        tf.data.Dataset.from_tensors(nothing).concatenate(batches.map(announcing)).prefetch(_AHEAD)
    )
    iterator = iter(dataset.with_options(_options()))
    next(iterator)
    return _Link(name, iterator, announced)


def _within(seconds: float, work: Callable[[], Any]) -> Any:
    """What work gives, unless it takes longer.

    Raises: TimeoutError then; what it raises.
    """
    done: list[tuple[bool, Any]] = []

    def run():
        try:
            done.append((True, work()))
        except Exception as error:  # raised below, in the thread that waits
            done.append((False, error))

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(seconds)
    if not done:
        raise TimeoutError
    ((well, result),) = done
    if not well:
        raise result
    return result
