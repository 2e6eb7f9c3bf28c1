"""A recording is the sum of its files; impossible rates and channel counts are refused."""

import struct

import numpy as np
import pytest
import soundfile

from tfsepgan.audio.decoding import BLOCK
from tfsepgan.audio.recording import open_audio
from tfsepgan.data.batches.cache import unpack
from tfsepgan.errors import DataError

RATE_HZ = 8000


def test_files_of_different_lengths_are_added_across_blocks(tmp_path, write):
    seconds = (2.3 * BLOCK / RATE_HZ, 1.1 * BLOCK / RATE_HZ, 2.0 * BLOCK / RATE_HZ)
    paths = [tmp_path / f"{number}.wav" for number in range(3)]
    signals = [
        write(path, length, seed=number)
        for number, (path, length) in enumerate(zip(paths, seconds, strict=True))
    ]
    file = open_audio(paths[0], "train/x/a.wav", further=tuple(paths[1:]))
    expected = np.zeros((max(map(len, signals)), 1))
    for signal in signals:
        expected[: len(signal)] += signal
    decoded = file.read(mono=True)
    assert decoded.shape == expected.shape == (file.frames, 1)
    np.testing.assert_allclose(decoded, expected, atol=2e-4)


def test_the_longest_file_need_not_be_the_first(tmp_path, write):
    short, long = write(tmp_path / "a.wav", 1.0), write(tmp_path / "b.wav", 2.0, seed=1)
    file = open_audio(tmp_path / "a.wav", "n", further=(tmp_path / "b.wav",))
    assert file.seconds == 2.0
    np.testing.assert_allclose(file.read(mono=True)[len(short) :], long[len(short) :], atol=1e-4)


def test_each_channel_and_sum_has_its_own_file_in_the_cache(tmp_path, write):
    stereo = write(tmp_path / "a.wav", 1.0, channels=2)
    write(tmp_path / "b.wav", 1.0, seed=1)
    files = [
        open_audio(tmp_path / "a.wav", "train/s/whole.wav"),
        open_audio(tmp_path / "a.wav", "train/s/left.wav", channel=0),
        open_audio(tmp_path / "a.wav", "train/s/right.wav", channel=1),
        open_audio(tmp_path / "a.wav", "train/s/sum.wav", further=(tmp_path / "b.wav",)),
    ]
    unpacked = unpack(files, sample_rate_hz=RATE_HZ, cache_dir=tmp_path / "cache")
    assert len({recordings[0].path for recordings in unpacked.values()}) == 4
    right = unpacked["train/s/right.wav"][0]
    samples = soundfile.read(right.path, dtype="int16")[0] * right.scale
    np.testing.assert_allclose(samples, stereo[:, 1], atol=1e-4)
    before = unpacked["train/s/sum.wav"][0].path
    write(tmp_path / "b.wav", 1.0, seed=2)
    again = unpack(files, sample_rate_hz=RATE_HZ, cache_dir=tmp_path / "cache")
    assert again["train/s/sum.wav"][0].path != before


def test_one_channel_of_a_stereo_file_is_unpacked_to_the_cache(tmp_path, write):
    write(tmp_path / "a.wav", 1.0, channels=2)
    file = open_audio(tmp_path / "a.wav", "n", channel=1)
    assert file.channels == 1
    (recording,) = unpack([file], sample_rate_hz=RATE_HZ, cache_dir=tmp_path / "cache")["n"]
    assert recording.path.parent == tmp_path / "cache"


@pytest.mark.parametrize(
    ("rate_hz", "channels", "words"),
    [
        (1, 1, "a rate of 1 Hz"),
        (999, 1, "999 Hz"),
        (800_000, 1, "800000 Hz"),
        (RATE_HZ, 65, "65 channels"),
    ],
)
def test_an_impossible_rate_or_channel_count_is_refused(tmp_path, rate_hz, channels, words):
    samples = np.zeros((200, channels), np.int16)
    block = 2 * channels
    head = struct.pack(
        "<4sI4s4sIHHIIHH",
        b"RIFF",
        36 + samples.nbytes,
        b"WAVE",
        b"fmt ",
        16,
        1,
        channels,
        rate_hz,
        rate_hz * block,
        block,
        16,
    )
    (tmp_path / "a.wav").write_bytes(
        head + struct.pack("<4sI", b"data", samples.nbytes) + samples.tobytes()
    )
    with pytest.raises(DataError, match=words):
        open_audio(tmp_path / "a.wav", "n")


@pytest.mark.parametrize(
    ("rate_hz", "channels"), [(1000, 1), (768_000, 2), (RATE_HZ, 32), (RATE_HZ, 64)]
)
def test_the_limits_of_rate_and_channels_are_accepted(tmp_path, rate_hz, channels):
    soundfile.write(tmp_path / "a.wav", np.full((rate_hz, channels), 0.25), rate_hz)
    file = open_audio(tmp_path / "a.wav", "n")
    assert file.channels == channels
    samples = file.decode(16000)
    assert samples.shape == (16000, 1)
    np.testing.assert_allclose(samples[4000:12000], 0.25, atol=1e-3)
