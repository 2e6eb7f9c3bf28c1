"""Small generators of every kind with no weight at zero, and noise to separate."""

import numpy as np
import pytest
from bundles_for_tests import random_bundle

RATE = 8000
SETTINGS = {
    "resnet": {"channels": 16, "blocks": 1},
    "filterbank": {"channels": 32, "blocks": 2, "frame": 256, "hop": 64},
    "tfc_tdf": {"channels": 16, "blocks": 2, "frame": 256, "hop": 64, "dilations": (1, 5)},
    "band_split": {"channels": 16, "blocks": 2, "frame": 256, "hop": 64, "dilations": (1, 5)},
}


def small_bundle(kind, sources=("piano",)):
    return random_bundle(kind, rate_hz=RATE, sources=sources, **SETTINGS[kind])


@pytest.fixture(scope="session", params=sorted(SETTINGS))
def bundle(request):
    return small_bundle(request.param)


@pytest.fixture(scope="session")
def two_sources():
    return small_bundle("filterbank", sources=("piano", "voice"))


@pytest.fixture(scope="session")
def separator(two_sources):
    from tfsepgan.separation.separator import Separator

    return Separator(two_sources, block_seconds=0.7)


@pytest.fixture
def noise():
    def make(frames, channels=2, peak=0.5):
        samples = (
            np.random.default_rng(frames).uniform(-1, 1, (frames, channels)).astype(np.float32)
        )
        return peak * samples

    return make
