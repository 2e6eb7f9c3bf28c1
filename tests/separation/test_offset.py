"""A constant offset of a recording goes to the residual and changes no estimate."""

import numpy as np
import pytest
import soundfile

from tfsepgan.separation.files import separate_file
from tfsepgan.separation.offset import OffsetRemover
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


def removed(samples, piece=4321):
    """What is subtracted from a mixture that comes in pieces."""
    remover = OffsetRemover(samples.shape[1], RATE_HZ)
    pieces = (samples[first : first + piece] for first in range(0, len(samples), piece))
    return samples - np.concatenate([*map(remover.push, pieces), remover.finish()])


def test_each_channel_has_an_offset_of_its_own(music):
    left = removed(music + np.array([0.05, 0], np.float32))
    np.testing.assert_allclose(left[:, 0], 0.05, atol=1e-3)
    assert not left[:, 1].any()


@pytest.fixture
def late(music):
    """20 s, and the same with an offset that begins at 7.3 s and ends at 14.1 s."""
    whole = np.tile(music, (4, 1))
    offset = np.zeros((len(whole), 1), np.float32)
    offset[round(7.3 * RATE_HZ) : round(14.1 * RATE_HZ)] = 0.1
    return whole, whole + offset


def test_an_offset_that_begins_or_ends_later_is_removed_within_two_seconds(late):
    baseline = removed(late[1])[:, 0]

    def second(first, last):
        return baseline[round(first * RATE_HZ) : round(last * RATE_HZ)]

    assert not second(0, 5).any()
    np.testing.assert_allclose(second(9.4, 12), 0.1, atol=1e-3)
    np.testing.assert_allclose(second(16.2, 20), 0, atol=1e-3)
    assert second(5, 9).min() >= 0 and second(5, 9).max() < 0.1 + 1e-3


def test_the_baseline_moves_without_a_frequency_that_can_be_heard(late):
    spectrum = np.abs(np.fft.rfft(removed(late[1])[:, 0] * np.hanning(len(late[1]))))
    heard = np.fft.rfftfreq(len(late[1]), 1 / RATE_HZ) > 20
    assert ratio_db(spectrum[heard], spectrum) < -80


@pytest.mark.parametrize("piece", [100, 7999, 10**6])
def test_the_baseline_is_the_same_in_pieces(late, piece):
    np.testing.assert_array_equal(removed(late[1], piece), removed(late[1]))


def test_a_late_offset_reaches_the_residual_and_no_source(separator, late):
    expected, stems = (separator.separate(mixture, RATE_HZ) for mixture in late)
    settled = slice(10 * RATE_HZ, 12 * RATE_HZ)
    for name in separator.sources:
        error = stems[name] - expected[name]
        assert ratio_db(error[settled], expected[name][settled]) < -50
    np.testing.assert_allclose(sum(stems.values()), late[1], atol=1e-6)


def test_the_end_is_measured_too(music):
    shifted = music.copy()
    shifted[round(2.5 * RATE_HZ) :] += np.float32(0.1)  # 5 s in all
    assert removed(shifted)[-100:].mean() == pytest.approx(0.1, abs=0.01)


def test_a_file_with_an_offset_has_it_in_its_residual(separator, music, tmp_path):
    soundfile.write(tmp_path / "a.wav", music + 0.1, RATE_HZ, subtype="FLOAT")
    result = separate_file(separator, tmp_path / "a.wav", tmp_path)
    means = {name: soundfile.read(path)[0].mean() for name, path in result.stems.items()}
    assert means["residual"] == pytest.approx(0.1, abs=0.005)
    assert abs(means["piano"]) < 0.005 and abs(means["voice"]) < 0.005
