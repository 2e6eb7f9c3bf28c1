"""An export is complete, agrees with Keras, and runs without this package."""

import dataclasses
import hashlib
import json
import os
import subprocess
import sys

import keras
import numpy as np
import pytest
import yaml
from exports_for_tests import SETTINGS, small_bundle_of

from tfsepgan.errors import ExportError
from tfsepgan.export.card import front_matter
from tfsepgan.export.parity import LIMITS, keras_stems, largest_difference
from tfsepgan.export.savedmodel.writer import write_mono_saved_model
from tfsepgan.export.tflite import conversion as tflite
from tfsepgan.models.bundle import load_bundle

OTHER_PROGRAM = """
import sys, numpy, tensorflow
mixture = tensorflow.constant(numpy.load("mixture.npy"))
for number, folder in enumerate(sys.argv[1:]):
    separate = tensorflow.saved_model.load(folder).signatures["separate"]
    stems = separate(mixture=mixture)
    numpy.savez(f"{number}.npz", **{name: samples.numpy() for name, samples in stems.items()})
assert not any(name.startswith("tfsepgan") for name in sys.modules)
"""


def files_in(directory):
    return {
        path.relative_to(directory).as_posix(): path
        for path in directory.rglob("*")
        if path.is_file()
    }


def test_an_export_holds_everything(exported):
    output, _ = exported
    name = output.name
    files = set(files_in(output))
    assert {
        f"{name}.tflite",
        f"{name}.fp16.tflite",
        "model.keras",
        "card.md",
        "manifest.json",
    } < files
    assert {"1/saved_model.pb", "1/variables/variables.index"} < files
    assert sorted(path.name for path in output.parent.iterdir()) == [name]


def test_every_file_agrees_with_keras(exported):
    _, figures = exported
    assert set(figures) == set(LIMITS)
    assert all(figures[kind] <= LIMITS[kind] for kind in LIMITS)
    assert figures["tflite_fp16"] > figures["tflite"]


def test_the_saved_model_takes_any_batch_length_and_channels(exported, bundle):
    import tensorflow as tf

    output, _ = exported
    signatures = tf.saved_model.load(str(output / "1")).signatures
    assert set(signatures) == {"serving_default", "separate", "separate_wav", "stream", "describe"}
    for batch, time, channels in ((1, 1, 1), (3, 1000, 2), (2, 777, 6)):
        mixture = (
            np.random.default_rng(time)
            .uniform(-0.5, 0.5, (batch, time, channels))
            .astype(np.float32)
        )
        for separate in (signatures["separate"], signatures["serving_default"]):
            stems = {
                name: one.numpy() for name, one in separate(mixture=tf.constant(mixture)).items()
            }
            assert set(stems) == {"piano", "voice", "residual"}
            assert all(one.shape == mixture.shape for one in stems.values())
            np.testing.assert_allclose(sum(stems.values()), mixture, rtol=0, atol=1e-6)
        for item in range(batch):
            expected = keras_stems(bundle, mixture[item])
            for name, one in stems.items():
                np.testing.assert_allclose(one[item], expected[name], rtol=0, atol=1e-5)


def test_the_saved_models_run_in_a_program_without_this_package(exports, music, tmp_path):
    np.save(tmp_path / "mixture.npy", music[None, :4000])
    folders = [str(exports[kind][0] / "1") for kind in sorted(SETTINGS)]
    subprocess.run(
        [sys.executable, "-I", "-c", OTHER_PROGRAM, *folders],
        cwd=tmp_path,
        env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"},
        check=True,
    )
    for number, kind in enumerate(sorted(SETTINGS)):
        stems = {name: one[0] for name, one in np.load(tmp_path / f"{number}.npz").items()}
        assert largest_difference(keras_stems(small_bundle_of(kind), music[:4000]), stems) < 1e-5


@pytest.mark.parametrize("precision", ["tflite", "fp16.tflite"])
def test_tflite_uses_built_in_operators_only_and_takes_any_length(exported, bundle, precision):
    output, _ = exported
    path = output / f"{output.name}.{precision}"
    assert tflite.foreign_operators(path) == []
    assert b"Flex" not in path.read_bytes()
    for frames in (1, 63, 64, 1000, 8001):
        mixture = np.random.default_rng(frames).uniform(-0.5, 0.5, (frames, 1)).astype(np.float32)
        stems = tflite.run_tflite(path, mixture)
        limit = LIMITS["tflite" if precision == "tflite" else "tflite_fp16"]
        assert largest_difference(keras_stems(bundle, mixture), stems) < limit
        np.testing.assert_allclose(sum(stems.values()), mixture, rtol=0, atol=1e-6)


def test_the_manifest_lists_every_file_and_still_loads(exported, bundle):
    output, figures = exported
    values = json.loads((output / "manifest.json").read_text())
    export = values["export"]
    assert values["name"] == output.name
    assert set(export["files"]) == set(files_in(output)) - {"manifest.json"}
    for path, facts in export["files"].items():
        content = (output / path).read_bytes()
        assert facts == {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}
    assert export["parity"]["of_peak"] == figures
    assert list(export["signatures"]["saved_model"]["separate"]["outputs"]) == [
        "piano",
        "voice",
        "residual",
    ]
    loaded = load_bundle(output)
    for after, before in zip(
        loaded.generator.get_weights(), bundle.generator.get_weights(), strict=True
    ):
        np.testing.assert_array_equal(after, before)


def test_the_card_holds_sources_licences_scores_and_parity(exported):
    output, figures = exported
    card = (output / "card.md").read_text()
    for fact in (
        "piano, voice",
        "8000 Hz",
        "the demo set, CC0 \\| rendered",
        "scores, demo test, si sdr db | 4.25",
    ):
        assert fact in card
    assert f"{figures['tflite_fp16']:.1e}" in card
    assert f"{output.name}.tflite" in card and "tensorflow/serving" in card


def test_the_card_starts_with_the_metadata_of_the_hub(exported):
    output, _ = exported
    _, front, text = (output / "card.md").read_text().split("---\n", 2)
    facts = yaml.safe_load(front)
    assert facts["library_name"] == "tfsepgan" and facts["pipeline_tag"] == "audio-to-audio"
    assert facts["license"] == "unknown" and "datasets" not in facts
    assert {"music-source-separation", "piano", "voice", "tflite"} <= set(facts["tags"])
    assert text.startswith(f"\n# {output.name}\n")


@pytest.mark.parametrize(
    ("trained", "wanted"),
    [
        ({"licence": "Apache-2.0"}, {"license": "apache-2.0"}),
        ({"licence": "Ours: no sale"}, {"license": "other", "license_name": "Ours: no sale"}),
        ({"datasets": ["someone/set"]}, {"license": "unknown", "datasets": ["someone/set"]}),
    ],
)
def test_the_metadata_takes_licence_and_datasets_from_the_manifest(one_bundle, trained, wanted):
    manifest = dataclasses.replace(one_bundle.manifest, trained=trained)
    facts = yaml.safe_load(front_matter(manifest).split("---\n")[1])
    assert {name: facts.get(name) for name in wanted} == wanted


def test_a_server_of_another_user_may_read_it(exported):
    output, _ = exported
    umask = os.umask(0)
    os.umask(umask)
    assert output.stat().st_mode & 0o777 == 0o777 & ~umask


def test_a_network_that_needs_flex_is_not_exported(one_bundle, in_processes, tmp_path):
    mixture = keras.Input((None, 1))
    spectrum = keras.ops.rfft(keras.ops.reshape(mixture, (-1, 64)))
    back = keras.ops.reshape(keras.ops.irfft(spectrum), (1, 1, -1, 1))
    manifest = dataclasses.replace(one_bundle.manifest, sources=("piano",))
    flex = one_bundle._replace(generator=keras.Model(mixture, back), manifest=manifest)
    write_mono_saved_model(flex, tmp_path / "mono")
    with pytest.raises(ExportError, match="not built in.*IRFFT"):
        tflite.write_tflite(tmp_path / "mono", {"float32": tmp_path / "out.tflite"})
    assert not (tmp_path / "out.tflite").exists()


def test_an_aborted_converter_is_an_error(in_processes, tmp_path, monkeypatch):
    (tmp_path / "python").write_text("#!/bin/sh\necho LLVM ERROR: out of luck >&2\nkill -ABRT $$\n")
    (tmp_path / "python").chmod(0o755)
    monkeypatch.setattr(tflite.sys, "executable", str(tmp_path / "python"))
    with pytest.raises(ExportError, match="LLVM ERROR: out of luck"):
        tflite.write_tflite(tmp_path / "mono", {"float32": tmp_path / "out.tflite"})


def test_stems_that_are_missing_or_not_finite_never_agree():
    reference = {"piano": np.ones((4, 1)), "residual": np.zeros((4, 1))}
    assert largest_difference(reference, {"piano": np.ones((4, 1))}) == float("inf")
    assert largest_difference(reference, {**reference, "piano": np.full((4, 1), np.nan)}) == float(
        "inf"
    )
    assert largest_difference(reference, {**reference, "piano": np.ones((3, 1))}) == float("inf")
    assert largest_difference(reference, {**reference, "piano": np.full((4, 1), 1.5)}) == 0.5


def test_an_export_has_weights_that_half_precision_represents(one_bundle):
    from tfsepgan.export.exporter import in_half_precision

    generator = one_bundle.generator
    before = [weights + np.float32(1e-5) for weights in generator.get_weights()]
    original = keras_twin(generator, before)
    for weights, rounded in zip(before, in_half_precision(original).get_weights(), strict=True):
        np.testing.assert_array_equal(rounded, rounded.astype(np.float16).astype(np.float32))
        np.testing.assert_allclose(rounded, weights, rtol=2**-11, atol=2**-25)
    for weights, kept in zip(before, original.get_weights(), strict=True):
        np.testing.assert_array_equal(kept, weights)


def keras_twin(generator, weights):
    import keras

    twin = keras.models.clone_model(generator)
    twin.set_weights(weights)
    return twin
