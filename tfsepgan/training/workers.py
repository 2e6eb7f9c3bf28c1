"""The devices and processes that train one run together, with `tf.distribute`.

Each device is a replica: it has all weights and computes its part of every batch. With
'multiworker', each process is a worker with one or more replicas. The first worker, the chief,
reads and writes the folder of the run; the others get its state over the network.
"""

import contextlib
import json
import logging
import os
from collections.abc import Callable, Iterator, Sequence

import numpy as np
import tensorflow as tf

from tfsepgan.config import Experiment
from tfsepgan.errors import ConfigError, TfsepganError

logger = logging.getLogger(__name__)

_EXAMPLE = (
    '{"cluster": {"worker": ["host1:2222", "host2:2222"]}, "task": {"type": "worker", "index": 0}}'
)


# what TensorFlow raises on the other workers when one is gone
LOST = (
    tf.errors.UnavailableError,
    tf.errors.AbortedError,
    tf.errors.CancelledError,
    tf.errors.FailedPreconditionError,
    tf.errors.DeadlineExceededError,
    tf.errors.InternalError,
)


def lost_worker(error: tf.errors.OpError) -> TfsepganError:
    """The error of a worker that has lost another worker."""
    reason = (str(error.message).strip() or type(error).__name__).splitlines()[0]
    return TfsepganError(
        f"Another worker stopped or cannot be reached ({reason}). Start the same command on all"
        " workers: the run resumes from its last checkpoint."
    )


class Workers:
    """One process without a strategy, or the part of this process in a strategy.

    Args:
      strategy: of `tf.distribute`; None for one process on one device.
      index, count: number of this worker, and of all workers.
    """

    def __init__(
        self, strategy: tf.distribute.Strategy | None = None, index: int = 0, count: int = 1
    ):
        self.strategy, self.index, self.count = strategy, index, count
        self.replicas = strategy.num_replicas_in_sync if strategy else 1
        self._summed: Callable | None = None

    @property
    def chief(self) -> bool:
        """Whether this worker reads and writes the folder of the run."""
        return self.index == 0

    @property
    def own_replicas(self) -> range:
        """The numbers of the replicas in this process."""
        own = self.replicas // self.count
        return range(self.index * own, (self.index + 1) * own)

    def rows_of(self, batch: int) -> list[int] | None:
        """The rows of a batch that this process computes, replica by replica; None for all."""
        if self.strategy is None:
            return None
        return [row for own in self.own_replicas for row in range(own, batch, self.replicas)]

    def scope(self) -> contextlib.AbstractContextManager:
        """Within this context, variables are those of the strategy."""
        return self.strategy.scope() if self.strategy else contextlib.nullcontext()

    def check(self, experiment: Experiment) -> None:
        """Refuse a batch that cannot be divided.

        Raises: ConfigError.
        """
        batch, parts = experiment.data.batch, experiment.training.accumulate
        if batch % (self.replicas * parts):
            times = f" times accumulate {parts}" if parts > 1 else ""
            raise ConfigError(
                f"batch is {batch}, to be divided over {self.replicas} devices{times}; it must be a"
                f" multiple of {self.replicas * parts}. It is the number of windows of all devices"
                " together."
            )

    def batches(self, dataset: tf.data.Dataset):
        """Divide a dataset among the replicas of this process.

        Args:
          dataset: its batches hold the rows of `rows_of`, replica by replica.
        Returns: a dataset that gives each replica its own rows; without a strategy, `dataset`.
        """
        if self.strategy is None:
            return dataset
        own = len(self.own_replicas)

        def by_replica(batch):
            return {
                key: tf.reshape(rows, (own, rows.shape[0] // own, *rows.shape[1:]))
                for key, rows in batch.items()
            }

        apart = dataset.map(by_replica).unbatch()
        return self.strategy.distribute_datasets_from_function(lambda context: apart)

    def gathered(self, number: int) -> list[int]:
        """A number of every worker, in their order. All workers call this at the same time."""
        if self.count == 1:
            return [number]
        numbers = np.zeros(self.count)
        numbers[self.index] = number
        return [round(one) for one in self._sum(numbers)]

    def of_chief(self, arrays: Sequence[np.ndarray]) -> list[np.ndarray]:
        """The chief's values of some arrays, exactly. All workers call this at the same time.

        Args:
          arrays: with the same shapes and types on all workers; integers below 2**53.
        """
        if self.count == 1:
            return list(arrays)
        flat = np.concatenate([np.ravel(array).astype(np.float64) for array in arrays])
        flat = self._sum(flat if self.chief else np.zeros_like(flat))
        ends = np.cumsum([array.size for array in arrays])[:-1]
        return [
            part.astype(array.dtype).reshape(array.shape)
            for part, array in zip(np.split(flat, ends), arrays, strict=True)
        ]

    def text_of_chief(self, text: str) -> str:
        """The chief's text. All workers call this at the same time."""
        own = np.frombuffer(text.encode(), np.uint8)
        size = self.gathered(len(own))[0]
        return (
            self.of_chief([own if self.chief else np.zeros(size, np.uint8)])[0].tobytes().decode()
        )

    @contextlib.contextmanager
    def together(self) -> Iterator[None]:
        """Within this context, an error on one worker stops all.

        Raises: TfsepganError when another worker had an error; the error of this worker otherwise.
        """
        try:
            yield
        except TfsepganError:
            self.gathered(1)
            raise
        if any(failed := self.gathered(0)):
            raise TfsepganError(
                f"Worker {failed.index(1)} could not start, so this one stops too; its message says"
                " why."
            )

    def leave(self) -> None:
        """Wait until all workers are done, because one that ends early counts as lost."""
        with contextlib.suppress(TfsepganError):
            self.gathered(0)

    def _sum(self, values: np.ndarray) -> np.ndarray:
        """The sum over workers of a vector; each worker counts once."""
        if self._summed is None:
            self._summed = tf.function(self._sum_in_graph, reduce_retracing=True)
        try:
            return self._summed(tf.constant(values, tf.float64)).numpy()
        except LOST as error:
            raise lost_worker(error) from error

    def _sum_in_graph(self, values):
        def total(own):
            context = tf.distribute.get_replica_context()
            first = tf.equal(context.replica_id_in_sync_group, self.own_replicas.start)
            return context.all_reduce(tf.distribute.ReduceOp.SUM, own * tf.cast(first, own.dtype))

        return self.strategy.experimental_local_results(self.strategy.run(total, (values,)))[0]


def open_workers(name: str) -> Workers:
    """The workers of a strategy. Call it before anything else uses TensorFlow.

    With 'multiworker' it waits until all workers are there.

    Args:
      name: 'single', 'mirrored' or 'multiworker'.
    Raises: ConfigError when the machine has one device, or TF_CONFIG is missing or malformed.
    """
    if name == "single":
        return Workers()
    if name == "mirrored":
        devices = tf.config.list_logical_devices("GPU") or tf.config.list_logical_devices("CPU")
        if len(devices) < 2:
            raise ConfigError(
                f"strategy is 'mirrored', but there is one device, {devices[0].name}; it needs two"
                " or more. Leave --strategy out."
            )
        return Workers(tf.distribute.MirroredStrategy([device.name for device in devices]))
    index, count = place_in_cluster(os.environ.get("TF_CONFIG"))
    logger.info("Worker %d of %d, waiting for all of them.", index, count)
    try:
        strategy = tf.distribute.MultiWorkerMirroredStrategy()
    except RuntimeError as error:
        raise ConfigError(
            f"strategy is 'multiworker', but TensorFlow was used in this process before: {error}"
            " Start the run in a new process."
        ) from error
    return Workers(strategy, index, count)


def place_in_cluster(text: str | None) -> tuple[int, int]:
    """Number of this worker and of all workers, from TF_CONFIG.

    Raises: ConfigError when it is missing, is not JSON, or does not describe workers.
    """
    if not text:
        raise ConfigError(
            "strategy is 'multiworker', but the environment variable TF_CONFIG is not set. On"
            f" worker 0 of two: TF_CONFIG='{_EXAMPLE}'"
        )
    try:
        given = json.loads(text)
        cluster, task = given["cluster"], given["task"]
        order = [
            *("chief" for _ in cluster.get("chief", ())),
            *("worker" for _ in cluster["worker"]),
        ]
        other = set(cluster) - {"chief", "worker"}
        kind, number = task["type"], int(task["index"])
        count = len(cluster[kind])
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ConfigError(
            f"TF_CONFIG is {text!r}, which does not describe workers ({type(error).__name__}:"
            f" {error}). Wanted, on worker 0 of two: {_EXAMPLE}"
        ) from error
    if other or not 0 <= number < count or len(order) < 2:
        wrong = f"has {sorted(other)[0]!r}" if other else f"has no {kind} {number}"
        wrong = "has one worker" if len(order) < 2 else wrong
        raise ConfigError(
            f"TF_CONFIG is {text!r}, whose cluster {wrong}. Wanted, on worker 0 of two: {_EXAMPLE}"
        )
    return number + (order.count("chief") if kind == "worker" else 0), len(order)
