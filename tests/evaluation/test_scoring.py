"""Scoring a split: the same mixtures for all models, and the scores that a model card shows."""

from types import SimpleNamespace

import numpy as np
import pytest
import soundfile

from tfsepgan.data.recordings.opening import open_catalogue
from tfsepgan.evaluation.scoring import scoring_mixtures, with_scores, write_separated
from tfsepgan.models.bundle import Bundle
from tfsepgan.models.folders import Manifest

RATE = 8000


@pytest.fixture
def bundle():
    manifest = Manifest(
        name="x",
        system="ssepgan",
        network_settings={"kind": "filterbank"},
        sample_rate_hz=RATE,
        sources=("piano", "voice"),
        hop=64,
        context=256,
        parameters=1,
        trained={"steps": 5, "scores": {"earlier": 1.0}},
    )
    return Bundle(None, manifest)


def test_the_card_gets_medians_and_means_and_no_nan(bundle):
    piano = {
        "si_sdr_improvement": {"median": 1.234, "mean": 2.345},
        "sdr": {"median": 3.0, "mean": 4.0},
    }
    voice = {"si_sdr_improvement": {"median": float("nan"), "mean": float("nan")}}  # always silent
    summary = {"piano": {"model": piano}, "voice": {"model": voice}}
    scored = with_scores(bundle, SimpleNamespace(summary=lambda: summary))
    assert scored.manifest.trained == {
        "steps": 5,
        "scores": {
            "earlier": 1.0,
            "test/piano/si_sdr_improvement_median_db": 1.23,
            "test/piano/sdr_median_db": 3.0,
            "test/piano/si_sdr_improvement_db": 2.35,
        },
    }
    assert bundle.manifest.trained["scores"] == {"earlier": 1.0}


def test_all_models_get_the_same_mixtures_and_another_seed_gives_others():
    demo = open_catalogue("demo", ("piano",))
    amount = {"split": "test", "count": 1, "seconds": 1.0}
    [first], [again], [other] = (
        scoring_mixtures(demo, ("piano",), RATE, **amount, **seed) for seed in ({}, {}, {"seed": 1})
    )
    np.testing.assert_array_equal(first.mixture, again.mixture)
    assert not np.array_equal(first.mixture, other.mixture)


def test_stems_are_written_beside_their_mixture(tmp_path):
    audio = np.random.default_rng(0).uniform(-2, 2, (RATE, 1)).astype(np.float32)  # not clipped
    sources = {"piano": audio / 4}
    item = SimpleNamespace(name="a/b", mixture=audio, sources=sources, sample_rate_hz=RATE)
    separator = SimpleNamespace(separate=lambda mixture, rate_hz: {"piano": mixture / 2})
    write_separated(separator, [item], tmp_path)
    [folder] = tmp_path.iterdir()
    sounds = {path.name: soundfile.read(path, dtype="float32")[0] for path in folder.iterdir()}
    assert sounds.keys() == {"mixture.wav", "piano.wav", "piano-true.wav"}
    np.testing.assert_array_equal(sounds["piano-true.wav"], audio[:, 0] / 4)
    np.testing.assert_array_equal(sounds["mixture.wav"], audio[:, 0])
    np.testing.assert_array_equal(sounds["piano.wav"], audio[:, 0] / 2)
