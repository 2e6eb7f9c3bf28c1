"""Folders of small recordings for the tests of data."""

import pytest
from recordings_for_tests import RATE_HZ, write_noise


@pytest.fixture(scope="session")
def unpaired(tmp_path_factory):
    """A data folder with a piano and three other instruments in three splits; read only."""
    folder = tmp_path_factory.mktemp("unpaired")
    names = (
        "piano/a.wav",
        "piano/b.flac",
        "rest/cello/c.wav",
        "rest/cello/short.wav",
        "rest/drums/d.ogg",
        "voice/e.wav",
    )
    for number, split in enumerate(("train", "valid", "test")):
        for position, name in enumerate(names):
            seconds = 0.2 if "short" in name else 2.0 + position / 10
            rate_hz = 11025 if name.endswith(".ogg") else RATE_HZ
            path = folder / split / name
            write_noise(
                path,
                seconds,
                seed=100 * number + position,
                rate_hz=rate_hz,
                channels=1 + position % 2,
            )
    return folder


@pytest.fixture(scope="session")
def multitrack(tmp_path_factory):
    """A data folder of four songs, two of them in train; read only."""
    folder = tmp_path_factory.mktemp("multitrack")
    for number, song in enumerate(("train/one", "train/two", "valid/three", "test/four")):
        for position, source in enumerate(("piano", "bass", "drums")):
            write_noise(
                folder / song / f"{source}.wav", 3.0, seed=10 * number + position, channels=2
            )
    return folder
