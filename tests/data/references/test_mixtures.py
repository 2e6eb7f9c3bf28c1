"""The mixtures for scoring are the same on every machine, and sources sum to the mixture."""

from dataclasses import replace

import numpy as np
import pytest

from tfsepgan.audio.decoding import decode
from tfsepgan.config import DataConfig
from tfsepgan.data.recordings.catalogue import scan
from tfsepgan.data.references.fixed_mixtures import fixed_mixtures
from tfsepgan.errors import DataError

CONFIG = DataConfig(sample_rate_hz=8000, law="snr")


def level_db(samples: np.ndarray) -> float:
    return 20 * np.log10(np.sqrt(np.mean(samples.astype(np.float64) ** 2)))


def assert_adds_up(mixture):
    total = np.zeros_like(mixture.mixture)
    for part in mixture.sources.values():
        total = total + part
    np.testing.assert_array_equal(mixture.mixture, total)


def test_mixtures_have_the_promised_shape_and_add_up(unpaired):
    mixtures = fixed_mixtures(scan(unpaired), CONFIG, split="valid", count=5, seconds=1.5, seed=1)
    assert len(mixtures) == len({mixture.name for mixture in mixtures}) == 5
    for mixture in mixtures:
        assert list(mixture.sources) == ["piano", "residual"]
        assert mixture.mixture.shape == (12000, 1)
        assert mixture.mixture.dtype == np.float32
        assert np.abs(mixture.mixture).max() <= 1
        assert_adds_up(mixture)


def test_a_mixture_knows_the_recording_of_its_target(unpaired):
    catalogue = scan(unpaired)
    mixtures = fixed_mixtures(catalogue, CONFIG, split="valid", count=5, seconds=0.5)
    names = [file.name for file in catalogue.splits["valid"]["piano"]]
    assert [mixture.target_file for mixture in mixtures] == [
        names[number % len(names)] for number in range(5)
    ]


def test_the_same_seed_gives_the_same_mixtures_and_another_does_not(unpaired):
    settings = {"split": "test", "count": 3, "seconds": 1.0}
    one = fixed_mixtures(scan(unpaired), CONFIG, seed=1, **settings)
    two = fixed_mixtures(
        scan(unpaired),
        replace(CONFIG, law="paper", variants=3, window=4, seed=8),
        seed=1,
        **settings,
    )
    other = fixed_mixtures(scan(unpaired), CONFIG, seed=2, **settings)
    for number in range(3):
        np.testing.assert_array_equal(one[number].mixture, two[number].mixture)
        assert not np.array_equal(one[number].mixture, other[number].mixture)


def test_levels_are_in_the_given_range(unpaired):
    config = replace(CONFIG, snr_db=(-2.0, 3.0))
    for mixture in fixed_mixtures(scan(unpaired), config, split="valid", count=20, seconds=0.5):
        snr = level_db(mixture.sources["piano"]) - level_db(mixture.sources["residual"])
        assert -2.01 < snr < 3.01


@pytest.mark.parametrize("count", [2, 3, 4])
def test_targets_walk_over_all_files(tmp_path, write, count):
    for number in range(4):
        write(tmp_path / "test" / "piano" / f"{number}.wav", 1.0, seed=number)
    write(tmp_path / "test" / "rest" / "a.wav", 1.0, seed=9)
    mixtures = fixed_mixtures(scan(tmp_path), CONFIG, split="test", count=count, seconds=0.5)
    names = [mixture.name.split("_")[1] for mixture in mixtures]
    assert names == {2: ["0", "2"], 3: ["0", "1", "2"], 4: ["0", "1", "2", "3"]}[count]


def test_short_others_are_followed_by_more_of_their_folder(tmp_path, write):
    write(tmp_path / "test" / "piano" / "a.wav", 4.0)
    for number in range(3):
        write(tmp_path / "test" / "rest" / "flute" / f"{number}.wav", 0.5, seed=number + 1)
    (mixture,) = fixed_mixtures(
        scan(tmp_path), replace(CONFIG, others=(1, 1)), split="test", count=1, seconds=3.0
    )
    pieces = mixture.sources["residual"][:, 0].reshape(6, -1)
    assert np.all(np.abs(pieces).max(axis=1) > 0)


def test_a_short_target_is_padded(tmp_path, write):
    write(tmp_path / "test" / "piano" / "a.wav", 0.5)
    write(tmp_path / "test" / "rest" / "b.wav", 3.0, seed=1)
    (mixture,) = fixed_mixtures(scan(tmp_path), CONFIG, split="test", count=1, seconds=1.0)
    assert mixture.sources["piano"].shape == (8000, 1)
    assert not mixture.sources["piano"][4000:].any()


def test_two_sources_and_the_residual(unpaired):
    config = replace(CONFIG, sources=("piano", "voice"))
    (mixture,) = fixed_mixtures(scan(unpaired), config, split="test", count=1, seconds=1.0)
    assert list(mixture.sources) == ["piano", "voice", "residual"]
    assert_adds_up(mixture)


@pytest.mark.parametrize("mono", [True, False])
def test_songs_are_taken_whole_at_their_own_levels(multitrack, mono):
    (mixture,) = fixed_mixtures(scan(multitrack), CONFIG, split="test", mono=mono)
    assert mixture.name == "four"
    assert mixture.mixture.shape == (24000, 1 if mono else 2)
    assert_adds_up(mixture)
    piano = decode(multitrack / "test/four/piano.wav", 8000, mono=mono)
    np.testing.assert_allclose(mixture.sources["piano"], piano, atol=1e-6)


def test_songs_can_be_fewer_and_shorter(multitrack):
    (mixture,) = fixed_mixtures(scan(multitrack), CONFIG, split="train", count=1, seconds=1.0)
    assert mixture.mixture.shape == (8000, 1)


def test_a_split_without_the_source_is_refused(unpaired):
    with pytest.raises(DataError, match="holds no recording of 'harp'"):
        fixed_mixtures(
            scan(unpaired), replace(CONFIG, sources=("harp",)), split="valid", count=1, seconds=1.0
        )
