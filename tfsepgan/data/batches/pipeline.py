"""From a catalogue to batches in tf.data: step -> plan -> windows -> mixtures.

The batch of a step depends only on (seed, step). So a run resumes at `first_step` with the same
data as without the interruption, and every reader gives the same bits.
"""

import functools
import os
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from tfsepgan.config import DataConfig
from tfsepgan.data.augment.augmenter import Augmenter, Changes, longer_window
from tfsepgan.data.batches.draws import Draws, Plan, rows_of
from tfsepgan.data.batches.mixing_laws import Mixed, finish, paper_law, snr_law
from tfsepgan.data.batches.pool import OTHER, Pool
from tfsepgan.data.batches.readers import choose_reader, read_windows, read_windows_in_graph
from tfsepgan.data.batches.shutdown import CallWatch
from tfsepgan.data.batches.streams import PAIRED, Stream, open_streams
from tfsepgan.data.recordings.catalogue import Catalogue

# at a time when windows are filtered or resampled; more would take cores from the training step
PARALLEL_BATCHES = 2
PREFETCHED_BATCHES = 4
LAST_STEP = 2**62
ALIGNMENT = 64  # bytes; TensorFlow copies arrays that are not aligned
WATCH = CallWatch()


def training_batches(
    catalogue: Catalogue,
    config: DataConfig,
    *,
    batch_keys: Sequence[str] = PAIRED,
    split: str = "train",
    first_step: int = 0,
    cache_dir: str | os.PathLike | None = None,
    rows: Sequence[int] | None = None,
):
    """Endless training batches, with the keys that a system needs.

    Args:
      catalogue: the recordings, from `catalogue.scan`.
      config: how to draw and mix them.
      batch_keys: the keys of a batch, see `batch_shapes`.
      split: the split to draw from; only `train` gets variants.
      first_step: step of the first batch.
      cache_dir: folder of unpacked recordings; default `config.cache`, or else the user's cache
        folder.
      rows: the mixtures of each batch to make, in this order; None: all.
    Returns: tf.data.Dataset of dictionaries with the keys of `batch_keys`.
    Raises: DataError when the split lacks a source, has no file longer than the window, or a file
      cannot be unpacked.
    """
    import tensorflow as tf

    reader = choose_reader(config.reader)
    maker = BatchMaker(catalogue, config, batch_keys, split=split, cache_dir=cache_dir, rows=rows)
    dataset = tf.data.Dataset.range(first_step, LAST_STEP)
    if reader == "tfio":
        dataset = _read_with_tfio(dataset, maker)
    mix = in_graph(functools.partial(maker.batch, reader), maker.shapes)
    parallel = batches_at_a_time(maker.augmenter)
    dataset = dataset.map(mix, num_parallel_calls=parallel, deterministic=True)
    return dataset.prefetch(PREFETCHED_BATCHES)


class BatchMaker:
    """Makes the batch of a step, without TensorFlow.

    The arguments and errors are those of `training_batches`.
    """

    def __init__(
        self,
        catalogue: Catalogue,
        config: DataConfig,
        batch_keys: Sequence[str],
        *,
        split: str = "train",
        cache_dir: str | os.PathLike | None = None,
        rows: Sequence[int] | None = None,
    ):
        self.rows = rows
        self.shapes = batch_shapes(config, batch_keys, rows)
        self.streams = open_streams(catalogue, config, batch_keys, split, cache_dir)
        self.config, self.batch_keys = config, batch_keys
        augmented = config.augment.active and split == "train"
        self.augmenter = Augmenter(config) if augmented else None
        self.read = longer_window(config) if augmented else config.window

    def draws(self, step: np.ndarray) -> tuple[np.ndarray, ...]:
        """What is read for a step, for all streams; the columns are those of `Draws`."""
        drawn = [
            rows_of(stream.plan(self.config, int(step), self.read).draws, self.rows)
            for stream in self.streams
        ]
        columns = map(np.concatenate, zip(*drawn, strict=True))
        return tuple(column.astype(np.int64) for column in columns)

    def batch(
        self, reader: str, step: np.ndarray, windows: np.ndarray | None = None
    ) -> list[np.ndarray]:
        """The arrays of a step, in the order of `batch_keys`.

        Args:
          reader: reads the windows.
          step: of the training.
          windows: the windows of `draws`, if they are already read.
        """
        made: dict[str, np.ndarray] = {}
        for stream in self.streams:
            plan = stream.plan(self.config, int(step), self.read)
            draws = rows_of(plan.draws, self.rows)
            if windows is None:
                own = read_windows(stream.pool, draws, self.read, reader)
            else:
                own, windows = windows[: len(draws.item)], windows[len(draws.item) :]
            changes = self.changes(plan, stream, int(step))
            made |= stream.made(*mix_batch(stream.pool, self.config, plan, own, changes, self.rows))
        return [made[key] for key in self.batch_keys]

    def changes(self, plan: Plan, stream: Stream, step: int) -> Changes | None:
        """The augmentation of a step; None without any."""
        return self.augmenter and Changes(self.augmenter, plan, stream.number, step)


def in_graph(
    make: Callable[..., list[np.ndarray]], shapes: dict[str, tuple[int, ...]]
) -> Callable[..., dict[str, Any]]:
    """A function for tf.data from one that makes arrays, with the keys and shapes of a batch."""
    import tensorflow as tf

    def to_batch(*inputs):
        kinds = [tf.float32] * len(shapes)
        made = tf.numpy_function(WATCH.watch(make), inputs, kinds, stateful=False)
        return {
            key: tf.ensure_shape(value, shapes[key])
            for key, value in zip(shapes, made, strict=True)
        }

    return to_batch


def batches_at_a_time(augmenter: Augmenter | None) -> int:
    """How many batches are made in parallel.

    Mixing consists of many array operations of 10 microseconds. Two threads of them wait for
    Python's lock and for each other, and are slower than one by 20 to 33 %
    (tools/benchmarks/bench_pipeline.py). Filters and transforms take longer and release the lock.
    """
    return PARALLEL_BATCHES if augmenter and augmenter.works else 1


def batch_shapes(
    config: DataConfig, batch_keys: Sequence[str], rows: Sequence[int] | None = None
) -> dict[str, tuple[int, ...]]:
    """The shape of each key of a batch.

    The keys, each float32 and drawn independently of the others (except the first two):
    - "mixture" `[batch, time, 1]`, and "sources" `[batch, sources, time, 1]`, its sources;
    - "solo" `[batch, sources + 1, time, 1]`: each source and last the others, at levels drawn as
      for another mixture;
    - "unlabelled" `[batch, time, 1]`: mixtures without their sources, from the folder `mixture` if
      there is one, or else made.

    With `config.labelled` below 1, the last two use other recordings than the first two.
    """
    parts = {"sources": len(config.sources), "solo": len(config.sources) + 1}
    batch, ends = config.batch if rows is None else len(rows), (config.window, 1)
    return {
        key: (batch, parts[key], *ends) if key in parts else (batch, *ends) for key in batch_keys
    }


def _read_with_tfio(steps, maker: BatchMaker):
    """Map steps to (step, int16 windows of all streams), without parallel calls."""
    import tensorflow as tf

    paths = [str(recording.path) for recording in maker.streams[0].pool.recordings]

    def read(step):
        kinds = [tf.int64] * len(Draws._fields)
        columns = tf.numpy_function(WATCH.watch(maker.draws), [step], kinds, stateful=False)
        draws = Draws(*(tf.ensure_shape(column, [None]) for column in columns))
        return step, read_windows_in_graph(tf.constant(paths), draws, maker.read)

    options = tf.data.Options()
    options.experimental_optimization.map_parallelization = False  # see read_windows_in_graph
    return steps.map(read).with_options(options).prefetch(PARALLEL_BATCHES)


def mix_batch(
    pool: Pool,
    config: DataConfig,
    plan: Plan,
    windows: np.ndarray,
    changes: Changes | None = None,
    rows: Sequence[int] | None = None,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Mix the windows of a plan by the law in the settings.

    Mixtures are made one after the other, so that the data of each fit into the processor's cache.

    Args:
      pool, config, plan: where the windows came from.
      windows: int16 `[draws, window]`, or with `changes` `[draws, longer]`, see
        `augmenter.longer_window`.
      changes: augmentation of the windows, and noise under the mixtures, which is part of the
        residual.
      rows: the mixtures to make, in this order; `windows` then holds those of `rows_of` only.
    Returns: mixtures `[batch, time, 1]`, sources `[batch, sources, time, 1]` and residuals `[batch,
      time, 1]`, float32.
    """
    items = range(config.batch) if rows is None else rows
    if rows is not None:
        own, windows = windows, np.empty((len(plan.draws.item), windows.shape[1]), windows.dtype)
        windows[np.isin(plan.draws.item, rows)] = own
    mixtures = _empty(len(items), config.window, 1)
    sources = _empty(len(items), pool.sources, config.window, 1)
    residuals = _empty(len(items), config.window, 1)
    # allocated once a batch, because new memory is slow at first use
    scratch = np.empty((len(windows), config.window), np.float32)
    for place, item in enumerate(items):
        out = Mixed(mixtures[place, :, 0], sources[place, :, :, 0], residuals[place, :, 0])
        _mix_item(pool, config, plan, item, windows, changes, out, scratch)
    return mixtures, sources, residuals


def _empty(*shape: int) -> np.ndarray:
    """A float32 array aligned as TensorFlow needs it to use the memory without a copy."""
    count = int(np.prod(shape))
    memory = np.empty(count * 4 + ALIGNMENT, np.uint8)
    first = -memory.ctypes.data % ALIGNMENT
    return memory[first : first + count * 4].view(np.float32).reshape(shape)


def _mix_item(
    pool: Pool,
    config: DataConfig,
    plan: Plan,
    item: int,
    windows: np.ndarray,
    changes: Changes | None,
    out: Mixed,
    scratch: np.ndarray,
) -> None:
    rows = np.flatnonzero(plan.draws.item == item)
    is_other = plan.draws.part[rows] == OTHER
    other_rows, target_rows = rows[is_other], rows[~is_other]
    targets, others = out.sources, scratch[: len(other_rows)]
    if len(target_rows) < pool.sources:
        targets[:] = 0
    places = [
        *zip(other_rows, others, strict=True),
        *((row, targets[plan.draws.part[row]]) for row in target_rows),
    ]
    for row, place in places:
        scale = np.float32(pool.recordings[plan.draws.recording[row]].scale)
        own = place if windows.shape[1] == config.window else None
        scaled = np.multiply(windows[row], scale, out=own, dtype=np.float32)
        if changes:
            place[:] = changes.window(row, scaled)
    if plan.together[item] and len(others) > 1:
        others, other_rows = others.sum(axis=0, keepdims=True), other_rows[:1]
    parts = (out.sources, out.residual)
    if config.law == "paper":
        paper_law(targets, others, weights=plan.weights[item], out=parts)
    else:
        levels = {
            "snr_db": plan.snr_db[item],
            "spread_db": plan.spread_db[other_rows],
            "silence_db": config.silence_db,
        }
        snr_law(targets, others, **levels, gain_db=float(plan.gain_db[item]), out=parts)
    if changes and config.augment.noise:
        noise = changes.noise(item, out.sources.sum(axis=0) + out.residual)
        if noise is not None:
            np.add(out.residual, noise, out=out.residual)
    finish(*parts, out=out)
