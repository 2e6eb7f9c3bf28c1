"""From a catalogue to batches: step -> plan -> windows -> mixtures, in tf.data.

Each step's batch is a function of (seed, step) alone, so a resumed run asks for `first_step` and goes on with
the data that an uninterrupted one would have seen, and every reader gives the same bits.
"""

import os
from pathlib import Path

import numpy as np

from tfsepgan.config import DataConfig
from tfsepgan.data.cache import default_cache_directory, unpack
from tfsepgan.data.catalogue import AudioFile, Catalogue
from tfsepgan.data.leaving import CallWatch
from tfsepgan.data.mixing import Mixed, finish, paper_law, snr_law
from tfsepgan.data.readers import choose_reader, read_windows, read_windows_in_graph
from tfsepgan.data.windows import OTHER, Draws, Plan, Pool, build_pool, draw_plan
from tfsepgan.errors import DataError

PARALLEL_BATCHES = 2  # made at a time; more only takes cores from the training step
PREFETCHED_BATCHES = 4
_LAST_STEP = 2**62
_WATCH = CallWatch()


def training_batches(
    catalogue: Catalogue,
    config: DataConfig,
    *,
    split: str = "train",
    first_step: int = 0,
    cache_dir: str | os.PathLike | None = None,
):
    """Endless batches of mixtures and the sources in them.

    Args:
      catalogue: what there is, from `catalogue.scan`.
      config: what to make of it.
      split: where to draw from; only `train` gets variants.
      first_step: step of the first batch; the batch of a step does not depend on it.
      cache_dir: where unpacked recordings lie; default `config.cache`, or else the user's cache folder.
    Returns: tf.data.Dataset of {"mixture": `[batch, time, 1]`, "sources": `[batch, sources, time, 1]`},
      float32.
    Raises: DataError when the split lacks a source, has no file longer than the window, or a file cannot be
      unpacked.
    """
    import tensorflow as tf

    pool = open_pool(catalogue, config, split=split, cache_dir=cache_dir)
    reader = choose_reader(config.reader)
    batch, sources, window = config.batch, len(config.sources), config.window

    def make(step: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        plan = draw_plan(pool, config, int(step))
        return mix_batch(pool, config, plan, read_windows(pool, plan.draws, window, reader))

    def mix(step: np.ndarray, windows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return mix_batch(pool, config, draw_plan(pool, config, int(step)), windows)

    def to_batch(*inputs):
        outputs = [tf.float32, tf.float32]
        function = _WATCH.watch(mix if reader == "tfio" else make)
        made = tf.numpy_function(function, inputs, outputs, stateful=False)
        return {
            "mixture": tf.ensure_shape(made[0], (batch, window, 1)),
            "sources": tf.ensure_shape(made[1], (batch, sources, window, 1)),
        }

    dataset = tf.data.Dataset.range(first_step, _LAST_STEP)
    if reader == "tfio":
        dataset = _read_with_tfio(dataset, pool, config)
    dataset = dataset.map(to_batch, num_parallel_calls=PARALLEL_BATCHES, deterministic=True)
    return dataset.prefetch(PREFETCHED_BATCHES)


def _read_with_tfio(steps, pool: Pool, config: DataConfig):
    """Dataset of steps to one of (step, int16 windows), in a map that never runs in parallel."""
    import tensorflow as tf

    paths = [str(recording.path) for recording in pool.recordings]

    def draw(step: np.ndarray) -> tuple[np.ndarray, ...]:
        return tuple(column.astype(np.int64) for column in draw_plan(pool, config, int(step)).draws)

    def read(step):
        columns = tf.numpy_function(_WATCH.watch(draw), [step], [tf.int64] * len(Draws._fields), stateful=False)
        draws = Draws(*(tf.ensure_shape(column, [None]) for column in columns))
        return step, read_windows_in_graph(tf.constant(paths), draws, config.window)

    options = tf.data.Options()
    options.experimental_optimization.map_parallelization = False  # see read_windows_in_graph
    return steps.map(read).with_options(options).prefetch(PARALLEL_BATCHES)


def open_pool(
    catalogue: Catalogue,
    config: DataConfig,
    *,
    split: str = "train",
    cache_dir: str | os.PathLike | None = None,
) -> Pool:
    """Unpack a split and arrange it for drawing.

    Raises: DataError, see `training_batches`.
    """
    catalogue.require(split, config.sources)
    _refuse_all_short(catalogue, config, split)
    unpacked = unpack(
        [file for files in catalogue.splits[split].values() for file in files],
        sample_rate_hz=config.sample_rate_hz,
        cache_dir=Path(cache_dir or config.cache or default_cache_directory()),
        variants=config.variants if split == "train" else 0,
        seed=config.seed,
        speed_group=_track if catalogue.layout == "multitrack" else _itself,
    )
    return build_pool(catalogue, split, config.sources, unpacked, config.sample_rate_hz)


def mix_batch(pool: Pool, config: DataConfig, plan: Plan, windows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Turn the windows of a plan into mixtures by the law of the settings.

    Args:
      pool, config, plan: where the windows came from.
      windows: int16 `[draws, window]`.
    Returns: mixtures `[batch, time, 1]` and sources `[batch, sources, time, 1]`, float32.
    """
    mixtures = np.empty((config.batch, config.window, 1), np.float32)
    sources = np.empty((config.batch, pool.sources, config.window, 1), np.float32)
    for item in range(config.batch):
        mixed = _mix_item(pool, config, plan, item, windows)
        mixtures[item, :, 0] = mixed.mixture
        sources[item, :, :, 0] = mixed.sources
    return mixtures, sources


def _mix_item(pool: Pool, config: DataConfig, plan: Plan, item: int, windows: np.ndarray) -> Mixed:
    targets = np.zeros((pool.sources, config.window), np.float32)
    rows = np.flatnonzero(plan.draws.item == item)
    other_rows = rows[plan.draws.part[rows] == OTHER]
    others = np.empty((len(other_rows), config.window), np.float32)
    into = {row: others[number] for number, row in enumerate(other_rows)}
    for row in rows:
        scale = pool.recordings[plan.draws.recording[row]].scale
        destination = into[row] if row in into else targets[plan.draws.part[row]]
        np.multiply(windows[row], np.float32(scale), out=destination, dtype=np.float32)
    if plan.together[item] and len(others) > 1:
        others, other_rows = others.sum(axis=0, keepdims=True), other_rows[:1]
    if config.law == "paper":
        parts = paper_law(targets, others, weights=plan.weights[item])
        return finish(*parts)
    parts = snr_law(targets, others, snr_db=plan.snr_db[item], spread_db=plan.spread_db[other_rows])
    return finish(*parts, gain_db=float(plan.gain_db[item]))


def _refuse_all_short(catalogue: Catalogue, config: DataConfig, split: str) -> None:
    seconds = config.window / config.sample_rate_hz
    for source in config.sources:
        files = catalogue.splits[split][source]
        longest = max(files, key=lambda file: file.seconds)
        if longest.seconds < seconds:
            folder = catalogue.directory / split / ("*" if catalogue.layout == "multitrack" else source)
            count = f"{len(files)} file{'s' if len(files) > 1 else ''}"
            raise DataError(
                f"{folder} holds {count} but none is longer than the window "
                f"({seconds:.2f} s at {config.sample_rate_hz} Hz);\nthe longest is {longest.path.name}, "
                f"{longest.seconds:.2f} s. Use --window {_shorter_window(longest, config)} or longer recordings."
            )


def _shorter_window(longest: AudioFile, config: DataConfig) -> int:
    """The largest power of two that the longest file fills."""
    return 2 ** max(0, int(np.log2(max(1, longest.seconds * config.sample_rate_hz))))


def _track(file: AudioFile) -> str:
    return file.name.rpartition("/")[0]


def _itself(file: AudioFile) -> str:
    return file.name
