"""Shards of a few recordings."""

import shutil

import pytest
from shards_for_tests import RATE_HZ, SMALL

from tfsepgan.data.recordings.catalogue import scan
from tfsepgan.data.shards.packing import pack


@pytest.fixture(scope="session")
def packed(unpaired, tmp_path_factory):
    """Shards of the unpaired recordings at 8 kHz; not to be changed."""
    place = tmp_path_factory.mktemp("packed") / "shards"
    pack(scan(unpaired), place, sample_rate_hz=RATE_HZ, shard_bytes=SMALL)
    return place


@pytest.fixture
def copy_of(packed, tmp_path):
    """Shards to be spoiled."""
    return shutil.copytree(packed, tmp_path / "spoiled")
