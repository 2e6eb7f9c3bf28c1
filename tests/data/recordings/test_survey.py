"""The statistics of a recording are those of its samples, wherever blocks end."""

import numpy as np
import pytest
import soundfile

from tfsepgan.audio.decoding import BLOCK
from tfsepgan.audio.recording import open_audio
from tfsepgan.data.recordings.survey import Survey, oddities, survey

RATE_HZ = 8000


def survey_of(tmp_path, samples, **kinds) -> Survey:
    path = tmp_path / "a.wav"
    soundfile.write(path, samples, RATE_HZ, **kinds)
    return survey(open_audio(path, "train/piano/a.wav"))


def test_a_sine_has_its_level_and_peak(tmp_path):
    sine = 0.5 * np.sin(2 * np.pi * 100 * np.arange(10 * RATE_HZ) / RATE_HZ)
    result = survey_of(tmp_path, np.stack([sine, sine], axis=1))
    assert result.level_db == pytest.approx(-9.03, abs=0.01)
    assert result.peak_db == pytest.approx(-6.02, abs=0.01)
    assert (result.files, result.clipped_files, result.silence, result.silent_files) == (
        1,
        0,
        0.0,
        [],
    )
    assert result.seconds == 10.0


def test_silence_is_counted_in_quarters_of_a_second(tmp_path):
    samples = np.concatenate([np.zeros(3 * RATE_HZ), np.full(RATE_HZ, 0.1)])
    result = survey_of(tmp_path, samples)
    assert result.silence == pytest.approx(0.75)
    nothing = survey_of(tmp_path, np.zeros(RATE_HZ))
    assert nothing.silent_files == ["train/piano/a.wav"]
    assert nothing.level_db == nothing.peak_db == -np.inf


@pytest.mark.parametrize("start", [0, 100, BLOCK - 4, BLOCK + 5])
def test_a_clipped_run_is_found_and_a_loud_peak_is_none(tmp_path, start):
    samples = np.random.default_rng(0).uniform(-0.5, 0.5, 2 * BLOCK)
    samples[BLOCK // 2] = samples[BLOCK // 2 + 1] = -1.0  # two at full scale are a peak
    assert survey_of(tmp_path, samples).clipped_runs == 0
    samples[start : start + 4] = 1.0
    result = survey_of(tmp_path, samples)
    assert (result.clipped_runs, result.clipped_files) == (1, 1)
    assert result.peak_db == pytest.approx(0.0, abs=0.001)


def test_a_cut_ogg_is_odd_and_a_whole_one_is_not(tmp_path):
    path = tmp_path / "a.ogg"
    soundfile.write(path, np.random.default_rng(0).uniform(-0.5, 0.5, 10 * RATE_HZ), RATE_HZ)
    assert oddities(open_audio(path, "n")) == []
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) * 2 // 3])
    assert oddities(open_audio(path, "n")) == ["has no last page, so it may be truncated"]


def test_surveys_add_up(tmp_path):
    rng = np.random.default_rng(1)
    parts = [
        rng.uniform(-level, level, seconds * RATE_HZ) for level, seconds in ((0.1, 2), (0.9, 3))
    ]
    total = Survey()
    for part in parts:
        total.add(survey_of(tmp_path, part, subtype="FLOAT"))
    whole = survey_of(tmp_path, np.concatenate(parts), subtype="FLOAT")
    assert total.level_db == pytest.approx(whole.level_db, abs=1e-4)
    assert (total.peak, total.seconds, total.hops) == (whole.peak, whole.seconds, whole.hops)
    assert total.files == 2
