"""The models in the wheel are complete and separate."""

import hashlib
import json

import numpy as np
import pytest

from tfsepgan.models.folders import find_bundle, read_manifest, shipped_models


def test_the_default_model_ships():
    from tfsepgan.cli.separate_options import DEFAULT_MODEL

    assert DEFAULT_MODEL in shipped_models()


@pytest.mark.parametrize("name", sorted(shipped_models()))
def test_every_file_of_a_shipped_model_is_the_one_its_manifest_names(name):
    folder = find_bundle(name)
    files = json.loads((folder / "manifest.json").read_text())["export"]["files"]
    assert {
        "card.md",
        "model.keras",
        f"{name}.tflite",
        f"{name}.fp16.tflite",
        "1/saved_model.pb",
    } <= files.keys()
    present = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    assert present - {"manifest.json"} == files.keys()
    for path, facts in files.items():
        assert hashlib.sha256((folder / path).read_bytes()).hexdigest() == facts["sha256"], path


@pytest.mark.parametrize("name", sorted(shipped_models()))
def test_a_shipped_model_states_its_licences_limits_and_scores(name):
    trained = read_manifest(find_bundle(name)).trained
    assert {"licence", "recordings_and_licences", "limits", "scores"} <= trained.keys()


def test_the_piano_model_separates_a_packaged_piano():
    import tfsepgan
    from tfsepgan.data.recordings.opening import open_catalogue
    from tfsepgan.evaluation.scoring import scoring_mixtures
    from tfsepgan.metrics.waveform import si_sdr

    separator = tfsepgan.load("piano")
    demo = open_catalogue("demo", separator.sources)
    mixtures = scoring_mixtures(
        demo, separator.sources, separator.sample_rate_hz, split="test", count=4, seconds=6
    )
    for item in mixtures:
        stems = separator.separate(item.mixture, item.sample_rate_hz)
        np.testing.assert_allclose(sum(stems.values()), item.mixture, rtol=0, atol=1e-5)
        estimate, other = stems["piano"], stems["residual"]
        assert si_sdr(item.sources["piano"], estimate) > si_sdr(item.sources["piano"], other)
