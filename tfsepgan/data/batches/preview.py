"""A preview of training data: the mixtures of a step with and without augmentation."""

from typing import NamedTuple

import numpy as np

from tfsepgan.config import DataConfig
from tfsepgan.data.augment.augmenter import Augmenter, Changes, longer_window
from tfsepgan.data.batches.draws import begin
from tfsepgan.data.batches.pipeline import mix_batch
from tfsepgan.data.batches.readers import read_windows
from tfsepgan.data.batches.streams import PAIRED, open_streams
from tfsepgan.data.recordings.catalogue import Catalogue


class Parts(NamedTuple):
    """A batch of mixtures and what is in them, float32."""

    mixture: np.ndarray  # [batch, time]
    sources: np.ndarray  # [batch, sources, time]
    residual: np.ndarray  # [batch, time]


def before_and_after(
    catalogue: Catalogue, config: DataConfig, step: int = 0
) -> tuple[Parts, Parts]:
    """The labelled mixtures of one training step, without and with `config.augment`.

    Raises: DataError as `streams.open_streams` does.
    """
    (stream,) = open_streams(catalogue, config, PAIRED, "train", None)
    augmenter, read = Augmenter(config), longer_window(config)
    plan = stream.plan(config, step, read)
    windows = read_windows(stream.pool, plan.draws, read, "memmap")
    changes = Changes(augmenter, plan, stream.number, step) if config.augment.active else None
    unchanged = [
        samples[begin(plan, row, config.window) :][: config.window]
        for row, samples in enumerate(windows)
    ]
    before = mix_batch(stream.pool, config, plan, np.stack(unchanged))
    after = mix_batch(stream.pool, config, plan, windows, changes)
    return _without_channels(before), _without_channels(after)


def _without_channels(made: tuple[np.ndarray, ...]) -> Parts:
    return Parts(*(values[..., 0] for values in made))
