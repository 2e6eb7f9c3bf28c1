"""The trainer's side of remote batches; `server` is the other side.

The batches are those of `pipeline.training_batches`, bit for bit and in the same order. Each batch
carries its step and the name of its request, and is refused if they do not match.
"""

import weakref
from collections.abc import Callable, Sequence

import numpy as np

from tfsepgan.config import DataConfig
from tfsepgan.data.batches.pipeline import LAST_STEP, batch_shapes
from tfsepgan.data.recordings.catalogue import Catalogue
from tfsepgan.data.remote.connection import AHEAD, ServerConnection, one_at_a_time


def served_batches(
    catalogue: Catalogue,
    config: DataConfig,
    *,
    batch_keys: Sequence[str],
    first_step: int = 0,
    say: Callable[[str], None] = lambda text: None,
):
    """The batches of `pipeline.training_batches`, made by the servers in the settings.

    With several servers, step n comes from server n modulo their number.

    Args:
      catalogue, config, batch_keys, first_step: as in `training_batches`; `config.data_server`
        lists the servers.
      say: called with a sentence whenever the run waits.
    Returns: tf.data.Dataset of dictionaries with the keys of `batch_keys`; when it is deleted, the
      servers are notified.
    Raises: DataError when a server does not answer, has other data or settings, or cannot make the
      batches; in the dataset, when a server stops and does not return.
    """
    import tensorflow as tf

    places = server_places(config.data_server)
    settings = {"batch_keys": batch_keys, "every": len(places), "say": say}
    connections = [ServerConnection(place, catalogue, config, **settings) for place in places]
    try:
        for number, connection in enumerate(connections):
            connection.connect(first_step + (number - first_step) % len(places), patience=0.0)
    except BaseException:
        _close(connections)
        raise
    shapes = batch_shapes(config, batch_keys)

    def batch(step: np.ndarray) -> list[np.ndarray]:
        return connections[int(step) % len(connections)].batch(int(step))

    def to_batch(step):
        made = tf.numpy_function(batch, [step], [tf.float32] * len(batch_keys))
        return {
            key: tf.ensure_shape(value, shapes[key])
            for key, value in zip(batch_keys, made, strict=True)
        }

    dataset = tf.data.Dataset.range(first_step, LAST_STEP).map(to_batch).prefetch(AHEAD)
    dataset = dataset.with_options(one_at_a_time())
    weakref.finalize(dataset, _close, connections)
    return dataset


def ask_servers(
    catalogue: Catalogue,
    config: DataConfig,
    *,
    batch_keys: Sequence[str],
    say: Callable[[str], None] = lambda text: None,
) -> None:
    """Have the servers prepare, and check that they match the settings.

    The arguments are those of `served_batches`.

    Raises: DataError as `served_batches` does.
    """
    for place in server_places(config.data_server):
        connection = ServerConnection(
            place, catalogue, config, batch_keys=batch_keys, every=1, say=say
        )
        try:
            connection.connect(0, patience=0.0)
        finally:
            connection.close()


def server_places(servers: str) -> list[tuple[str, int]]:
    """`HOST:PORT,HOST:PORT` as pairs; `config.check` checks the text."""
    pairs = [server.strip().rpartition(":") for server in servers.split(",")]
    return [(host.strip("[]"), int(port)) for host, _, port in pairs]


def _close(connections: Sequence[ServerConnection]) -> None:
    for connection in connections:
        connection.close()
