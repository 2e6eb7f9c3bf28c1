"""Every kind of file decodes; every file that cannot be trusted says so by name."""

import numpy as np
import pytest
import soundfile

from tfsepgan.audio.decoding import decode, probe, read, resample
from tfsepgan.audio.wav import HEADER_BYTES, wav_layout, write_pcm16
from tfsepgan.errors import DataError

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
    with pytest.raises(DataError, match=r"promises 16000 samples \(2\.00 s\), only 8000 \(1\.00 s\) are there"):
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
def test_samples_that_are_not_numbers_are_placed(tmp_path, value):
    samples = np.zeros(8000, np.float32)
    samples[4000] = value
    soundfile.write(tmp_path / "nan.wav", samples, 8000, subtype="FLOAT")
    with pytest.raises(DataError, match=r"nan\.wav holds NaN or infinite samples, the first at 0\.500 s"):
        read(tmp_path / "nan.wav", mono=True)


def test_samples_beyond_all_integers_are_damage(tmp_path):
    samples = np.full(8000, 30000.0, np.float32)
    soundfile.write(tmp_path / "integers.wav", samples, 8000, subtype="FLOAT")
    assert read(tmp_path / "integers.wav", mono=True)[0].max() == 30000.0
    samples[4000] = 1e30
    soundfile.write(tmp_path / "damaged.wav", samples, 8000, subtype="FLOAT")
    with pytest.raises(DataError, match=r"damaged\.wav holds samples of 1e\+30 times full scale"):
        read(tmp_path / "damaged.wav", mono=True)


def test_our_wav_is_read_back_by_soundfile_bit_for_bit(tmp_path):
    samples = np.random.default_rng(0).integers(-32768, 32768, 1001).astype(np.int16)
    write_pcm16(tmp_path / "ours.wav", samples, 16000)
    back, rate_hz = soundfile.read(tmp_path / "ours.wav", dtype="int16")
    assert rate_hz == 16000
    np.testing.assert_array_equal(back, samples)
    assert wav_layout(tmp_path / "ours.wav").is_plain


def test_a_wav_with_tags_is_not_plain(tmp_path, write):
    path = tmp_path / "tagged.wav"
    write(path, 0.1)
    path.write_bytes(path.read_bytes() + b"LIST\x04\x00\x00\x00INFO")
    layout = wav_layout(path)
    assert layout.trailing_bytes == 12
    assert not layout.is_plain


def test_a_streamed_wav_of_unknown_length_is_not_called_short(tmp_path, write):
    path = tmp_path / "streamed.wav"
    write(path, 0.5)
    data = bytearray(path.read_bytes())
    data[40:44] = b"\xff\xff\xff\xff"
    path.write_bytes(bytes(data))
    assert wav_layout(path).missing_bytes == 0
