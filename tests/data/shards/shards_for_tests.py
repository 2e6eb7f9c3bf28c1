"""What the tests of shards share: settings, batches, lists of files."""

import numpy as np

from tfsepgan.config import DataConfig
from tfsepgan.data.batches.pipeline import training_batches

RATE_HZ = 8000
CONFIG = DataConfig(sample_rate_hz=RATE_HZ, window=2048, batch=3, reader="memmap", silence_db=-25.0)
SMALL = 60_000  # bytes of a shard: a few recordings


def first_batches(catalogue, config, cache, *, count=4, batch_keys=("mixture", "sources")):
    batches = training_batches(catalogue, config, batch_keys=batch_keys, cache_dir=cache).take(
        count
    )
    return [{key: value.numpy() for key, value in batch.items()} for batch in batches]


def assert_same_batches(one, two):
    for first, second in zip(one, two, strict=True):
        for key in first:
            assert np.any(first[key])
            np.testing.assert_array_equal(first[key], second[key])


def files_of(catalogue):
    return [
        (split, source, file.name)
        for split, sources in catalogue.splits.items()
        for source, files in sources.items()
        for file in files
    ]
