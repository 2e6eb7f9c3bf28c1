"""Workers make their own rows of a batch: the same bits as in the whole batch."""

import numpy as np
import pytest

from tfsepgan.config import AugmentConfig, DataConfig
from tfsepgan.data.batches.pipeline import training_batches
from tfsepgan.data.recordings.catalogue import scan

KEYS = ("mixture", "sources", "solo")
CHANGED = AugmentConfig(speed=0.5, equaliser=0.5, noise=0.5)


@pytest.mark.parametrize("reader", ["auto", "memmap"])
@pytest.mark.parametrize("augment", [AugmentConfig(), CHANGED], ids=["plain", "augmented"])
def test_rows_alone_have_the_bits_that_they_have_in_the_batch(tones, reader, augment):
    config = DataConfig(data=str(tones), window=1024, batch=4, law="snr", reader=reader)
    config = DataConfig(**{**vars(config), "augment": augment})
    catalogue, rows = scan(tones, sources=("piano",)), (3, 1)
    wholes = training_batches(catalogue, config, batch_keys=KEYS, first_step=5)
    parts = training_batches(catalogue, config, batch_keys=KEYS, first_step=5, rows=rows)
    for whole, part in zip(wholes.take(2), parts.take(2), strict=True):
        for key in KEYS:
            assert part[key].shape[0] == 2
            np.testing.assert_array_equal(part[key], whole[key].numpy()[list(rows)])
