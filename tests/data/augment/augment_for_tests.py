"""What the tests of augmentation share: settings, a tone, batches, a changed window."""

from dataclasses import replace
from itertools import islice

import numpy as np

from tfsepgan.config import AUGMENTATIONS, AugmentConfig, DataConfig
from tfsepgan.data.augment.augmenter import Augmenter
from tfsepgan.data.batches.pipeline import training_batches
from tfsepgan.data.recordings.catalogue import scan

RATE_HZ, WINDOW = 8000, 4096
CONFIG = DataConfig(sample_rate_hz=RATE_HZ, window=WINDOW, batch=4, law="snr", seed=5)
EVERYTHING = AugmentConfig(
    **dict.fromkeys(AUGMENTATIONS, 1.0), high_pass_hz=(40.0, 200.0), low_pass_hz=(2000.0, 3000.0)
)


def with_(base=CONFIG, **changes):
    return replace(base, augment=replace(base.augment, **changes))


def batches(folder, config, cache, count=3, **options):
    return list(
        islice(
            training_batches(scan(folder), config, cache_dir=cache, **options).as_numpy_iterator(),
            count,
        )
    )


def changed(samples, *, seed=0, speed=1.0, **changes):
    """A window after the changes, without a pipeline."""
    config = replace(with_(**changes), window=len(samples) if speed == 1.0 else WINDOW)
    return Augmenter(config).changed(samples, np.random.default_rng(seed), speed)


def tone(hz, seconds=2.0):
    return np.sin(2 * np.pi * hz * np.arange(round(seconds * RATE_HZ)) / RATE_HZ).astype(np.float32)
