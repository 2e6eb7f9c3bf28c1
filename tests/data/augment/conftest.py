"""A cache for the batches of a file, and noise as music."""

import numpy as np
import pytest
from augment_for_tests import RATE_HZ


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="module")
def music():
    random = np.random.default_rng(1)
    return (0.1 * random.standard_normal(2 * RATE_HZ)).astype(np.float32)
