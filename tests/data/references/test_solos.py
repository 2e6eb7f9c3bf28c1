"""Fixed windows: complete, not silent, shared by length, and the same in every draw."""

import numpy as np
import pytest
import soundfile

from tfsepgan.data.recordings.catalogue import scan
from tfsepgan.data.references.fixed_windows import fixed_windows, solo_groups
from tfsepgan.errors import DataError

RATE, WINDOW = 8000, 1000


@pytest.fixture
def folder(tmp_path):
    """Two pianos of 3 and 1 s of constant 0.25 and 0.5, one too short, and flutes that are silent
    but for their last quarter."""
    for split in ("train", "test"):
        (tmp_path / split / "piano").mkdir(parents=True)
        (tmp_path / split / "rest" / "flute").mkdir(parents=True)
    for name, level, seconds in (("a", 0.25, 3), ("b", 0.5, 1), ("short", 0.75, 0.1)):
        # so that no two splits hold the same recording
        level += 0.01 * np.arange(int(seconds * RATE)) % 0.001
        soundfile.write(tmp_path / "test" / "piano" / f"{name}.wav", level, RATE, subtype="FLOAT")
    flute = np.concatenate([np.zeros(6000), np.full(2000, 0.1)])
    soundfile.write(tmp_path / "test" / "rest" / "flute" / "f.wav", flute, RATE, subtype="FLOAT")
    soundfile.write(
        tmp_path / "train" / "piano" / "t.wav", np.full(9000, 0.125), RATE, subtype="FLOAT"
    )
    return tmp_path


@pytest.fixture
def groups(folder):
    return solo_groups(scan(folder, sources=("piano",)), "test", "piano")


def windows(files, count=8, seed=0, **changes):
    settings = {
        "window": WINDOW,
        "count": count,
        "sample_rate_hz": RATE,
        "seed": seed,
        "silence_db": -60.0,
    }
    return fixed_windows(files, **{**settings, **changes})


def test_windows_are_shared_out_by_length_and_short_recordings_left_out(groups):
    drawn = windows(groups["piano"])
    assert drawn.shape == (8, WINDOW) and drawn.dtype == np.float32
    np.testing.assert_array_equal(np.sort(np.round(drawn.mean(axis=1), 2)), [0.25] * 6 + [0.5] * 2)


def test_the_same_seed_gives_the_same_windows(groups):
    one, again, other = (windows(groups["piano"], seed=seed) for seed in (1, 1, 2))
    assert np.array_equal(one, again)
    assert not np.array_equal(one, other)


def test_silence_is_drawn_again(groups):
    drawn = windows(groups["rest/flute"])
    assert np.all(np.sqrt(np.mean(drawn**2, axis=1)) > 1e-3)


def test_silent_or_short_recordings_are_an_error(groups):
    with pytest.raises(DataError, match="silent at every position"):
        windows(groups["rest/flute"], silence_db=0.0)
    with pytest.raises(
        DataError, match="None of 3 recordings .*a.wav .* is as long as a window of 5.00 s"
    ):
        windows(groups["piano"], window=5 * RATE)


def test_the_source_comes_first_and_then_every_folder(folder, groups):
    assert list(groups) == ["piano", "rest/flute"]
    assert [len(files) for files in groups.values()] == [3, 1]
    assert solo_groups(scan(folder, sources=("piano",)), "valid", "piano") == {}
