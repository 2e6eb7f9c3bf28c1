"""The mean of models: its weights, its manifest, and models that have no mean."""

import json
from dataclasses import replace

import keras
import numpy as np
import pytest

from tfsepgan.errors import CheckpointError, ConfigError
from tfsepgan.models.bundle import describe, load_bundle, save_bundle
from tfsepgan.networks.table import build_generator
from tfsepgan.refining.average import average_models
from tfsepgan.settings.networks import GeneratorConfig


def write_model(folder, seed, *, source="piano", **changes):
    config = GeneratorConfig(
        **{"kind": "filterbank", "channels": 8, "blocks": 1, "frame": 64, "hop": 16, **changes}
    )
    keras.utils.set_random_seed(seed)
    generator = build_generator(config, sources=1, sample_rate_hz=16000)
    manifest = describe(
        generator,
        config,
        name=f"model{seed}",
        system="ssepgan",
        sample_rate_hz=16000,
        sources=(source,),
        trained={"steps": seed, "scores": {"test": 1.0}},
    )
    save_bundle(folder, generator, manifest)
    return folder


def test_the_weights_are_the_mean_and_the_settings_those_of_the_last(tmp_path):
    models = [write_model(tmp_path / str(seed), seed) for seed in (1, 2, 3)]
    average_models(models, tmp_path / "mean")
    mean, *given = map(load_bundle, (tmp_path / "mean", *models))
    weights = zip(*(bundle.generator.get_weights() for bundle in given), strict=True)
    for found, values in zip(mean.generator.get_weights(), weights, strict=True):
        np.testing.assert_array_equal(found, np.mean(values, 0, np.float64).astype(np.float32))
    last = given[-1].manifest
    assert mean.manifest == replace(last, trained={"steps": 3})  # the scores are the last model's


def test_what_an_export_said_of_its_files_is_not_said_of_the_mean(tmp_path):
    models = [write_model(tmp_path / str(seed), seed) for seed in (1, 2)]
    path = models[1] / "manifest.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "export": {"files": {}}}))
    average_models(models, tmp_path / "mean")
    assert "export" not in json.loads((tmp_path / "mean" / "manifest.json").read_text())


@pytest.mark.parametrize(
    ("changes", "words"),
    [({"channels": 16}, "shapes of weights"), ({"source": "voice"}, "sources")],
)
def test_models_that_differ_have_no_mean(tmp_path, changes, words):
    models = [write_model(tmp_path / "1", 1, **changes), write_model(tmp_path / "2", 2)]
    with pytest.raises(CheckpointError, match=f"differ in their .*{words}"):
        average_models(models, tmp_path / "mean")
    assert not (tmp_path / "mean").exists()


def test_one_model_has_no_mean(tmp_path):
    with pytest.raises(ConfigError, match="at least two"):
        average_models(["piano"], tmp_path / "mean")


def test_an_output_that_exists_is_left_alone(tmp_path):
    with pytest.raises(CheckpointError, match="already exists"):
        average_models(["piano", "piano"], tmp_path)
