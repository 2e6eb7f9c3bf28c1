"""Blocks in parallel keep their order; connecting to a wrong address is an error."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from tfsepgan.errors import ConfigError, ServingError
from tfsepgan.separation.engine import BlockSeparator
from tfsepgan.serving.retry import Patience
from tfsepgan.serving.separator import ParallelBlocks, connect


def average(mixture):
    """A slow network, `[batch, time, 1]` to `[batch, 1, time, 1]`, with hop 2 and context 4."""
    time.sleep(0.002 * (mixture.shape[1] % 3))
    padded = np.pad(mixture[..., 0], [(0, 0), (4, 4)])
    return np.stack([padded[:, shift : shift + mixture.shape[1]] for shift in range(9)]).mean(
        axis=0
    )[:, None, :, None]


SHAPE = {"channels": 3, "sources": 1, "hop": 2, "context": 4, "block": 10}


@pytest.mark.parametrize("parallel", [1, 3, 50])
def test_blocks_in_parallel_come_back_in_order_and_unchanged(parallel):
    mixture = np.random.default_rng(1).uniform(-1, 1, (503, 3)).astype(np.float32)
    with ThreadPoolExecutor(4) as pool:
        engines = [
            BlockSeparator(average, **SHAPE),
            ParallelBlocks(average, **SHAPE, pool=pool, parallel=parallel),
        ]
        whole = []
        for engine in engines:
            blocks = [
                one
                for start in range(0, 503, 37)
                for one in engine.push(mixture[start : start + 37])
            ]
            whole.append(np.concatenate(blocks + engine.finish(), axis=1))
    np.testing.assert_array_equal(whole[0], whole[1])
    assert whole[1].shape == (1, 503, 3)


def test_few_blocks_are_unfinished_and_an_error_cancels_them():
    started, go = [], threading.Event()

    def network(mixture):
        started.append(len(mixture))
        if len(started) > 1:
            time.sleep(0.3)
        go.wait(5)
        raise ServingError("the server is down")

    with ThreadPoolExecutor(1) as pool:
        engine = ParallelBlocks(network, **{**SHAPE, "channels": 1}, pool=pool, parallel=3)
        assert engine.push(np.zeros((10 * 3 + 4, 1), np.float32)) == []
        go.set()
        with pytest.raises(ServingError, match="down"):
            engine.push(np.zeros((40, 1), np.float32))
    assert len(started) <= 3


@pytest.mark.parametrize(
    "server", ["localhost", "http://localhost:8500", ":8500", "localhost:port"]
)
def test_an_unusable_address_is_refused(server):
    with pytest.raises(ConfigError, match="wanted HOST:PORT"):
        connect(server, "piano")


def test_a_server_that_is_not_running_is_one_clear_error():
    with pytest.raises(
        ServingError,
        match=r"127\.0\.0\.1:9 \(REST\) gave no usable answer in 2 attempts; .*is running",
    ):
        connect("127.0.0.1:9", "piano", rest=True, patience=Patience(attempts=2))
