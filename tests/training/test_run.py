"""What a run writes, when it stops without a signal, and which weights it starts from."""

import json
import shutil

import keras
import numpy as np
import pytest
import yaml

import tfsepgan
import tfsepgan.training.validators
from tfsepgan.data.recordings.catalogue import scan
from tfsepgan.errors import CheckpointError, ConfigError, TfsepganError
from tfsepgan.models.bundle import load_bundle
from tfsepgan.training.directory import SETTINGS


def nan_weights(run):
    variable = run.system.generator.trainable_variables[0]
    variable.assign(np.full(variable.shape, np.nan, np.float32))


# What a run writes: one run of the command for all of these tests.


def test_the_history_has_a_row_for_each_epoch(trained_run):
    rows = json.loads((trained_run.directory / "history.json").read_text())
    assert [row["step"] for row in rows] == [4, 8]
    for row in rows:
        assert row["minutes"] > 0
        assert {
            "train/generator",
            "train/discriminator",
            "train/paired",
            "val/si_sdr_improvement_db",
        } <= row.keys()
        assert all(np.isfinite(value) for value in row.values())


def test_the_metrics_are_the_history_line_by_line(trained_run):
    lines = (trained_run.directory / "metrics.jsonl").read_text().splitlines()
    history = json.loads((trained_run.directory / "history.json").read_text())
    assert [json.loads(line) for line in lines] == history


def test_a_session_is_written_down_with_versions_recordings_and_devices(trained_run):
    first = (trained_run.directory / "sessions.jsonl").read_text().splitlines()[0]
    session = json.loads(first)
    assert (session["step"], session["workers"], session["replicas"]) == (0, 1, 1)
    assert session["tfsepgan"] == tfsepgan.__version__ and session["keras"] == keras.__version__
    assert len(session["recordings"]) == 64
    assert session["devices"][0].startswith(("cpu:", "gpu:"))


def test_the_curves_are_a_picture(trained_run):
    assert (trained_run.directory / "curves.png").read_bytes().startswith(b"\x89PNG")


def test_tensorboard_gets_scalars_pictures_and_sounds(trained_run):
    import tensorflow as tf
    from tensorflow.core.util.event_pb2 import Event

    files = list((trained_run.directory / "tensorboard").glob("events.*"))
    events = [
        Event.FromString(bytes(record.numpy()))
        for file in files
        for record in tf.data.TFRecordDataset(file)
    ]
    tags = {(value.tag, event.step) for event in events for value in event.summary.value}
    for step in (4, 8):
        for tag in (
            "train/generator",
            "val/si_sdr_improvement_db",
            "0/spectrograms",
            "0/estimate",
            "0/residual",
        ):
            assert (tag, step) in tags


def test_the_settings_on_disk_are_those_of_the_run(trained_run):
    settings = yaml.safe_load((trained_run.directory / SETTINGS).read_text())
    assert (settings["system"], settings["preset"], settings["validation_mixtures"]) == (
        "ssepgan",
        "tiny",
        1,
    )


def test_the_model_of_a_run_loads_and_separates(trained_run):
    separator = tfsepgan.load(trained_run.directory)
    mixture = np.random.default_rng(0).uniform(-0.5, 0.5, (5000, 2)).astype(np.float32)
    stems = separator.separate(mixture, 16000)
    assert set(stems) == {"piano", "residual"}
    np.testing.assert_allclose(stems["piano"] + stems["residual"], mixture, atol=1e-6)


def test_the_manifest_says_what_the_model_was_trained_on(trained_run):
    trained = load_bundle(trained_run.model).manifest.trained
    assert trained["preset"] == "tiny"
    assert trained["steps"] in ("4 of 8", "8 of 8")
    assert trained["scores"].keys() == {
        "val/si_sdr_improvement_db",
        "val/si_sdr_improvement_median_db",
    }
    assert trained["recordings"] == dict.fromkeys(("flute", "piano"), "2 files, 0.1 minutes")
    assert trained["settings"]["window"] == 4096


def test_the_model_kept_is_the_running_mean(uninterrupted, whole, new_run, tmp_path):
    run = new_run(whole, tmp_path / "run")
    run.progress["step"] = 4  # the weights are those of the start
    run._keep({"step": 4, "minutes": 0.0})
    kept = load_bundle(tmp_path / "run" / "model").generator
    for running, saved in zip(
        run.system.ema_generator.get_weights(), kept.get_weights(), strict=True
    ):
        assert np.array_equal(running, saved)


# Which model is kept.


@pytest.mark.parametrize(("keep", "kept"), [("best", 2), ("last", 4)])
def test_the_best_or_the_last_weights_are_kept(light, new_run, tmp_path, monkeypatch, keep, kept):
    scores = iter([[[3.0]], [[1.0]]])
    monkeypatch.setattr(
        tfsepgan.training.validators, "improvement_db", lambda *_: np.array(next(scores))
    )
    run = new_run(light(steps=4, steps_per_epoch=2, keep=keep), tmp_path / "run")
    outcome = run.train()
    assert outcome.best == {"step": kept, "score": 3.0 if keep == "best" else 1.0}
    assert load_bundle(tmp_path / "run" / "model").manifest.trained["steps"] == f"{kept} of 4"


def test_a_system_ends_each_epoch_before_it_is_validated(light, new_run, tmp_path, monkeypatch):
    run, order = new_run(light(steps=4, steps_per_epoch=2), tmp_path / "run"), []
    validate = run.validator.validate
    monkeypatch.setattr(run.system, "finish_epoch", lambda: order.append("ended"))
    monkeypatch.setattr(
        run.validator, "validate", lambda: (order.append("validated"), validate())[1]
    )
    run.train()
    assert order == ["ended", "validated"] * 2


def test_without_a_valid_split_the_last_weights_count(light, new_run, tones, tmp_path, printed):
    data = shutil.copytree(tones, tmp_path / "data", ignore=shutil.ignore_patterns("valid"))
    run = new_run(
        light(steps=3, steps_per_epoch=2), tmp_path / "run", of=scan(data, sources=("piano",))
    )
    outcome = run.train()
    assert "No valid split: the last weights count as the best." in printed.getvalue()
    assert outcome.best == {"step": 3, "score": None}
    # A last epoch that is shorter than the others counts as an epoch.
    assert [row["step"] for row in outcome.history] == [2, 3]
    assert "val/si_sdr_improvement_db" not in outcome.history[0]
    assert load_bundle(tmp_path / "run" / "model").manifest.trained["steps"] == "3 of 3"


# When a run stops without a signal.


def test_a_loss_that_is_not_finite_leaves_the_good_weights_on_disk(
    light, new_run, at_step, tmp_path, saved_state
):
    run = new_run(light(steps=6, steps_per_epoch=2, validation_mixtures=0), tmp_path / "run")
    at_step(3, lambda: nan_weights(run))
    with pytest.raises(TfsepganError) as caught:
        run.train()
    message = str(caught.value)
    assert "paired stopped being finite at step 4" in message
    assert "still holds the good weights of step 2" in message
    assert "--learning-rate" in message
    assert all(np.isfinite(values).all() for values in saved_state(tmp_path / "run").values())
    assert all(
        np.isfinite(w).all()
        for w in load_bundle(tmp_path / "run" / "model").generator.get_weights()
    )


def test_weights_that_the_last_step_of_an_epoch_spoils_are_not_kept(
    light, new_run, at_step, tmp_path
):
    run = new_run(light(steps=2, steps_per_epoch=2), tmp_path / "run")
    at_step(2, lambda: nan_weights(run))
    with pytest.raises(CheckpointError, match="The weights stopped being finite"):
        run.train()
    assert not (tmp_path / "run" / "model").exists()
    assert not (tmp_path / "run" / "state.npz").exists()


def test_a_run_stops_at_its_time_limit_and_stays_stopped(light, new_run, tmp_path):
    experiment = light(steps=100, steps_per_epoch=50, minutes=1e-6, validation_mixtures=0)
    outcome = new_run(experiment, tmp_path / "run").train()
    assert (outcome.reason, outcome.step) == ("time", 1)
    assert (tmp_path / "run" / "model" / "manifest.json").is_file()
    again = new_run(experiment, tmp_path / "run").train()
    assert (again.reason, again.step) == ("time", 1)


# Which weights a run starts from.


def test_a_run_can_start_from_the_weights_of_a_model(tiny, new_run, trained_run, tmp_path, printed):
    run = new_run(tiny(init_from=str(trained_run.directory)), tmp_path / "run")
    wanted = load_bundle(trained_run.model).generator.get_weights()
    for network in (run.system.generator, run.system.ema_generator):
        for weight, saved in zip(network.get_weights(), wanted, strict=True):
            assert np.array_equal(weight, saved)
    assert f"Starting from the weights of {trained_run.directory}." in printed.getvalue()


@pytest.mark.parametrize("other", [{"channels": 8}, {"blocks": 3}, {"kind": "resnet"}])
def test_a_model_with_other_shapes_cannot_start_a_run(tiny, new_run, trained_run, tmp_path, other):
    with pytest.raises(
        ConfigError, match="cannot start this run: its generator has other shapes.*'channels': 16"
    ):
        new_run(tiny(init_from=str(trained_run.directory), generator=other), tmp_path / "run")


def test_a_missing_model_cannot_start_a_run_and_the_folder_stays_usable(tiny, new_run, tmp_path):
    with pytest.raises(CheckpointError, match="No model 'nowhere'"):
        new_run(tiny(init_from="nowhere"), tmp_path / "run")
    new_run(tiny(), tmp_path / "run")


def test_the_same_settings_give_the_same_start_and_other_seeds_another(tiny, new_run, tmp_path):
    one, same, other = (
        new_run(tiny(data={"seed": seed}), tmp_path / str(number))
        for number, seed in enumerate((1, 1, 2))
    )
    first, again, another = (
        np.concatenate([weight.ravel() for weight in run.system.generator.get_weights()])
        for run in (one, same, other)
    )
    assert np.array_equal(first, again)
    assert not np.array_equal(first, another)


def test_mixed_precision_trains_float32_weights_and_ends_with_the_run(light, new_run, tmp_path):
    run = new_run(light(precision="mixed_bfloat16", steps=2, steps_per_epoch=2), tmp_path / "run")
    assert keras.config.dtype_policy().name == "float32"
    assert run.train().reason == "finished"
    kept = load_bundle(tmp_path / "run" / "model").generator
    mixture = np.random.default_rng(0).uniform(-0.5, 0.5, (1, 1000, 1)).astype(np.float32)
    there = np.asarray(run.system.ema_generator(mixture, training=False))
    assert there.dtype == np.float32
    np.testing.assert_allclose(kept(mixture, training=False), there, atol=0.02)


def test_invalid_settings_leave_no_folder(tiny, new_run, tmp_path):
    with pytest.raises(ConfigError, match="batch is 0"):
        new_run(tiny(data={"batch": 0}), tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_a_network_that_cannot_be_built_leaves_no_folder(tiny, new_run, tmp_path):
    with pytest.raises(ConfigError, match="generator.frame is 100 and generator.hop 30"):
        new_run(tiny(generator={"frame": 100, "hop": 30}), tmp_path / "run")
    assert not (tmp_path / "run").exists()
