"""A batch server in another process gives the batches of the run itself."""

import os
import signal
import subprocess
import sys
import threading
from dataclasses import replace
from itertools import islice
from pathlib import Path

import numpy as np
import pytest
from remote_for_tests import PAIRED, assert_same, first, free_port
from rich.console import Console

import tfsepgan
from tfsepgan.config import AugmentConfig, DataConfig
from tfsepgan.data.batches.pipeline import training_batches
from tfsepgan.data.recordings.catalogue import scan
from tfsepgan.data.remote.client import remote_batches


@pytest.fixture(scope="module")
def process(tones):
    """`tfsepgan-data serve` on the tones: the process and its address."""
    port = free_port()
    line = ["serve", "--data", str(tones), "--port", str(port)]
    environment = {**os.environ, "PYTHONPATH": str(Path(tfsepgan.__file__).parents[1])}
    server = subprocess.Popen(
        [sys.executable, "-u", "-m", "tfsepgan.cli.data", *line],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=environment,
    )
    messages = []
    for text in server.stdout:
        messages.append(text)
        if "--data-server" in text:
            break
    assert f"--data-server localhost:{port}" in "".join(messages), "".join(messages)
    threading.Thread(target=server.stdout.read, daemon=True).start()
    yield server, f"localhost:{port}"
    server.send_signal(signal.SIGINT)
    assert server.wait(timeout=30) == 0


def test_two_trainers_at_once_get_their_own_batches_from_another_process(tones, process, tmp_path):
    catalogue = scan(tones, sources=("piano",))
    one = DataConfig(
        window=2048,
        batch=2,
        augment=AugmentConfig(equaliser=0.5, noise=0.5),
        data_server=process[1],
    )
    two = replace(one, law="snr", seed=9, labelled=0.5)
    asked = [(one, PAIRED, 3), (two, ("unlabelled", "solo", *PAIRED), 0)]
    theirs = [
        remote_batches(
            catalogue, config, batch_keys=batch_keys, first_step=step
        ).as_numpy_iterator()
        for config, batch_keys, step in asked
    ]
    together = list(zip(*(islice(batches, 12) for batches in theirs), strict=True))
    for number, (config, batch_keys, step) in enumerate(asked):
        here = training_batches(
            catalogue, config, batch_keys=batch_keys, first_step=step, cache_dir=tmp_path
        )
        assert_same([batches[number] for batches in together], first(here, 12))


def test_a_run_ends_in_the_same_weights_with_a_server_without_one_and_with_one_on_the_way(
    tones, process, tiny, step_by_step, tmp_path
):
    from tfsepgan.training.run import Run

    catalogue = scan(tones, sources=("piano",))
    light = {"adversarial_weight": 0.0, "identity_weight": 0.0}

    def experiment(data_server):
        data = {"window": 1024, "batch": 2, "data_server": data_server}
        return tiny(data=data, model=light, steps=2, steps_per_epoch=1, validation_mixtures=0)

    def trained(name, *sessions):
        for stop, data_server in sessions:
            console = Console(file=open(os.devnull, "w"))  # noqa: SIM115
            Run(experiment(data_server), catalogue, tmp_path / name, console).train(until=stop)
        with np.load(tmp_path / name / "state.npz") as saved:
            return {key: saved[key] for key in saved.files if key != "progress"}

    here = trained("here", (2, None))
    for name, sessions in {
        "there": [(2, process[1])],
        "both": [(1, process[1]), (2, None)],
    }.items():
        other = trained(name, *sessions)
        assert other.keys() == here.keys()
        for key in here:
            np.testing.assert_array_equal(other[key], here[key])
