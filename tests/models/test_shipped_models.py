"""The models in the wheel are complete and separate."""

import hashlib
import json

import numpy as np
import pytest

import tfsepgan
from tfsepgan.metrics.waveform import si_sdr
from tfsepgan.models.folders import find_bundle, read_manifest, shipped_models
from tfsepgan.separation.live import open_stream

FILES = {
    "piano": {"piano.tflite", "piano.fp16.tflite", "1/saved_model.pb"},
    "piano-live": {"piano-live.stream.dynamic.tflite"},
}


def test_the_default_models_ship():
    from tfsepgan.cli import live, separate_options

    assert {live.DEFAULT_MODEL, separate_options.DEFAULT_MODEL} <= shipped_models().keys()


@pytest.mark.parametrize("name", sorted(shipped_models()))
def test_every_file_of_a_shipped_model_is_the_one_its_manifest_names(name):
    folder = find_bundle(name)
    files = json.loads((folder / "manifest.json").read_text())["export"]["files"]
    assert {"card.md", "model.keras"} | FILES[name] <= files.keys()
    present = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    assert present - {"manifest.json"} == files.keys()
    for path, facts in files.items():
        assert hashlib.sha256((folder / path).read_bytes()).hexdigest() == facts["sha256"], path


@pytest.mark.parametrize("name", sorted(shipped_models()))
def test_a_shipped_model_states_its_licences_limits_and_scores(name):
    trained = read_manifest(find_bundle(name)).trained
    assert {"licence", "recordings_and_licences", "limits", "scores"} <= trained.keys()
    assert not str(trained["settings"]["init_from"]).startswith(
        "/"
    )  # of the machine it was made on


def test_the_live_model_is_small():
    files = [path for path in find_bundle("piano-live").rglob("*") if path.is_file()]
    assert sum(path.stat().st_size for path in files) < 15e6


@pytest.fixture(scope="module")
def mixtures():
    """Mixtures of the packaged recordings, a piano in each."""
    from tfsepgan.data.recordings.opening import open_catalogue
    from tfsepgan.evaluation.scoring import scoring_mixtures

    demo = open_catalogue("demo", ("piano",))
    return list(scoring_mixtures(demo, ("piano",), 44100, split="test", count=4, seconds=6))


def test_the_piano_model_separates_a_packaged_piano(mixtures):
    separator = tfsepgan.load("piano")
    for item in mixtures:
        stems = separator.separate(item.mixture, item.sample_rate_hz)
        np.testing.assert_allclose(sum(stems.values()), item.mixture, rtol=0, atol=1e-5)
        estimate, other = stems["piano"], stems["residual"]
        assert si_sdr(item.sources["piano"], estimate) > si_sdr(item.sources["piano"], other)


@pytest.mark.parametrize("file", ["", "/piano-live.stream.dynamic.tflite"], ids=["name", "tflite"])
def test_the_live_model_streams_a_packaged_piano_with_46_ms(file, mixtures):
    """The NumPy runtime and the 8-bit file: the same in pieces as at once, and better than none."""
    at_once = tfsepgan.load("piano-live", low_rank="off")
    gains = []
    for item in mixtures:
        channels = item.mixture.shape[1]
        model = f"{find_bundle('piano-live')}{file}" if file else "piano-live"
        stream = open_stream(model, channels=channels)
        assert stream.latency_samples == 2048 and stream.sample_rate_hz == 44100
        cuts = range(0, len(item.mixture), 3000)
        pieces = [stream.push(item.mixture[first : first + 3000]) for first in cuts]
        pieces.append(stream.finish())
        piano = np.concatenate([piece["piano"] for piece in pieces])
        whole = at_once.separate(item.mixture, item.sample_rate_hz)["piano"]
        limit = 1e-2 if file else 1e-5  # 8-bit weights
        np.testing.assert_allclose(piano, whole, rtol=0, atol=limit * np.abs(whole).max())
        true = item.sources["piano"]
        gains.append(si_sdr(true, piano) - si_sdr(true, item.mixture))
    assert np.mean(gains) > 1.0, gains
