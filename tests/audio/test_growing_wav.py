"""A growing WAV file can be read after every block, without being closed."""

import numpy as np
import pytest
import soundfile

from tfsepgan.audio import growing_wav
from tfsepgan.audio.growing_wav import GrowingWav
from tfsepgan.errors import DataError

FACTS = {"sample_rate_hz": 44100, "channels": 2}


def noise(length):
    return np.random.default_rng(length).uniform(-1, 1, (length, 2)).astype(np.float32)


def test_it_is_complete_after_every_block(tmp_path):
    path, written = tmp_path / "take.wav", np.zeros((0, 2), np.float32)
    with GrowingWav(path, **FACTS) as file:
        for length in (0, 1, 1000, 7):
            file.write(noise(length))
            written = np.concatenate([written, noise(length)])
            read, rate_hz = soundfile.read(path, dtype="float32", always_2d=True)
            assert rate_hz == 44100
            np.testing.assert_allclose(read, written, rtol=0, atol=2.0**-24)
    assert soundfile.info(path).subtype == "PCM_24"


def test_samples_beyond_full_scale_are_clipped_and_counted(tmp_path):
    with GrowingWav(tmp_path / "take.wav", **FACTS) as file:
        file.write(np.array([[1.5, -1.5], [1.0, -1.0]], np.float32))
    assert file.clipped_samples == 3  # -1 is a number of 24 bits, 1 is not
    read, _ = soundfile.read(tmp_path / "take.wav")
    np.testing.assert_allclose(read, [[1, -1], [1, -1]], atol=2e-7)


def test_a_file_that_cannot_be_written_is_told(tmp_path, monkeypatch):
    path = tmp_path / "take.wav"
    path.write_text("mine")
    with pytest.raises(DataError, match="take.wav exists"):
        GrowingWav(path, **FACTS)
    assert path.read_text() == "mine"
    with pytest.raises(DataError, match="cannot write .*No such file or directory"):
        GrowingWav(tmp_path / "no" / "take.wav", **FACTS)
    monkeypatch.setattr(growing_wav, "MOST_BYTES", 100)
    with GrowingWav(path, **FACTS, overwrite=True) as file:
        file.write(noise(10))
        with pytest.raises(DataError, match="is full.*complete up to here"):
            file.write(noise(10))
    assert soundfile.info(path).frames == 10
