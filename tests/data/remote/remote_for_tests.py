"""What the tests of batch servers share: settings, ports, comparison of batches."""

import socket
from dataclasses import replace
from itertools import islice

import numpy as np

from tfsepgan.config import AugmentConfig, DataConfig
from tfsepgan.data.remote.server import BatchServer

CONFIG = DataConfig(
    sample_rate_hz=8000,
    window=4096,
    batch=3,
    law="snr",
    seed=5,
    augment=AugmentConfig(polarity=0.5),
)
RESAMPLED = replace(CONFIG, sample_rate_hz=11025)  # so that windows are read from the cache
PAIRED = ("mixture", "sources")


def stop(one: BatchServer) -> None:
    one.shutdown()
    one.server_close()


def free_port() -> int:
    with socket.create_server(("localhost", 0)) as one:
        return one.getsockname()[1]


def at(*servers: BatchServer, config: DataConfig = CONFIG) -> DataConfig:
    return replace(config, data_server=",".join(f"localhost:{one.server_port}" for one in servers))


def first(dataset, count: int) -> list[dict[str, np.ndarray]]:
    return list(islice(dataset.as_numpy_iterator(), count))


def assert_same(ones, twos):
    assert len(ones) == len(twos)
    for one, two in zip(ones, twos, strict=True):
        assert one.keys() == two.keys()
        for key in one:
            np.testing.assert_array_equal(one[key], two[key])
