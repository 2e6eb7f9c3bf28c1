"""Stems of arrays and streams have the mixture's exact length, rate and channels, and sum to it."""

import dataclasses

import numpy as np
import pytest
import soxr

from tfsepgan.errors import CheckpointError, ConfigError, ShapeError
from tfsepgan.models.bundle import network_function
from tfsepgan.separation.separator import Separator
from tfsepgan.separation.stream import QUALITY

RATES_HZ = (8000, 16000, 22050, 44100, 48000, 96000)


def pieces_of(mixture, piece):
    return (mixture[first : first + piece] for first in range(0, len(mixture), piece))


def joined(blocks):
    blocks = list(blocks)
    return {name: np.concatenate([block[name] for block in blocks]) for name in blocks[0]}


@pytest.mark.parametrize("sample_rate_hz", RATES_HZ)
@pytest.mark.parametrize("channels", [1, 2, 6])
def test_stems_have_the_length_of_the_mixture_and_sum_to_it(
    separator, noise, sample_rate_hz, channels
):
    for frames in (1, 2, 5, 4410, 30011):
        mixture = noise(frames, channels)
        stems = separator.separate(mixture, sample_rate_hz)
        assert list(stems) == ["piano", "voice", "residual"]
        assert all(
            stem.shape == mixture.shape and stem.dtype == np.float32 for stem in stems.values()
        )
        np.testing.assert_allclose(sum(stems.values()), mixture, rtol=0, atol=1e-6)


@pytest.mark.parametrize("sample_rate_hz", RATES_HZ)
def test_other_rates_equal_one_pass_between_two_one_shot_resamplings(
    separator, two_sources, noise, sample_rate_hz
):
    network = network_function(two_sources.generator)
    mixture = noise(50021, channels=1)
    margin = int(np.ceil(sample_rate_hz / 8000)) if sample_rate_hz != 8000 else 0
    padded = np.pad(mixture[:, 0], (0, margin))
    at_model_rate = soxr.resample(padded, sample_rate_hz, 8000, quality=QUALITY)
    estimate = network(at_model_rate[None, :, None])[0, 0, :, 0]
    expected = soxr.resample(estimate, 8000, sample_rate_hz, quality=QUALITY)[: len(mixture)]
    piano = separator.separate(mixture, sample_rate_hz)["piano"][:, 0]
    np.testing.assert_allclose(piano, expected, rtol=0, atol=1e-5 * np.abs(mixture).max())


def test_resampling_adds_no_delay(two_sources):
    halving = Separator(two_sources, block_seconds=0.7)
    halving.network = lambda mixture: np.repeat(mixture[:, None], 2, axis=1) * 0.5
    time = np.arange(96000) / 48000
    mixture = (0.5 * np.sin(2 * np.pi * 440 * time) * np.hanning(96000)).astype(np.float32)
    piano = halving.separate(mixture, 48000)["piano"]
    np.testing.assert_allclose(piano, 0.5 * mixture, rtol=0, atol=1e-5)


@pytest.mark.parametrize("sample_rate_hz", [8000, 44100])
@pytest.mark.parametrize("piece", [997, 20000])
def test_a_stream_gives_the_stems_of_the_array(separator, noise, sample_rate_hz, piece):
    mixture = noise(60013)
    expected = separator.separate(mixture, sample_rate_hz)
    stems = joined(separator.stream(pieces_of(mixture, piece), sample_rate_hz, 2))
    for name, stem in expected.items():
        np.testing.assert_allclose(stems[name], stem, rtol=0, atol=1e-6)


@pytest.mark.parametrize(("channels", "later"), [(1, 0), (2, 10)])
def test_a_stream_gives_stems_before_the_mixture_ends(separator, noise, channels, later):
    pushed = 0

    def endless():
        nonlocal pushed
        while True:
            pushed += 4000
            yield noise(4000, channels)

    first = next(separator.stream(endless(), 8000, channels))
    assert len(first["piano"]) == separator.block or channels == 2
    assert pushed < 3 * separator.block + later * 8000


def test_a_caller_may_reuse_its_buffer(separator, noise):
    mixture = noise(30000)

    def in_one_buffer():
        buffer = np.empty((1000, 2), np.float32)
        for piece in pieces_of(mixture, 1000):
            buffer[:] = piece
            yield buffer

    stems = joined(separator.stream(in_one_buffer(), 8000, 2))
    np.testing.assert_allclose(sum(stems.values()), mixture, rtol=0, atol=1e-6)


def test_an_array_without_channels_gives_stems_without_channels(separator, noise):
    mixture = noise(5000, channels=1)
    flat = separator.separate(mixture[:, 0], 8000)
    column = separator.separate(mixture, 8000)
    for name, stem in flat.items():
        assert stem.shape == (5000,)
        np.testing.assert_array_equal(stem, column[name][:, 0])


@pytest.mark.parametrize("block_seconds", [0.001, 1.0, 100.0])
def test_the_block_length_does_not_change_the_stems(two_sources, separator, noise, block_seconds):
    mixture = noise(40009)
    expected = separator.separate(mixture, 8000)
    stems = Separator(two_sources, block_seconds=block_seconds).separate(mixture, 8000)
    for name, stem in expected.items():
        np.testing.assert_allclose(stems[name], stem, rtol=0, atol=1e-5)


def test_silence_gives_finite_stems(separator):
    stems = separator.separate(np.zeros((20000, 2)), 44100)
    assert all(np.isfinite(stem).all() for stem in stems.values())


def test_the_mixture_is_not_changed(separator, noise):
    mixture = noise(5000)
    before = mixture.copy()
    separator.separate(mixture, 8000)
    np.testing.assert_array_equal(mixture, before)


@pytest.mark.parametrize(
    ("mixture", "message"),
    [
        (np.zeros((1, 100, 2)), "wanted \\[time\\] or \\[time, channels\\]"),
        (np.zeros((2, 44100)), "transpose"),
        (np.zeros(0), "empty"),
        (np.zeros((100, 0)), "empty"),
        (np.zeros(100, np.int16), "divide 16-bit integers by 32768"),
        (np.zeros(100, complex), "floating point"),
        (np.array([0.0, np.nan]), "sample 1"),
        (np.array([np.inf, 0.0]), "sample 0"),
        (np.array([0.0, 1e300]), "sample 1"),
    ],
)
def test_an_unusable_mixture_is_refused(separator, mixture, message):
    with pytest.raises(ShapeError, match=message):
        separator.separate(mixture, 8000)


@pytest.mark.parametrize("sample_rate_hz", [0, -44100, float("nan"), float("inf"), 1])
def test_impossible_rates_are_refused(separator, sample_rate_hz):
    with pytest.raises(ShapeError, match="sample rate"):
        separator.separate(np.zeros(100), sample_rate_hz)


def test_a_stream_refuses_another_channel_count(separator, noise):
    with pytest.raises(ShapeError, match="0 channels"):
        separator.stream([], 8000, 0)
    with pytest.raises(ShapeError, match="1 channels in a stream of 2"):
        list(separator.stream([noise(100), noise(100, channels=1)], 8000, 2))


@pytest.mark.parametrize("seconds", [0, -1, float("nan")])
def test_blocks_without_length_are_refused(two_sources, seconds):
    with pytest.raises(ConfigError, match="block_seconds"):
        Separator(two_sources, block_seconds=seconds)


@pytest.mark.parametrize(
    "sources",
    [(), ("residual",), ("../piano",), ("a/b",), ("..",), ("piano", "Piano"), ("",), (".hidden",)],
)
def test_source_names_that_cannot_be_file_names_are_refused(two_sources, sources):
    manifest = dataclasses.replace(two_sources.manifest, sources=sources)
    with pytest.raises(CheckpointError, match="names its sources"):
        Separator(two_sources._replace(manifest=manifest))
