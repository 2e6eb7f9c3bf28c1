"""The paper's setup on small imitations of MAESTRO and IRMAS: minutes, cuts and others."""

import argparse

import numpy as np
import pytest
import soundfile
from set_files_for_tests import write
from sets_for_tests import make_irmas, make_maestro
from tools_for_tests import from_tools

from tfsepgan.data.recordings.opening import open_catalogue
from tfsepgan.errors import ConfigError, DataError

recipe = from_tools("paper")
RATE = 1000


@pytest.mark.parametrize(
    ("length", "expected"),
    [(150, [60, 60, 30]), (149, [60, 89]), (160, [60, 60, 40]), (60, [60]), (20, [20]), (89, [89])],
)
def test_a_recording_is_cut_into_minutes_and_nothing_of_it_is_lost(length, expected):
    spans = recipe.pieces(length, 60)
    assert [stop - start for start, stop in spans] == expected
    assert spans[0][0] == 0 and spans[-1][1] == length
    assert all(one[1] == other[0] for one, other in zip(spans, spans[1:], strict=False))


@pytest.fixture
def pianos(tmp_path):
    """Three recordings of 100 s to train on, one of each other split."""
    for split, count in (("train", 3), ("valid", 1), ("test", 1)):
        for number in range(count):
            path = tmp_path / "own" / split / "piano" / f"{split}{number}.wav"
            path.parent.mkdir(parents=True, exist_ok=True)
            samples = np.random.default_rng([number, *split.encode()]).normal(
                scale=0.1, size=100 * RATE
            )
            soundfile.write(path, samples, RATE)
    return tmp_path / "own"


def made(tmp_path, piano, **more):
    options = {
        "piano": str(piano),
        "output": str(tmp_path / "paper"),
        "minutes": 4.0,
        "testing": [],
        "seed": 0,
    }
    recipe.make(argparse.Namespace(**options | more))
    return tmp_path / "paper"


def test_the_given_minutes_are_cut_into_files_of_about_one_minute(pianos, tmp_path):
    catalogue = open_catalogue(str(made(tmp_path, pianos)), ("piano",))
    minutes = {row.split: row.minutes for row in catalogue.summary()}
    assert minutes == pytest.approx({"train": 4.0, "valid": 0.4, "test": 0.4})
    lengths = [file.seconds for file in catalogue.splits["train"]["piano"]]
    # 60 + 40, 60 + 40, 40
    assert len(lengths) == 5 and all(30 <= seconds < 90 for seconds in lengths)


def test_a_file_is_the_recording_it_was_cut_from(pianos, tmp_path):
    folder = made(tmp_path, pianos, minutes=100.0)
    whole, _ = soundfile.read(pianos / "train" / "piano" / "train1.wav")
    cut = [
        soundfile.read(folder / "train" / "piano" / f"train1-{number:03d}.flac")[0]
        for number in (0, 1)
    ]
    np.testing.assert_allclose(np.concatenate(cut), whole, atol=2**-15)


def test_maestro_and_irmas_make_the_papers_experiment(tmp_path):
    maestro, irmas = make_maestro(tmp_path / "m"), make_irmas(tmp_path / "i")
    # the miniature's only test recording
    write(maestro / "2009" / "not-downloaded.wav", 7, channels=2)
    testing = irmas / "IRMAS-TestingData-Part1" / "Part1"
    write(testing / "02 - Horn-1.wav", 901, channels=2)
    (testing / "02 - Horn-1.txt").write_text("tru\t\n")
    folder = made(tmp_path, maestro, testing=[str(irmas / "IRMAS-TestingData-Part1")])
    both = f"{folder},{irmas / 'IRMAS-TrainingData'}"
    catalogue = open_catalogue(both, ("piano",), leave_out=("irmas/*/piano/*",))
    for split in ("train", "test"):
        catalogue.require(split, ("piano",))
    assert not any("pia" in file.name.split("/")[-1] for file in catalogue.splits["train"]["voice"])
    assert all("paper" in str(file.path) for file in catalogue.splits["train"]["piano"])
    [horn] = catalogue.splits["train"]["others"]
    assert "Horn" in horn.name


def test_what_cannot_be_made_is_refused_and_leaves_nothing(pianos, tmp_path):
    with pytest.raises(ConfigError, match="exists already"):
        made(tmp_path, pianos, output=str(pianos))
    (tmp_path / "part").mkdir()
    with pytest.raises(DataError, match="holds no excerpts"):
        made(tmp_path, pianos, testing=[str(tmp_path / "part")])
    write(tmp_path / "part" / "x.wav", 1)
    with pytest.raises(DataError, match="has no labels"):
        made(tmp_path, pianos, testing=[str(tmp_path / "part")])
    for path in (pianos / "test" / "piano").iterdir():
        path.unlink()
    with pytest.raises(DataError, match="no piano in its split test"):
        made(tmp_path, pianos)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["own", "part"]
