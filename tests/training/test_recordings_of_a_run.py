"""A run resumes on its own recordings only, in any folder; a failed batch loses no training."""

import shutil
from dataclasses import replace

import numpy as np
import pytest
import soundfile

from tfsepgan.data.recordings.catalogue import scan
from tfsepgan.errors import CheckpointError, DataError
from tfsepgan.training.checkpoint import STATE


def variables_in(directory):
    with np.load(directory / STATE) as saved:
        return {name: saved[name] for name in saved.files if name != "progress"}


def test_a_run_is_not_resumed_on_other_recordings(light, new_run, tones, tmp_path):
    experiment = light(steps=2, steps_per_epoch=2, validation_mixtures=0)
    new_run(experiment, tmp_path / "run").train()
    before = (tmp_path / "run" / STATE).read_bytes()
    other = tmp_path / "other"
    shutil.copytree(tones, other)
    soundfile.write(
        other / "train" / "piano" / "one_more.wav",
        0.1 * np.random.default_rng(0).random(40000),
        16000,
    )
    with pytest.raises(CheckpointError, match="trained on other recordings"):
        new_run(experiment, tmp_path / "run", of=scan(other, sources=("piano",)))
    assert (tmp_path / "run" / STATE).read_bytes() == before


def test_a_run_is_resumed_on_its_recordings_in_another_place(light, new_run, tones, tmp_path):
    experiment = light(steps=2, steps_per_epoch=2, validation_mixtures=0)
    new_run(experiment, tmp_path / "run").train()
    moved = shutil.copytree(tones, tmp_path / "moved")
    again = replace(experiment, data=replace(experiment.data, data=str(moved)))
    outcome = new_run(again, tmp_path / "run", of=scan(moved, sources=("piano",))).train()
    assert outcome.step == experiment.training.steps


def test_a_failed_batch_is_an_error_and_the_run_resumes_from_its_checkpoint(
    light, new_run, tmp_path, monkeypatch
):
    import tensorflow as tf

    from tfsepgan.training import batches as batches_module

    experiment = light(validation_mixtures=0, steps=4, steps_per_epoch=2)
    whole = new_run(experiment, tmp_path / "whole")
    whole.train()

    def breaking(*arguments, **settings):
        def gone(batch):
            with tf.control_dependencies([tf.debugging.Assert(False, ["gone.wav is gone"])]):
                return {name: tf.identity(values) for name, values in batch.items()}

        batches = real(*arguments, **settings)
        return batches.take(3).concatenate(batches.take(1).map(gone))

    real = batches_module.training_batches
    monkeypatch.setattr(batches_module, "training_batches", breaking)
    with pytest.raises(DataError, match="could not be made after step 3.*holds step 2"):
        new_run(experiment, tmp_path / "run").train()
    monkeypatch.setattr(batches_module, "training_batches", real)
    new_run(experiment, tmp_path / "run").train()
    resumed = variables_in(tmp_path / "run")
    for name, values in variables_in(tmp_path / "whole").items():
        np.testing.assert_allclose(resumed[name], values, rtol=0, atol=1e-6, err_msg=name)
