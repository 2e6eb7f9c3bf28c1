"""Audio for comparing and calibrating exported files: the recording given, or packaged ones."""

import numpy as np
import pytest
import soundfile

from tfsepgan.errors import DataError
from tfsepgan.export.rehearsal import (
    CALIBRATION_MIXTURES,
    PARITY_SECONDS,
    SCORED_MIXTURES,
    parity_audio,
    rehearsal_for,
)
from tfsepgan.models.folders import Manifest

RATE = 8000


@pytest.fixture
def manifest():
    return Manifest(
        name="x",
        system="ssepgan",
        network_settings={"kind": "filterbank"},
        sample_rate_hz=RATE,
        sources=("piano",),
        hop=64,
        context=256,
        parameters=1,
    )


def test_files_are_compared_on_a_packaged_mixture_by_default(manifest):
    audio = parity_audio(None, manifest)
    assert audio.shape == (PARITY_SECONDS * RATE, 1)
    assert np.abs(audio).max() > 0.01


def test_a_recording_becomes_ten_mono_seconds_at_the_rate_of_the_model(manifest, tmp_path):
    noise = np.random.default_rng(0).uniform(-0.5, 0.5, (12 * 2 * RATE, 2))
    soundfile.write(tmp_path / "noise.wav", noise, 2 * RATE)
    assert parity_audio(tmp_path / "noise.wav", manifest).shape == (PARITY_SECONDS * RATE, 1)
    with pytest.raises(DataError, match="missing.wav"):
        parity_audio(tmp_path / "missing.wav", manifest)


def test_a_recording_calibrates_and_packaged_mixtures_score(manifest):
    recording = np.zeros((RATE, 1), np.float32)
    given, packaged = rehearsal_for(manifest, recording), rehearsal_for(manifest)
    assert given.calibration == (recording,)
    assert [len(audio) for audio in packaged.calibration] == (
        [PARITY_SECONDS * RATE] * CALIBRATION_MIXTURES
    )
    for rehearsal in (given, packaged):
        assert len(rehearsal.mixtures) == SCORED_MIXTURES
        assert all("piano" in item.sources for item in rehearsal.mixtures)
    scored, calibration = packaged.mixtures[0].mixture, packaged.calibration[0]
    assert not np.array_equal(scored, calibration)  # other recordings
