"""The batches of a run from any step on, from this process or from data servers."""

from collections.abc import Callable, Sequence

import tensorflow as tf

from tfsepgan.config import DataConfig
from tfsepgan.data.batches.pipeline import training_batches
from tfsepgan.data.batches.streams import open_pool
from tfsepgan.data.recordings.catalogue import Catalogue
from tfsepgan.data.remote.client import prepare_servers, remote_batches


class Batches:
    """Batches of one run; servers give the same values as this process.

    Args:
      catalogue: the recordings.
      data: the data settings; `data_server` says where the batches are made.
      batch_keys: the keys that the system needs.
      report: prints a sentence when a server makes the run wait.
      rows: the windows of each batch that this process computes, in this order; None: all.
    """

    def __init__(
        self,
        catalogue: Catalogue,
        data: DataConfig,
        batch_keys: Sequence[str],
        report: Callable[[str], None],
        rows: Sequence[int] | None = None,
    ):
        self._catalogue, self._data, self._keys = catalogue, data, batch_keys
        self._report, self._rows = report, rows

    def prepare(self) -> None:
        """Check the servers, or decode the recordings that are not in the cache."""
        if self._data.data_server:
            prepare_servers(self._catalogue, self._data, batch_keys=self._keys, say=self._report)
        else:
            open_pool(self._catalogue, self._data)

    def from_step(self, step: int) -> tf.data.Dataset:
        """The batches of this step and all later ones."""
        settings = {"batch_keys": self._keys, "first_step": step}
        if not self._data.data_server:
            return training_batches(self._catalogue, self._data, **settings, rows=self._rows)
        batches = remote_batches(self._catalogue, self._data, **settings, say=self._report)
        if self._rows is None:
            return batches
        return batches.map(
            lambda batch: {key: tf.gather(all_, self._rows) for key, all_ in batch.items()}
        )
