"""Every command accepts the same recordings, and refuses others with the same message."""

import re
import shutil
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import soundfile
from bundles_for_tests import whole_separator

from tfsepgan.audio.formats import MOST_CHANNELS, RATES_HZ, SUFFIXES
from tfsepgan.config import DataConfig
from tfsepgan.data.augment.augmenter import recorded_rooms
from tfsepgan.data.batches.cache import unpack
from tfsepgan.data.recordings.catalogue import scan
from tfsepgan.data.recordings.survey import survey
from tfsepgan.data.references.fixed_mixtures import fixed_mixtures
from tfsepgan.data.shards.packing import pack
from tfsepgan.errors import DataError, ShapeError
from tfsepgan.export.rehearsal import parity_audio
from tfsepgan.separation.files import separate_file
from tfsepgan.separation.inputs import find_inputs

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


def cut(path: Path, share: float = 0.5) -> Path:
    path.write_bytes(path.read_bytes()[: int(share * path.stat().st_size)])
    return path


def content(path: Path, data: bytes) -> Path:
    path.write_bytes(data)
    return path


def with_rate(folder: Path, rate_hz: int) -> Path:
    return patched(write(folder / "a.wav"), 24, rate_hz.to_bytes(4, "little"))


MAKERS = {
    **{
        f"a sample of {value}": lambda folder, value=value: write(
            folder / "a.wav", np.where(np.arange(9000) == 7, value, GOOD), subtype="FLOAT"
        )
        for value in (1e10, 1e20, -1e30, np.inf, np.nan)
    },
    "cut short": lambda folder: cut(write(folder / "a.flac")),
    "cut short late": lambda folder: cut(write(folder / "a.wav"), 0.99),
    "web page": lambda folder: content(folder / "a.mp3", b"<html>404</html>"),
    "63 samples": lambda folder: write(folder / "a.wav", GOOD[:63]),
    "64 samples at the highest rate": lambda folder: write(
        folder / "a.wav", GOOD[:64], RATES_HZ[1]
    ),
    "capital suffix": lambda folder: write(folder / "a.WAV"),
    "another suffix": lambda folder: write(folder / "a.mp3", format="FLAC"),
    "empty": lambda folder: content(folder / "a.wav", b""),
    "one sample": lambda folder: write(folder / "a.wav", GOOD[:1]),
    "rate too low": lambda folder: with_rate(folder, RATES_HZ[0] - 1),
    "rate too high": lambda folder: with_rate(folder, RATES_HZ[1] + 1),
    "too many channels": lambda folder: write(
        folder / "a.wav", np.tile(GOOD[:2000, None], MOST_CHANNELS + 1)
    ),
    "text": lambda folder: content(folder / "a.wav", b"no audio at all\n" * 50),
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
    "64 samples at the highest rate",
    "capital suffix",
    "another suffix",
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
    return MAKERS[kind](folder)


def refusal(action) -> str | None:
    """The message of the DataError that an action raises; None where it raises none."""
    try:
        action()
    except DataError as error:
        return str(error)
    return None


def data_folder(path: Path, split: str) -> Path:
    """A data folder whose only piano is the recording."""
    folder = path.parent / split
    (folder / split / "piano").mkdir(parents=True)
    shutil.copy(path, folder / split / "piano" / path.name)
    write(folder / split / "rest" / "good.wav", np.roll(GOOD, 100))
    return folder


def checked(path: Path) -> None:
    """As `tfsepgan-data check` does."""
    problems: list[str] = []
    try:
        for file in scan(data_folder(path, "train"), problems=problems).splits["train"]["piano"]:
            survey(file)
    except (DataError, KeyError) as error:
        raise DataError(problems[0] if problems else str(error)) from error


def scored(path: Path) -> None:
    catalogue, law = scan(data_folder(path, "test")), DataConfig(sample_rate_hz=8000)
    fixed_mixtures(catalogue, law, split="test", count=1, seconds=0.05)


def trained(path: Path) -> None:
    files = scan(data_folder(path, "train")).splits["train"]["piano"]
    unpack(files, sample_rate_hz=8000, cache_dir=path.parent / "cache")


# What each command does with a recording; `preview`, `tune` and `serve` unpack as training does.
DOORS = {
    "separate": lambda path: separate_file(whole_separator(8000), path, path.parent / "out"),
    "train": trained,
    "data check": checked,
    "data pack": lambda path: pack(scan(data_folder(path, "train")), path.parent / "shards"),
    "evaluate": scored,
    "export": lambda path: parity_audio(path, SimpleNamespace(sample_rate_hz=8000)),
    "rooms of augmentation": lambda path: recorded_rooms(str(path.parent), 8000),
}


@pytest.mark.parametrize("kind", MAKERS)
def test_every_command_accepts_and_refuses_the_same(kind, tmp_path):
    said = {}
    for name, door in DOORS.items():
        path = made(kind, tmp_path / name.replace(" ", "_"))
        said[name] = refusal(lambda door=door, path=path: door(path))
        if said[name]:
            assert path.name in said[name]
            said[name] = re.sub(rf"\S*/{path.name}", path.name, said[name])
    assert set(said.values()) == {said["separate"]}, said
    assert (said["separate"] is None) == (kind in ACCEPTED)
    assert not said["separate"] or not list((tmp_path / "separate").rglob("out"))


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
