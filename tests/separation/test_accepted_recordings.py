"""Training and separation accept the same recordings, and refuse others with the same message."""

from pathlib import Path

import numpy as np
import pytest
import soundfile

from tfsepgan.audio.formats import MOST_CHANNELS, RATES_HZ, SUFFIXES
from tfsepgan.audio.recording import open_audio
from tfsepgan.data.recordings.catalogue import scan
from tfsepgan.errors import DataError, ShapeError
from tfsepgan.separation.files import separate_file
from tfsepgan.separation.naming import find_inputs

GOOD = 0.1 * np.sin(np.arange(9000) / 7).astype(np.float32)


def write(path: Path, samples=GOOD, rate_hz: int = 8000, **kinds) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, samples, rate_hz, **kinds)
    return path


def patched(path: Path, at: int, value: bytes) -> Path:
    """Replace bytes of a file; returns its path."""
    head = path.read_bytes()
    path.write_bytes(head[:at] + value + head[at + len(value) :])
    return path


def with_rate(folder: Path, rate_hz: int) -> Path:
    return patched(write(folder / "a.wav"), 24, rate_hz.to_bytes(4, "little"))


MAKERS = {
    "loud": lambda folder: write(
        folder / "a.wav", np.where(np.arange(9000) == 7, 1e20, GOOD), subtype="FLOAT"
    ),
    "not finite": lambda folder: write(
        folder / "a.wav", np.where(np.arange(9000) == 7, np.inf, GOOD), subtype="FLOAT"
    ),
    "empty": lambda folder: patched(write(folder / "a.wav"), 0, b"").parent.joinpath("a.wav"),
    "one sample": lambda folder: write(folder / "a.wav", GOOD[:1]),
    "rate too low": lambda folder: with_rate(folder, RATES_HZ[0] - 1),
    "rate too high": lambda folder: with_rate(folder, RATES_HZ[1] + 1),
    "too many channels": lambda folder: write(
        folder / "a.wav", np.tile(GOOD[:2000, None], MOST_CHANNELS + 1)
    ),
    "text": lambda folder: folder.joinpath("a.wav"),
    "lowest rate": lambda folder: with_rate(folder, RATES_HZ[0]),
    "highest rate": lambda folder: with_rate(folder, RATES_HZ[1]),
    "most channels": lambda folder: write(
        folder / "a.wav", np.tile(GOOD[:300, None], MOST_CHANNELS)
    ),
    "32-bit integers as floats": lambda folder: write(
        folder / "a.wav", GOOD * 2.0**31, subtype="FLOAT"
    ),
    "aiff": lambda folder: write(folder / "a.aiff"),
    "opus": lambda folder: write(folder / "a.opus", rate_hz=48000, format="OGG", subtype="OPUS"),
    "caf": lambda folder: write(folder / "a.caf"),
}
ACCEPTED = (
    "lowest rate",
    "highest rate",
    "most channels",
    "32-bit integers as floats",
    "aiff",
    "opus",
    "caf",
)


def made(kind: str, folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = MAKERS[kind](folder)
    if kind == "empty":
        path.write_bytes(b"")
    if kind == "text":
        path.write_text("no audio at all\n" * 50)
    return path


def refusal(action) -> str | None:
    """The message of the DataError that an action raises; None where it raises none."""
    try:
        action()
    except DataError as error:
        return str(error)
    return None


@pytest.mark.parametrize("kind", MAKERS)
def test_training_and_separation_accept_and_refuse_the_same(kind, separator, tmp_path):
    path = made(kind, tmp_path / "in")
    trained = refusal(lambda: open_audio(path, path.name).decode(8000))
    separated = refusal(lambda: separate_file(separator, path, tmp_path / "out"))
    assert trained == separated
    assert (trained is None) == (kind in ACCEPTED)
    if trained:
        assert str(path) in trained and not list((tmp_path / "out").rglob("*.wav"))


def test_a_folder_is_searched_for_the_same_suffixes(tmp_path):
    for number, suffix in enumerate(SUFFIXES):
        for source in ("piano", "rest"):
            samples = np.roll(GOOD, 100 * number) * (1 if source == "piano" else 0.5)
            write(tmp_path / "train" / source / f"a{number}{suffix}", samples, format="WAV")
    trained = {
        file.path.name for files in scan(tmp_path).splits["train"].values() for file in files
    }
    separated = {one.path.name for one in find_inputs([tmp_path], tmp_path / "out")}
    assert trained == separated and len(trained) == len(SUFFIXES)


@pytest.mark.parametrize(
    ("rate_hz", "channels"), [(RATES_HZ[0] - 1, 1), (RATES_HZ[1] + 1, 1), (8000, MOST_CHANNELS + 1)]
)
def test_arrays_have_the_limits_of_files(separator, rate_hz, channels):
    with pytest.raises(ShapeError, match=r"wanted"):
        list(separator.stream(iter([]), rate_hz, channels))
