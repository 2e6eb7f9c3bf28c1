"""The trainer's side of remote batches; `server` is the other side.

The batches are those of `pipeline.training_batches`, bit for bit and in the same order.
"""

import http.client
import json
import math
import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from tfsepgan.config import DataConfig
from tfsepgan.data.batches.pipeline import LAST_STEP, PREFETCHED_BATCHES, batch_shapes, in_graph
from tfsepgan.data.recordings.catalogue import Catalogue
from tfsepgan.data.remote.request import SERVER, request_of
from tfsepgan.errors import DataError

PATIENCE_SECONDS = 60.0  # waiting for a server that stopped during a run
REPLY_SECONDS = 60.0  # without data from a server; enough for a batch with any augmentation
PARALLEL = 2  # requests to each server at a time
_PAUSE_SECONDS = 1.0

Say = Callable[[str], None]


def remote_batches(
    catalogue: Catalogue,
    config: DataConfig,
    *,
    batch_keys: Sequence[str],
    first_step: int = 0,
    say: Say = lambda text: None,
):
    """The batches of `pipeline.training_batches`, made by the servers in the settings.

    With several servers, step n comes from server n modulo their number.

    Args:
      catalogue, config, batch_keys, first_step: as in `training_batches`; `config.data_server`
        lists the servers.
      say: called with a sentence whenever the run waits.
    Returns: tf.data.Dataset of dictionaries with the keys of `batch_keys`. Its iterator raises
      DataError, as an error of TensorFlow, when a server stops and does not return.
    Raises: DataError when a server does not answer, has other data or settings, or cannot make the
      batches.
    """
    import tensorflow as tf

    prepare_servers(catalogue, config, batch_keys=batch_keys, say=say)
    places, shapes = server_places(config.data_server), batch_shapes(config, batch_keys)
    request = request_of(catalogue, config, batch_keys)
    ends = np.cumsum([math.prod(shape) for shape in shapes.values()])

    def batch(step: np.ndarray) -> list[np.ndarray]:
        place = places[int(step) % len(places)]
        reply = _ask(place, {**request, "step": int(step)}, PATIENCE_SECONDS, say)
        samples = np.frombuffer(reply, np.float32)
        if len(samples) != ends[-1]:
            raise DataError(f"The data server {place} sent {len(samples)} samples, not {ends[-1]}.")
        parts = np.split(samples, ends[:-1])
        return [part.reshape(shape) for part, shape in zip(parts, shapes.values(), strict=True)]

    # private threads: a waiting request then takes none from the training step
    options = tf.data.Options()
    options.threading.private_threadpool_size = parallel = PARALLEL * len(places)
    steps = tf.data.Dataset.range(first_step, LAST_STEP)
    batches = steps.map(in_graph(batch, shapes), num_parallel_calls=parallel, deterministic=True)
    return batches.prefetch(PREFETCHED_BATCHES).with_options(options)


def prepare_servers(
    catalogue: Catalogue,
    config: DataConfig,
    *,
    batch_keys: Sequence[str],
    say: Say = lambda text: None,
) -> None:
    """Have the servers prepare, and check that they match the settings.

    The arguments and errors are those of `remote_batches`.
    """
    request = {**request_of(catalogue, config, batch_keys), "step": None}
    for place in server_places(config.data_server):
        _ask(place, request, 0.0, say)


def server_places(servers: str) -> list[str]:
    """`HOST:PORT,HOST:PORT` as a list; `config.check` checks the text."""
    return [server.strip() for server in servers.split(",")]


class _Gone(Exception):
    """A server does not answer."""


def _ask(place: str, request: dict[str, Any], patience_seconds: float, say: Say) -> bytes:
    """The reply of a server, waiting while it prepares or, for some time, does not answer."""
    deadline, shown = time.monotonic() + patience_seconds, ""
    while True:
        try:
            status, reply = _post(place, request)
        except _Gone as gone:
            if time.monotonic() >= deadline:
                raise DataError(
                    f"The data server {place} does not answer ({gone}). Start it (`tfsepgan-data"
                    " serve`), or leave --data-server out to make the batches on this machine."
                ) from gone
            news = f"does not answer ({gone}); waiting {patience_seconds:.0f} s for it"
        else:
            if status == 200:
                if shown:
                    say(f"The data server {place} is ready.")
                return reply
            deadline = time.monotonic() + patience_seconds
            news = "is preparing: it reads its recordings and unpacks those not in its cache"
        if not shown:
            say(f"The data server {place} {news}.")
            shown = news
        time.sleep(_PAUSE_SECONDS)


def _post(place: str, request: dict[str, Any]) -> tuple[int, bytes]:
    """Status and body of a reply.

    Raises: _Gone when the server does not answer; DataError when it refuses or is another program.
    """
    connection = http.client.HTTPConnection(place, timeout=REPLY_SECONDS)
    try:
        connection.request("POST", "/", json.dumps(request))
        reply = connection.getresponse()
        body = reply.read()
    except (OSError, http.client.HTTPException) as error:
        raise _Gone(str(error) or type(error).__name__) from error
    finally:
        connection.close()
    if reply.getheader("Server", "").strip() != SERVER:
        raise DataError(
            f"{place} answers, but is no data server; use the port of `tfsepgan-data serve`."
        )
    if reply.status not in (200, 202):
        raise DataError(f"The data server {place} gives no batches: {body.decode()}")
    return reply.status, body
