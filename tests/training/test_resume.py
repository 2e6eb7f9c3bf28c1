"""A run that is stopped at any moment and resumed ends with the weights of an uninterrupted one."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import tfsepgan
from tfsepgan.data.recordings.catalogue import scan
from tfsepgan.errors import CheckpointError


def history_steps(directory):
    return [row["step"] for row in json.loads((directory / "history.json").read_text())]


def test_a_resumed_run_ends_with_the_same_weights(
    whole, uninterrupted, new_run, interrupt_at, saved_state, tmp_path, printed
):
    """Interrupted within an epoch, and then between epochs."""
    for stop in (1, 2):
        interrupt_at(stop)
        outcome = new_run(whole, tmp_path / "run").train()
        assert (outcome.reason, outcome.step) == ("interrupted", stop)
    interrupt_at(None)
    outcome = new_run(whole, tmp_path / "run").train()
    assert (outcome.reason, outcome.step) == ("finished", 4)
    for stop in (1, 2):
        assert f"Resuming {tmp_path / 'run'} at step {stop}." in printed.getvalue()
    assert history_steps(tmp_path / "run") == [2, 4]
    state = saved_state(tmp_path / "run")
    assert state.keys() == uninterrupted.keys()
    groups = {name.partition("/")[0] for name in state}
    assert groups == {"system", "generator_optimizer", "discriminator_optimizer"}
    for name, values in state.items():
        np.testing.assert_allclose(values, uninterrupted[name], rtol=0, atol=1e-6, err_msg=name)


@pytest.mark.parametrize("kind", ["tfc_tdf", "band_split"])
def test_networks_that_share_weights_across_frequency_resume(
    kind, light, new_run, interrupt_at, saved_state, tmp_path
):
    """Their dropout has a random state too, which a graph keeps as well as single steps do."""
    generator = {"kind": kind, "blocks": 1, "levels": 0, "dropout": 0.5, "mask": "complex"}
    generator |= {"bands": 2, "narrowest": 32, "channels": 8}
    graph = kind == "tfc_tdf"
    changes = {"validation_mixtures": 0, "precision": "mixed_bfloat16"}
    experiment = light(generator=generator, steps=3, steps_per_epoch=3, **changes)
    new_run(experiment, tmp_path / "whole", graph=graph).train()
    interrupt_at(1)
    assert new_run(experiment, tmp_path / "parts", graph=graph).train().step == 1
    interrupt_at(None)
    assert new_run(experiment, tmp_path / "parts", graph=graph).train().step == 3
    whole, parts = saved_state(tmp_path / "whole"), saved_state(tmp_path / "parts")
    assert whole.keys() == parts.keys()
    for name, values in whole.items():
        np.testing.assert_allclose(parts[name], values, rtol=0, atol=1e-6, err_msg=name)


def test_the_checkpoint_holds_every_variable_that_changes(
    whole, new_run, saved_state, uninterrupted, tmp_path
):
    """Weights, running means, both optimizers, and the state of every random generator."""
    system = new_run(whole, tmp_path / "run").system
    changing = {id(v) for v in system.variables} - {
        id(v) for tracker in system.metrics for v in tracker.variables
    }
    optimizers = [
        variable for optimizer in system.optimizers.values() for variable in optimizer.variables
    ]
    assert len(uninterrupted) == len(changing) + len(optimizers)
    seeds = [variable for variable in system.variables if "seed_generator_state" in variable.path]
    assert len(seeds) == 2  # the system's own generator and a phase shuffle
    counters = [
        values[1]
        for values in uninterrupted.values()
        if values.shape == (2,) and values.dtype.kind in "iu"
    ]
    assert sum(counter > 0 for counter in counters) == 1  # the shuffle has drawn


def test_starting_a_finished_run_again_trains_nothing(light, new_run, tones, tmp_path):
    experiment = light(steps=2, steps_per_epoch=2, validation_mixtures=0)
    first = new_run(experiment, tmp_path / "run").train()
    before = (tmp_path / "run" / "state.npz").stat().st_mtime_ns
    again = new_run(experiment, tmp_path / "run").train()
    assert first.reason == again.reason == "finished"
    assert (again.step, again.best, again.history) == (first.step, first.best, first.history)
    assert (tmp_path / "run" / "state.npz").stat().st_mtime_ns == before
    # The recordings may move to another folder; other recordings are refused.
    moved = shutil.copytree(tones, tmp_path / "moved")
    new_run(experiment, tmp_path / "run", of=scan(moved, sources=("piano",)))
    next((moved / "train" / "flute").iterdir()).unlink()
    with pytest.raises(CheckpointError, match="was trained on other recordings than those in"):
        new_run(experiment, tmp_path / "run", of=scan(moved, sources=("piano",)))


def test_an_interrupt_after_the_last_step_still_leaves_a_model(
    light, new_run, interrupt_at, tmp_path
):
    experiment = light(steps=2, steps_per_epoch=2)
    interrupt_at(2)
    outcome = new_run(experiment, tmp_path / "run").train()
    assert (outcome.reason, outcome.step) == ("interrupted", 2)
    assert (tmp_path / "run" / "model" / "manifest.json").is_file()
    assert new_run(experiment, tmp_path / "run").train().best["step"] == 2


def test_a_disk_that_fills_up_keeps_the_last_checkpoint(
    light, new_run, at_step, tmp_path, monkeypatch, saved_state
):
    experiment = light(steps=4, steps_per_epoch=2, validation_mixtures=0)
    plain = os.replace

    def full(source, target):
        if full.now and str(target).endswith("state.npz"):
            raise OSError(28, "No space left on device")
        plain(source, target)

    full.now = False
    monkeypatch.setattr(os, "replace", full)
    at_step(3, lambda: setattr(full, "now", True))
    with pytest.raises(
        CheckpointError, match="state.npz: No space left on device. Free some space"
    ):
        new_run(experiment, tmp_path / "run").train()
    assert not list((tmp_path / "run").glob(".writing-*"))
    at_step(3, lambda: setattr(full, "now", False))
    resumed = new_run(experiment, tmp_path / "run")
    assert resumed.progress["step"] == 2
    assert resumed.train().reason == "finished"


def test_files_that_a_kill_left_half_written_are_removed(light, new_run, tmp_path):
    experiment = light(validation_mixtures=0)
    new_run(experiment, tmp_path / "run")
    half, scratch = (
        tmp_path / "run" / ".writing-state.npz-7",
        tmp_path / "run" / "model" / ".writing-x",
    )
    half.write_bytes(b"half")
    scratch.mkdir(parents=True)
    (scratch / "model.keras").write_bytes(b"half")
    new_run(experiment, tmp_path / "run")
    assert not half.exists()
    assert not scratch.exists()


def test_two_processes_do_not_train_in_one_folder(light, new_run, tmp_path):
    """The second fails and changes nothing; when the first has ended, the second may train."""
    experiment = light(steps=2, steps_per_epoch=2, validation_mixtures=0)
    new_run(experiment, tmp_path / "run").train()
    saved = (tmp_path / "run" / "state.npz").read_bytes()
    holding = (
        "import sys, time; from tfsepgan.training.lock import hold; hold(sys.argv[1]);"
        " print('held', flush=True); time.sleep(60)"
    )
    environment = {**os.environ, "PYTHONPATH": str(Path(tfsepgan.__file__).parents[1])}
    command = [sys.executable, "-c", holding, str(tmp_path / "run")]
    other = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment)
    try:
        assert other.stdout.readline() == "held\n"
        with pytest.raises(
            CheckpointError, match=f"Another process \\(number {other.pid}\\) trains in"
        ):
            new_run(experiment, tmp_path / "run")
    finally:
        other.kill()
        other.wait()
        other.stdout.close()
    other_settings = light(steps=2, steps_per_epoch=2, validation_mixtures=0, learning_rate=0.5)
    (tmp_path / "fresh").mkdir()
    # a run that has no checkpoint yet
    shutil.copy(tmp_path / "run" / "settings.yaml", tmp_path / "fresh")
    settings = (tmp_path / "fresh" / "settings.yaml").read_bytes()
    fresh = subprocess.Popen(
        [*command[:-1], str(tmp_path / "fresh")], stdout=subprocess.PIPE, text=True, env=environment
    )
    try:
        assert fresh.stdout.readline() == "held\n"
        with pytest.raises(CheckpointError, match="Another process"):
            new_run(other_settings, tmp_path / "fresh")
    finally:
        fresh.kill()
        fresh.wait()
        fresh.stdout.close()
    assert (tmp_path / "fresh" / "settings.yaml").read_bytes() == settings
    assert (tmp_path / "run" / "state.npz").read_bytes() == saved
    assert new_run(experiment, tmp_path / "run").train().reason == "finished"
