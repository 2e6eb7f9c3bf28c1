"""From a catalogue to batches: step -> plan -> windows -> mixtures, in tf.data.

Each step's batch is a function of (seed, step) alone, so a resumed run asks for `first_step` and goes on with
the data that an uninterrupted one would have seen, and every reader gives the same bits.
"""

import os
from collections.abc import Callable, Sequence

import numpy as np

from tfsepgan.config import DataConfig
from tfsepgan.data.augmentation import Augmenter, longer_window
from tfsepgan.data.catalogue import Catalogue
from tfsepgan.data.leaving import CallWatch
from tfsepgan.data.mixing import Mixed, finish, paper_law, snr_law
from tfsepgan.data.readers import choose_reader, read_windows, read_windows_in_graph
from tfsepgan.data.streams import PAIRED, Stream, open_streams
from tfsepgan.data.windows import OTHER, Draws, Plan, Pool

PARALLEL_BATCHES = 2  # made at a time; more only takes cores from the training step
PREFETCHED_BATCHES = 4
LAST_STEP = 2**62
_WATCH = CallWatch()


def training_batches(
    catalogue: Catalogue,
    config: DataConfig,
    *,
    hears: Sequence[str] = PAIRED,
    split: str = "train",
    first_step: int = 0,
    every: int = 1,
    cache_dir: str | os.PathLike | None = None,
):
    """Endless batches of what a system hears.

    Args:
      catalogue: what there is, from `catalogue.scan`.
      config: what to make of it.
      hears: what a batch holds, each float32 and drawn independently of the others but for the first two:
        "mixture" `[batch, time, 1]` and "sources" `[batch, sources, time, 1]`, the sources in it;
        "solo" `[batch, sources + 1, time, 1]`, each source and last the rest, as loud as in some other mixture;
        "unlabelled" `[batch, time, 1]`, mixtures whose sources are not told: those in the folder `mixture`, or made.
        With `config.labelled` below 1 the latter two are of other recordings than the first two.
      split: where to draw from; only `train` gets variants.
      first_step: step of the first batch; the batch of a step does not depend on it.
      every: steps from one batch to the next: several servers share the steps of a run.
      cache_dir: where unpacked recordings lie; default `config.cache`, or else the user's cache folder.
    Returns: tf.data.Dataset of dictionaries with the keys of `hears`.
    Raises: DataError when the split lacks a source, has no file longer than the window, or a file cannot be
      unpacked.
    """
    import tensorflow as tf

    streams = open_streams(catalogue, config, hears, split, cache_dir)
    augmenter = Augmenter(config) if config.augment.active and split == "train" else None
    reader = choose_reader(config.reader)
    read = longer_window(config) if augmenter else config.window
    shapes = batch_shapes(config, hears)

    def mix(step: np.ndarray, windows: np.ndarray | None = None) -> list[np.ndarray]:
        made: dict[str, np.ndarray] = {}
        for stream in streams:
            plan = stream.plan(config, int(step), read)
            if windows is None:
                own = read_windows(stream.pool, plan.draws, read, reader)
            else:
                own, windows = windows[: len(plan.draws.item)], windows[len(plan.draws.item) :]
            floor = None
            if augmenter:
                own = augmented(augmenter, stream, plan, own, int(step))
                floor = noise_floor(augmenter, stream.number, int(step))
            made |= stream.made(*mix_batch(stream.pool, config, plan, own, floor))
        return [made[key] for key in hears]

    def to_batch(*inputs):
        made = tf.numpy_function(_WATCH.watch(mix), inputs, [tf.float32] * len(hears), stateful=False)
        return {key: tf.ensure_shape(value, shapes[key]) for key, value in zip(hears, made, strict=True)}

    dataset = tf.data.Dataset.range(first_step, LAST_STEP, every)
    if reader == "tfio":
        dataset = _read_with_tfio(dataset, streams, config, read)
    dataset = dataset.map(to_batch, num_parallel_calls=PARALLEL_BATCHES, deterministic=True)
    return dataset.prefetch(PREFETCHED_BATCHES)


def batch_shapes(config: DataConfig, hears: Sequence[str]) -> dict[str, tuple[int, ...]]:
    """Shape of each key of a batch, see `training_batches`."""
    parts = {"sources": len(config.sources), "solo": len(config.sources) + 1}
    ends = (config.window, 1)
    return {key: (config.batch, parts[key], *ends) if key in parts else (config.batch, *ends) for key in hears}


def _read_with_tfio(steps, streams: list[Stream], config: DataConfig, read_on: int):
    """Dataset of steps to one of (step, int16 windows of all streams), in a map that never runs in parallel."""
    import tensorflow as tf

    paths = [str(recording.path) for recording in streams[0].pool.recordings]

    def draw(step: np.ndarray) -> tuple[np.ndarray, ...]:
        drawn = [stream.plan(config, int(step), read_on).draws for stream in streams]
        return tuple(np.concatenate(columns).astype(np.int64) for columns in zip(*drawn, strict=True))

    def read(step):
        columns = tf.numpy_function(_WATCH.watch(draw), [step], [tf.int64] * len(Draws._fields), stateful=False)
        draws = Draws(*(tf.ensure_shape(column, [None]) for column in columns))
        return step, read_windows_in_graph(tf.constant(paths), draws, read_on)

    options = tf.data.Options()
    options.experimental_optimization.map_parallelization = False  # see read_windows_in_graph
    return steps.map(read).with_options(options).prefetch(PARALLEL_BATCHES)


def augmented(augmenter: Augmenter, stream: Stream, plan: Plan, windows: np.ndarray, step: int) -> np.ndarray:
    """Change the windows of a plan.

    Args:
      windows: int16 `[draws, longer]`, see `augmentation.longer_window`.
    Returns: float32 `[draws, window]`, scaled.
    """
    size = augmenter.config.window
    changed = np.empty((len(windows), size), np.float32)
    for row, (item, part, recording, *_) in enumerate(zip(*plan.draws, strict=True)):
        samples = windows[row].astype(np.float32) * np.float32(stream.pool.recordings[recording].scale)
        rng = augmenter.generator(step, stream.number, row)
        number = -1 - int(item) if plan.together[item] else row  # a song keeps one speed and one pitch
        speed = augmenter.speed(augmenter.generator(step, stream.number, number) if plan.together[item] else rng)
        semitones = augmenter.pitch(step, stream.number, number)
        if augmenter.changes(source=part != OTHER):
            changed[row] = augmenter.changed(samples, rng, speed, semitones)
        elif plan.together[item]:
            changed[row] = augmenter.played(samples, speed, semitones)
        else:
            changed[row] = samples[:size]
    return changed


def noise_floor(augmenter: Augmenter, stream: int, step: int) -> Callable[[int, np.ndarray], np.ndarray | None]:
    """What lies under the mixtures of a step, as `mix_batch` takes it; drawn apart from all that windows are changed by."""

    def floor(item: int, mixture: np.ndarray) -> np.ndarray | None:
        return augmenter.noise(mixture, augmenter.generator(step, stream, -1 - augmenter.config.batch - item))

    return floor


def mix_batch(
    pool: Pool, config: DataConfig, plan: Plan, windows: np.ndarray, floor: Callable | None = None
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Turn the windows of a plan into mixtures by the law of the settings.

    Args:
      pool, config, plan: where the windows came from.
      windows: `[draws, window]`, int16 as they were read, or float32 as `augmented` gives them.
      floor: gives the noise under a mixture, `(item, mixture [time]) -> [time]` or None, which counts to the rest.
    Returns: mixtures `[batch, time, 1]`, sources `[batch, sources, time, 1]` and the rest `[batch, time, 1]`, float32.
    """
    mixtures = np.empty((config.batch, config.window, 1), np.float32)
    sources = np.empty((config.batch, pool.sources, config.window, 1), np.float32)
    rest = np.empty_like(mixtures)
    for item in range(config.batch):
        mixed = _mix_item(pool, config, plan, item, windows, floor)
        mixtures[item, :, 0] = mixed.mixture
        sources[item, :, :, 0] = mixed.sources
        rest[item, :, 0] = mixed.residual
    return mixtures, sources, rest


def _mix_item(
    pool: Pool, config: DataConfig, plan: Plan, item: int, windows: np.ndarray, floor: Callable | None
) -> Mixed:
    targets = np.zeros((pool.sources, config.window), np.float32)
    rows = np.flatnonzero(plan.draws.item == item)
    other_rows = rows[plan.draws.part[rows] == OTHER]
    others = np.empty((len(other_rows), config.window), np.float32)
    into = {row: others[number] for number, row in enumerate(other_rows)}
    for row in rows:
        scale = pool.recordings[plan.draws.recording[row]].scale if windows.dtype == np.int16 else 1.0
        destination = into[row] if row in into else targets[plan.draws.part[row]]
        np.multiply(windows[row], np.float32(scale), out=destination, dtype=np.float32)
    if plan.together[item] and len(others) > 1:
        others, other_rows = others.sum(axis=0, keepdims=True), other_rows[:1]
    gain_db = 0.0
    if config.law == "paper":
        sources, rest = paper_law(targets, others, weights=plan.weights[item])
    else:
        levels = {"snr_db": plan.snr_db[item], "spread_db": plan.spread_db[other_rows]}
        (sources, rest), gain_db = snr_law(targets, others, **levels), float(plan.gain_db[item])
    noise = floor(item, sources.sum(axis=0) + rest) if floor else None
    return finish(sources, rest if noise is None else rest + noise, gain_db=gain_db)
