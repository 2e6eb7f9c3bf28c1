"""A preview of training data: the mixtures of a step with and without augmentation."""

import numpy as np

from tfsepgan.config import DataConfig
from tfsepgan.data.batches.draws import begin
from tfsepgan.data.batches.mixing_laws import Mixed
from tfsepgan.data.batches.pipeline import BatchMaker, mix_batch
from tfsepgan.data.batches.readers import read_windows
from tfsepgan.data.batches.streams import PAIRED
from tfsepgan.data.recordings.catalogue import Catalogue


def before_and_after(
    catalogue: Catalogue, config: DataConfig, step: int = 0
) -> tuple[Mixed, Mixed]:
    """The labelled mixtures of one training step, without and with `config.augment`.

    Returns: mixtures `[batch, time]` with their parts, sources `[batch, sources, time]`.
    Raises: DataError as `streams.open_streams` does.
    """
    maker = BatchMaker(catalogue, config, PAIRED)
    (stream,) = maker.streams
    plan = stream.plan(config, step, maker.read)
    windows = read_windows(stream.pool, plan.draws, maker.read, "memmap")
    unchanged = [
        samples[begin(plan, row, config.window) :][: config.window]
        for row, samples in enumerate(windows)
    ]
    before = mix_batch(stream.pool, config, plan, np.stack(unchanged))
    after = mix_batch(stream.pool, config, plan, windows, maker.changes(plan, stream, step))
    return tuple(Mixed(*(part[..., 0] for part in parts)) for parts in (before, after))
