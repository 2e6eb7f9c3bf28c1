"""The table of spectral distances lists the nearest instrument first and reports omissions."""

import io
from dataclasses import replace

import numpy as np
import pytest
import soundfile
from rich.console import Console

from tfsepgan.config import DataConfig
from tfsepgan.data.recordings.catalogue import scan
from tfsepgan.data.references.fixed_windows import fixed_windows
from tfsepgan.errors import DataError
from tfsepgan.evaluation.sounds import show_distances, spectral_distances, verdict

DATA = DataConfig(window=4096, sources=("piano",))


@pytest.fixture
def catalogue(tones):
    return scan(tones, sources=("piano",))


def sounds_of(catalogue, source, split="train"):
    files = catalogue.splits[split][source]
    return fixed_windows(
        files, window=4096, count=96, sample_rate_hz=16000, seed=1, silence_db=-60.0
    )


@pytest.mark.parametrize(("source", "nearest"), [("piano", "piano"), ("flute", "flute")])
def test_sounds_of_an_instrument_are_nearest_to_its_recordings(catalogue, source, nearest):
    lines, left_out = spectral_distances(sounds_of(catalogue, source), catalogue, DATA)
    assert [line.name for line in lines] == sorted(
        ("piano", "flute"), key=lambda name: name != nearest
    )
    assert not left_out
    assert all(line.made_mean_db <= line.made_db for line in lines)
    words = "are nearer to piano" if source == "piano" else "are not nearer to piano"
    assert words in verdict(lines, "piano")


def test_real_windows_of_the_train_split_are_the_bound(catalogue):
    lines, _ = spectral_distances(sounds_of(catalogue, "piano"), catalogue, DATA)
    own = next(line for line in lines if line.name == "piano")
    # the sounds are real windows in this test
    assert own.made_db == pytest.approx(own.real_db, abs=1.0)
    other = next(line for line in lines if line.name == "flute")
    assert other.real_db > own.real_db


def test_instruments_with_short_recordings_only_are_left_out_and_named(tones, tmp_path):
    for split in ("train", "test"):
        (tmp_path / split).mkdir()
        for source in ("piano", "flute"):
            (tmp_path / split / source).symlink_to(tones / split / source)
    (tmp_path / "test" / "bell").mkdir()
    soundfile.write(
        tmp_path / "test" / "bell" / "b.wav",
        np.random.default_rng(0).uniform(-0.1, 0.1, 500),
        16000,
    )
    catalogue = scan(tmp_path, sources=("piano",))
    lines, left_out = spectral_distances(sounds_of(catalogue, "piano"), catalogue, DATA)
    assert [line.name for line in lines] == ["piano", "flute"]
    assert len(left_out) == 1 and left_out[0].startswith("bell is left out: None of 1 recordings")
    text = io.StringIO()
    show_distances(lines, left_out, "piano", "test", Console(file=text, width=120))
    assert "bell is left out" in text.getvalue() and f"{lines[0].made_db:.2f}" in text.getvalue()
    assert "The sounds are nearer to piano" in text.getvalue()


def test_a_source_that_is_too_short_itself_is_an_error(catalogue):
    sounds = np.random.default_rng(0).standard_normal((4, 4096))
    with pytest.raises(DataError, match="as long as a window"):
        spectral_distances(sounds, catalogue, replace(DATA, window=16 * 4**7))
