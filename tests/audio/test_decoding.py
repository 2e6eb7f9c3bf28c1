"""Every kind of file decodes; a file that cannot be trusted raises an error that names it."""

import os
import sys

import numpy as np
import pytest
import soundfile
from sounds_for_tests import RATE_HZ, clicks, write_container

from tfsepgan.audio.decoding import decode, probe, read, resample
from tfsepgan.audio.encodings import StemFormat
from tfsepgan.audio.recording import open_audio
from tfsepgan.audio.wav import HEADER_BYTES, wav_layout, write_pcm16
from tfsepgan.errors import ConfigError, DataError

KINDS = ("wav", "flac", "ogg", "mp3")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("channels", [1, 2])
def test_every_kind_decodes_at_its_own_rate_and_channels(tmp_path, write, kind, channels):
    path = tmp_path / f"take.{kind}"
    written = write(path, 1.0, rate_hz=22050, channels=channels)
    samples, rate_hz = read(path, mono=False)
    assert rate_hz == 22050
    assert samples.dtype == np.float32
    assert samples.shape[1] == channels
    assert abs(len(samples) - len(written)) <= (2500 if kind == "mp3" else 0)
    if kind in ("wav", "flac"):
        np.testing.assert_allclose(samples, written, atol=1e-4)


def test_mono_is_the_mean_of_the_channels(tmp_path, write):
    path = tmp_path / "take.wav"
    write(path, 0.5, channels=3)
    samples, _ = read(path, mono=False)
    mono, _ = read(path, mono=True)
    np.testing.assert_allclose(mono[:, 0], samples.mean(axis=1), atol=1e-7)


def test_resampling_keeps_a_tone_and_its_length():
    time = np.arange(44100) / 44100
    tone = np.sin(2 * np.pi * 440 * time).astype(np.float32)[:, None]
    out = resample(tone, 44100, 16000)
    assert out.shape == (16000, 1)
    expected = np.sin(2 * np.pi * 440 * np.arange(16000) / 16000)
    np.testing.assert_allclose(out[500:-500, 0], expected[500:-500], atol=1e-3)


def test_decode_at_the_same_rate_changes_nothing(tmp_path, write):
    path = tmp_path / "take.wav"
    written = write(path, 0.5)
    np.testing.assert_allclose(decode(path, 8000), written, atol=2**-15)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(DataError, match=r"gone\.wav cannot be read"):
        probe(tmp_path / "gone.wav")


def test_a_file_of_no_bytes_is_named(tmp_path):
    (tmp_path / "empty.wav").write_bytes(b"")
    with pytest.raises(DataError, match=r"empty\.wav is empty \(0 bytes\)"):
        probe(tmp_path / "empty.wav")


@pytest.mark.parametrize("count", [0, 1, 63])
def test_a_file_of_no_samples_is_named(tmp_path, count):
    soundfile.write(tmp_path / "none.wav", np.zeros(count), 8000)
    with pytest.raises(DataError, match=rf"none\.wav holds no audio \({count} samples\)"):
        probe(tmp_path / "none.wav")


def test_text_named_wav_is_named(tmp_path):
    (tmp_path / "notes.wav").write_text("play it again\n" * 50)
    with pytest.raises(DataError, match=r"notes\.wav is not audio that can be decoded"):
        probe(tmp_path / "notes.wav")


@pytest.mark.parametrize("kind", ["wav", "flac", "mp3"])
def test_a_file_that_was_cut_short_is_named(tmp_path, write, kind):
    path = tmp_path / f"cut.{kind}"
    write(path, 4.0, rate_hz=44100)
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) * 6 // 10])
    with pytest.raises(DataError, match=rf"cut\.{kind} is (cut short|corrupt)"):
        read(path, mono=True)


def test_a_cut_wav_says_how_much_is_there(tmp_path, write):
    path = tmp_path / "cut.wav"
    write(path, 2.0)
    whole = path.read_bytes()
    path.write_bytes(whole[: HEADER_BYTES + 8000 * 2])
    with pytest.raises(
        DataError, match=r"promises 16000 samples \(2\.00 s\), only 8000 \(1\.00 s\) are there"
    ):
        probe(path)


def test_a_corrupt_file_is_named(tmp_path, write):
    path = tmp_path / "broken.flac"
    write(path, 4.0)
    data = bytearray(path.read_bytes())
    middle = len(data) // 2
    data[middle : middle + 3000] = np.random.default_rng(1).bytes(3000)
    path.write_bytes(bytes(data))
    with pytest.raises(DataError, match=r"broken\.flac is corrupt: decoding failed"):
        read(path, mono=True)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_nan_and_infinity_are_refused_with_their_position(tmp_path, value):
    samples = np.zeros(8000, np.float32)
    samples[4000] = value
    soundfile.write(tmp_path / "nan.wav", samples, 8000, subtype="FLOAT")
    with pytest.raises(
        DataError, match=r"nan\.wav holds NaN or infinite samples, the first at 0\.500 s"
    ):
        read(tmp_path / "nan.wav", mono=True)


def test_samples_beyond_32_bit_integers_are_refused(tmp_path):
    samples = np.full(8000, 30000.0, np.float32)
    soundfile.write(tmp_path / "integers.wav", samples, 8000, subtype="FLOAT")
    assert read(tmp_path / "integers.wav", mono=True)[0].max() == 30000.0
    samples[4000] = 1e30
    soundfile.write(tmp_path / "damaged.wav", samples, 8000, subtype="FLOAT")
    with pytest.raises(DataError, match=r"damaged\.wav holds samples of 1e\+30 times full scale"):
        read(tmp_path / "damaged.wav", mono=True)


def test_a_written_wav_is_read_back_by_soundfile_bit_for_bit(tmp_path):
    samples = np.random.default_rng(0).integers(-32768, 32768, 1001).astype(np.int16)
    write_pcm16(tmp_path / "written.wav", samples, 16000)
    back, rate_hz = soundfile.read(tmp_path / "written.wav", dtype="int16")
    assert rate_hz == 16000
    np.testing.assert_array_equal(back, samples)
    assert wav_layout(tmp_path / "written.wav").is_plain


def test_a_wav_with_tags_is_not_plain(tmp_path, write):
    path = tmp_path / "tagged.wav"
    write(path, 0.1)
    path.write_bytes(path.read_bytes() + b"LIST\x04\x00\x00\x00INFO")
    layout = wav_layout(path)
    assert layout.trailing_bytes == 12
    assert not layout.is_plain


def test_a_streamed_wav_of_unknown_length_misses_nothing(tmp_path, write):
    path = tmp_path / "streamed.wav"
    write(path, 0.5)
    data = bytearray(path.read_bytes())
    data[40:44] = b"\xff\xff\xff\xff"
    path.write_bytes(bytes(data))
    assert wav_layout(path).missing_bytes == 0


@pytest.mark.skipif(sys.platform != "linux", reason="file names are bytes on Linux only")
@pytest.mark.parametrize("suffix", ["wav", "mp3"])
def test_a_file_name_that_is_not_utf_8_is_read(tmp_path, suffix):
    write_container(
        tmp_path / f"a.{suffix}",
        clicks(0.5),
        codec={"wav": "pcm_s16le", "mp3": "libmp3lame"}[suffix],
    )
    expected = read(tmp_path / f"a.{suffix}", mono=True)[0]
    path = tmp_path / os.fsdecode(b"latin1_\xe9." + suffix.encode())
    (tmp_path / f"a.{suffix}").rename(path)
    np.testing.assert_array_equal(read(path, mono=True)[0], expected)
    assert len(open_audio(path, "n").excerpt(100, 50)) == 50


@pytest.mark.parametrize("name", ["http:a.mp3", "concat:a.mp3", "%d.mp3"])
def test_a_name_that_looks_like_an_address_is_read_as_a_file(tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    write_container(tmp_path / "a.mp3", clicks(0.5), codec="libmp3lame")
    (tmp_path / "a.mp3").rename(tmp_path / name)
    assert probe(name).sample_rate_hz == RATE_HZ


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes on this system")
def test_pipes_and_devices_are_named(tmp_path):
    os.mkfifo(tmp_path / "a.wav")
    for path in (tmp_path / "a.wav", "/dev/zero", tmp_path):
        with pytest.raises(DataError, match=f"{path} is a folder, pipe or device"):
            probe(path)


def test_without_pyav_only_its_kinds_are_refused_with_what_to_install(tmp_path, monkeypatch):
    write_container(tmp_path / "a.mp3", clicks(0.5), codec="libmp3lame")
    soundfile.write(tmp_path / "a.flac", clicks(0.5), RATE_HZ)
    (tmp_path / "b.mp3").write_text("some words\n" * 50)
    monkeypatch.setitem(sys.modules, "av", None)
    assert probe(tmp_path / "a.flac").channels == 2
    with pytest.raises(
        DataError,
        match=r"a\.mp3: MP3, M4A, .* decoded by PyAV, which cannot be loaded .*pip install av",
    ):
        probe(tmp_path / "a.mp3")
    with pytest.raises(
        DataError, match=r"b\.mp3 is not audio that can be decoded \(it looks like text\)"
    ):
        probe(tmp_path / "b.mp3")
    with pytest.raises(ConfigError, match="mp3 is written by PyAV"):
        StemFormat(name="mp3").check()
