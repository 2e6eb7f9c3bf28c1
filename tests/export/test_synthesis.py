"""A sound model is exported completely, in parity, with its own signature, or not at all."""

import hashlib
import json
from dataclasses import replace

import numpy as np
import pytest

from tfsepgan import systems
from tfsepgan.errors import ExportError
from tfsepgan.export import synthesis
from tfsepgan.export.synthesis import export_synthesis
from tfsepgan.export.tflite.conversion import foreign_operators, open_interpreter
from tfsepgan.models.saved import TrainedSystem, open_model, save_trained


@pytest.fixture(scope="module")
def model_of(tmp_path_factory):
    """A function of generator settings to the folder of an untrained `tiny` model."""

    def make(**generator):
        base = systems.preset("wavegan", "tiny")
        model = replace(
            base.model, generator=replace(base.model.generator, start="he", **generator)
        )
        system = systems.build(replace(base, model=model))
        folder = tmp_path_factory.mktemp("model")
        save_trained(folder, system, {"recordings": {"piano": "two tones"}})
        return folder

    return make


@pytest.fixture(scope="module")
def exported(model_of, tmp_path_factory):
    """The folder and figures of an export of a generator with every optional layer."""
    folder = tmp_path_factory.mktemp("exported") / "tones"
    figures = export_synthesis(*open_model(model_of(post_filter=32)), folder)
    return folder, figures


def test_every_file_gives_the_sounds_of_the_keras_model(exported):
    folder, figures = exported
    assert figures.keys() == {"saved_model", "tflite", "tflite_fp16"}
    assert (
        figures["saved_model"] < 1e-4 and figures["tflite"] < 1e-4 and figures["tflite_fp16"] < 1e-2
    )
    assert {path.name for path in folder.iterdir()} == {
        *("1", "tones.tflite", "tones.fp16.tflite", "weights.npz", "manifest.json", "card.md")
    }
    assert [foreign_operators(folder / name) for name in ("tones.tflite", "tones.fp16.tflite")] == [
        [],
        [],
    ]


def test_the_saved_model_makes_any_number_of_sounds_under_its_signature(exported):
    import tensorflow as tf

    folder, _ = exported
    loaded = tf.saved_model.load(str(folder / "1"))
    assert {"generate", "serving_default"} <= set(loaded.signatures)
    latents = np.random.default_rng(7).uniform(-1, 1, (5, 8)).astype(np.float32)
    sounds = loaded.signatures["generate"](latent=tf.constant(latents))["sound"].numpy()
    system, manifest = open_model(folder)
    assert manifest.name == "tones" and manifest.kind == "synthesis"
    expected = np.asarray(system.ema_generator(latents))
    assert sounds.shape == (5, 1024, 1)
    np.testing.assert_allclose(sounds, expected, atol=1e-6)
    generate = open_interpreter(folder / "tones.tflite").get_signature_runner("generate")
    np.testing.assert_allclose(generate(latent=latents[:1])["sound"], expected[:1], atol=1e-5)


def test_the_manifest_and_the_card_describe_the_export(exported):
    folder, figures = exported
    export = json.loads((folder / "manifest.json").read_text())["export"]
    assert export["parity"]["of_peak"] == figures
    assert export["signatures"]["saved_model"]["input"] == {"latent": ["batch", 8]}
    assert export["signatures"]["tflite"]["outputs"] == {"sound": [1, 1024, 1]}
    for name, facts in export["files"].items():
        assert hashlib.sha256((folder / name).read_bytes()).hexdigest() == facts["sha256"], name
    card = (folder / "card.md").read_text()
    for words in (
        "# tones",
        "two tones",
        "tfsepgan-generate --model path/to/tones",
        "`tones.tflite`",
        "| random numbers | 8,",
    ):
        assert words in card


def test_a_sound_model_opens_as_a_trained_system(exported):
    model = open_model(exported[0])
    assert isinstance(model, TrainedSystem) and model.why_not_exported is None
    assert model.manifest.makes_sounds and not model.manifest.separates_in_one_pass


def test_nearest_upsampling_converts_too(model_of, tmp_path):
    figures = export_synthesis(*open_model(model_of(upsample="nearest")), tmp_path / "tones")
    assert max(figures.values()) < 1e-2


def test_files_that_differ_are_not_written(model_of, tmp_path, monkeypatch):
    monkeypatch.setattr(synthesis, "write_tflite", lambda *args, **named: None)
    monkeypatch.setattr(synthesis, "_describe_files", lambda files, manifest, system: None)
    monkeypatch.setattr(synthesis, "open_interpreter", lambda path: Silent())
    with pytest.raises(
        ExportError, match="the tflite differs from the Keras model by 1.0e\\+00 of peak"
    ):
        export_synthesis(*open_model(model_of()), tmp_path / "tones")
    assert not list(tmp_path.iterdir())


class Silent:
    """An interpreter of a file that only makes silence."""

    def get_signature_runner(self, name):
        """Its only function."""
        assert name == "generate"
        return lambda latent: {"sound": np.zeros((1, 1024, 1), np.float32)}


def test_a_folder_other_than_an_export_is_left_as_it_is(model_of, tmp_path):
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes" / "todo.txt").write_text("practise")
    with pytest.raises(ExportError, match="is not an exported model and is left as it is"):
        export_synthesis(*open_model(model_of()), tmp_path / "notes")
    assert [path.name for path in (tmp_path / "notes").iterdir()] == ["todo.txt"]
