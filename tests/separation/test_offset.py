"""A constant offset of a recording goes to the residual and changes no estimate."""

import numpy as np
import pytest
import soundfile

from tfsepgan.separation.files import separate_file
from tfsepgan.separation.offset import OffsetRemover, offset_of
from tfsepgan.separation.separator import Separator

RATE_HZ = 8000


@pytest.fixture
def music():
    time_s = np.arange(5 * RATE_HZ)[:, None] / RATE_HZ
    tones = np.sin(2 * np.pi * np.array([[41.2, 44.0]]) * time_s) + np.sin(2800 * time_s)
    return (0.2 * tones * np.sin(3.5 * time_s) ** 2).astype(np.float32)


def ratio_db(error, signal):
    return 10 * np.log10(np.sum(error**2) / np.sum(signal**2))


@pytest.mark.parametrize("offset", [0.1, -0.5, (0.02, 0.3)])
@pytest.mark.parametrize("rate_hz", [RATE_HZ, 22050])
def test_the_estimates_are_those_without_the_offset(separator, music, offset, rate_hz):
    expected = separator.separate(music, rate_hz)
    shifted = (music + np.asarray(offset)).astype(np.float32)
    stems = separator.separate(shifted, rate_hz)
    for name in separator.sources:
        assert ratio_db(stems[name] - expected[name], expected[name]) < -60
    np.testing.assert_allclose(
        (stems["residual"] - expected["residual"]).mean(axis=0),
        np.broadcast_to(offset, 2),
        atol=1e-3,
    )
    np.testing.assert_allclose(sum(stems.values()), shifted, atol=1e-6)


def test_a_recording_without_an_offset_reaches_the_network_bit_for_bit(music):
    for samples in (music, np.zeros_like(music), music[:10]):
        remover = OffsetRemover(2, RATE_HZ)
        passed = [*map(remover.push, np.array_split(samples, 7)), remover.finish()]
        np.testing.assert_array_equal(np.concatenate(passed), samples)


@pytest.mark.parametrize("piece", [1000, 3999, 40000])
def test_pieces_and_blocks_give_the_same_stems(two_sources, separator, music, piece):
    shifted = music + np.float32(0.1)
    expected = separator.separate(shifted, RATE_HZ)
    pieces = (shifted[first : first + piece] for first in range(0, len(shifted), piece))
    blocks = list(Separator(two_sources, block_seconds=1.9).stream(pieces, RATE_HZ, 2))
    for name, stem in expected.items():
        joined = np.concatenate([block[name] for block in blocks])
        np.testing.assert_allclose(joined, stem, rtol=0, atol=1e-5)


def test_the_offset_is_measured_where_the_sound_begins(music):
    shifted = np.concatenate([np.zeros((12345, 2), np.float32), music + np.float32(0.1)])
    remover = OffsetRemover(2, RATE_HZ)
    passed = np.concatenate([*map(remover.push, np.array_split(shifted, 11)), remover.finish()])
    assert not passed[:12345].any()
    np.testing.assert_allclose(passed[12345:], music, atol=5e-4)


def test_each_channel_has_an_offset_of_its_own(music):
    assert offset_of(music).tolist() == [0, 0]
    left = offset_of(music + np.array([0.05, 0]))
    assert left[0] == pytest.approx(0.05, abs=1e-3) and left[1] == 0


def test_a_file_with_an_offset_has_it_in_its_residual(separator, music, tmp_path):
    soundfile.write(tmp_path / "a.wav", music + 0.1, RATE_HZ, subtype="FLOAT")
    result = separate_file(separator, tmp_path / "a.wav", tmp_path)
    means = {name: soundfile.read(path)[0].mean() for name, path in result.stems.items()}
    assert means["residual"] == pytest.approx(0.1, abs=0.005)
    assert abs(means["piano"]) < 0.005 and abs(means["voice"]) < 0.005
