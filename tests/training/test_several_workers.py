"""Devices and workers: which rows are whose, wrong clusters, the same weights as on one device.

tools/checks/check_workers.py trains with two processes and kills one of them.
"""

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from tfsepgan.config import check
from tfsepgan.errors import ConfigError, TfsepganError
from tfsepgan.training.devices import use_devices
from tfsepgan.training.workers import Workers, open_workers, place_in_cluster

TWO = {"worker": ["a:1", "b:1"]}


def cluster(kind="worker", index=0, **places):
    return json.dumps({"cluster": places or TWO, "task": {"type": kind, "index": index}})


def test_the_place_of_a_worker_is_read_from_its_cluster():
    assert place_in_cluster(cluster(index=1)) == (1, 2)
    assert place_in_cluster(cluster(index=1, chief=["c:1"], **TWO)) == (2, 3)
    assert place_in_cluster(cluster("chief", chief=["c:1"], **TWO)) == (0, 3)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (None, "TF_CONFIG is not set. On worker 0 of two"),
        ("{", "which does not describe workers .JSONDecodeError"),
        ("[]", "which does not describe workers"),
        ('{"cluster": {}, "task": {}}', "which does not describe workers .KeyError: 'worker'"),
        (cluster(index=2), "has no worker 2"),
        (cluster(worker=["a:1"]), "has one worker"),
        (cluster(ps=["c:1"], **TWO), "has 'ps'"),
    ],
)
def test_a_wrong_cluster_is_refused(text, message):
    with pytest.raises(ConfigError, match=message):
        place_in_cluster(text)


class TwoDevices:
    num_replicas_in_sync = 2


def test_each_device_has_every_second_window(tiny):
    assert Workers().rows_of(6) is None
    assert Workers(TwoDevices(), 0, 1).rows_of(6) == [0, 2, 4, 1, 3, 5]
    assert Workers(TwoDevices(), 1, 2).rows_of(6) == [1, 3, 5]


def test_a_batch_that_cannot_be_divided_is_refused(tiny):
    with pytest.raises(ConfigError, match="batch is 6, to be divided over 2 devices times accumul"):
        Workers(TwoDevices()).check(tiny(data={"batch": 6}, accumulate=2))


def test_without_others_a_worker_is_the_chief_and_agrees_with_itself():
    alone = Workers()
    assert alone.chief and alone.gathered(3) == [3] and alone.text_of_chief("x") == "x"
    with pytest.raises(TfsepganError, match="its own"), alone.together():
        raise TfsepganError("its own")


def test_mirrored_needs_two_devices():
    with pytest.raises(ConfigError, match="there is one device.*needs two"):
        open_workers("mirrored")


def test_a_device_that_does_not_exist_is_refused_with_those_that_do(tiny):
    with pytest.raises(ConfigError, match="no gpu:7; it has cpu:0"):
        use_devices("gpu:7")
    use_devices("cpu")
    with pytest.raises(ConfigError, match="device is 'tpu'; wanted cpu, gpu"):
        check(replace(tiny(), training=replace(tiny().training, device="tpu")))


MIRRORED = """
import sys
import tensorflow as tf
from dataclasses import replace
import numpy as np
from rich.console import Console
from tfsepgan import systems
from tfsepgan.data.recordings.catalogue import scan
from tfsepgan.training.run import Run
data, folder = sys.argv[1:]
cpu = tf.config.list_physical_devices("CPU")[0]
two = [tf.config.LogicalDeviceConfiguration()] * 2
tf.config.set_logical_device_configuration(cpu, two)
base, arrays = systems.preset("ssepgan", "tiny"), []
for strategy in ("mirrored", "single"):
    training = replace(base.training, strategy=strategy, steps=2, steps_per_epoch=2,
                       validation_mixtures=0, tensorboard=False, clip_norm=1.0)
    model = replace(base.model, identity_weight=0.0)
    data_settings = replace(base.data, data=data, batch=4, window=1024)
    experiment = replace(base, model=model, data=data_settings, training=training)
    run = Run(experiment, scan(data, sources=("piano",)), f"{folder}/{strategy}", Console())
    run.system.run_eagerly = strategy == "single"  # two steps take less time than tracing them
    run.train()
    with np.load(f"{folder}/{strategy}/state.npz") as saved:
        arrays.append({name: saved[name] for name in saved.files if name != "progress"})
one, other = arrays
assert one.keys() == other.keys()
print("DIFFERENCE", max(np.abs(one[n].astype("f8") - other[n]).max() for n in one))
"""


def test_two_devices_give_the_weights_of_one(tones, tmp_path):
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    done = subprocess.run(
        [sys.executable, "-c", MIRRORED, str(tones), str(tmp_path)],
        capture_output=True,
        text=True,
        env=environment,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert float(done.stdout.rpartition("DIFFERENCE ")[2]) < 1e-5
