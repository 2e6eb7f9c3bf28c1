"""The length a head promises is compared with the file; files other than sound are identified."""

import shutil
import struct

import numpy as np
import pytest
import soundfile
from sounds_for_tests import RATE_HZ, clicks, write_container

from tfsepgan.audio.decoding import probe, read
from tfsepgan.audio.heads import looks_like, mpeg_samples, promise_of
from tfsepgan.audio.recording import open_audio
from tfsepgan.data.recordings.survey import oddities
from tfsepgan.errors import DataError

UNCOMPRESSED = [
    ("aiff", "AIFF", "PCM_16"),
    ("aiff", "AIFF", "FLOAT"),
    ("au", "AU", "PCM_24"),
    ("w64", "W64", "PCM_16"),
    ("rf64", "RF64", "PCM_32"),
    ("caf", "CAF", "PCM_16"),
    ("aifc", "AIFF", "ULAW"),
    ("wav", "WAV", "PCM_24"),
]


def cut(path, share):
    whole = path.read_bytes()
    path.write_bytes(whole[: int(share * len(whole))])


@pytest.mark.parametrize(("suffix", "form", "subtype"), UNCOMPRESSED)
def test_half_a_file_is_refused_and_a_whole_one_accepted(tmp_path, suffix, form, subtype):
    path = tmp_path / f"a.{suffix}"
    soundfile.write(path, clicks(1.0), RATE_HZ, format=form, subtype=subtype)
    assert probe(path).frames == RATE_HZ and not probe(path).notes
    promise = promise_of(path)
    assert promise is None if form == "WAV" else promise == (RATE_HZ, RATE_HZ)
    cut(path, 0.5)
    with pytest.raises(
        DataError, match=rf"a\.{suffix} is cut short: its head promises {RATE_HZ} samples"
    ):
        probe(path)


@pytest.mark.parametrize(("suffix", "form", "subtype"), UNCOMPRESSED)
def test_a_file_that_lacks_less_than_a_millisecond_is_accepted_with_a_note(
    tmp_path, suffix, form, subtype
):
    path = tmp_path / f"a.{suffix}"
    soundfile.write(path, clicks(1.0), RATE_HZ, format=form, subtype=subtype)
    whole = path.read_bytes()
    path.write_bytes(whole[: -2 * 4 - len(whole) % 4])
    info = probe(path)
    assert info.frames < RATE_HZ and info.notes == (
        f"its head promises {RATE_HZ} samples, it holds {info.frames}",
    )
    assert len(read(path, mono=True)[0]) == info.frames


@pytest.mark.parametrize("length", [0, 0xFFFFFFFF, 0x7FFFF000, 0x7FFFFFD8, 0x80000000])
def test_a_streamed_wav_is_read_to_its_end_with_a_note(tmp_path, length):
    path, samples = tmp_path / "a.wav", clicks(1.0)
    soundfile.write(path, samples, RATE_HZ, subtype="PCM_16")
    whole = bytearray(path.read_bytes())
    whole[40:44] = struct.pack("<I", length)
    path.write_bytes(whole)
    info = probe(path)
    assert info.frames == RATE_HZ and "states no length" in info.notes[0]
    np.testing.assert_allclose(read(path, mono=False)[0], samples, atol=1e-4)
    assert info.notes[0] in oddities(open_audio(path, "n"))


@pytest.mark.parametrize("length", [0x7F000008, 0x7FFFFFFF, 0xFFFFFFFF])
def test_an_aiff_from_a_pipe_is_read_to_its_end(tmp_path, length):
    path, samples = tmp_path / "a.aiff", clicks(1.0)
    soundfile.write(path, samples, RATE_HZ)
    whole = bytearray(path.read_bytes())
    place = whole.index(b"SSND") + 4
    whole[place : place + 4] = struct.pack(">I", length)
    path.write_bytes(whole)
    np.testing.assert_allclose(read(path, mono=False)[0], samples, atol=1e-4)


def test_a_wave64_from_a_pipe_is_read_to_its_end(tmp_path):
    path, samples = tmp_path / "a.w64", clicks(1.0)
    soundfile.write(path, samples, RATE_HZ)
    whole = bytearray(path.read_bytes())
    place = whole.index(b"data\xf3\xac\xd3\x11") + 16
    whole[place : place + 8] = struct.pack("<Q", 2**63 - 1)
    path.write_bytes(whole)
    np.testing.assert_allclose(read(path, mono=False)[0], samples, atol=1e-4)


@pytest.mark.parametrize(
    ("subtype", "channels"), [("IMA_ADPCM", 1), ("MS_ADPCM", 2), ("GSM610", 1)]
)
def test_half_a_wav_of_a_codec_is_refused_in_samples(tmp_path, subtype, channels):
    path = tmp_path / "a.wav"
    soundfile.write(path, clicks(2.0, channels=channels), RATE_HZ, subtype=subtype)
    assert probe(path).seconds == pytest.approx(2.0, abs=0.05)
    cut(path, 0.5)
    with pytest.raises(
        DataError,
        match=r"promises (8[5-9]|90)\d\d\d samples \((2\.0\d|1\.9\d) s\), only 4[2-5]\d\d\d",
    ):
        probe(path)


def test_20_bits_in_three_bytes_are_counted_by_the_bytes(tmp_path):
    path = tmp_path / "a.wav"
    soundfile.write(path, clicks(1.0), RATE_HZ, subtype="PCM_24")
    whole = bytearray(path.read_bytes())
    whole[34:36] = struct.pack("<H", 20)
    path.write_bytes(whole[:-6])
    assert probe(path).notes == (f"its head promises {RATE_HZ} samples, it holds {RATE_HZ - 1}",)


def test_a_streamed_flac_is_read_to_its_end_with_a_note(tmp_path):
    path, samples = tmp_path / "a.flac", clicks(1.0)
    soundfile.write(path, samples, RATE_HZ)
    whole = bytearray(path.read_bytes())
    assert whole[:8] == b"fLaC\0\0\0\x22"
    whole[21] &= 0xF0  # STREAMINFO's 36 bits of samples: the low half of this byte and four more
    whole[22:26] = bytes(4)
    path.write_bytes(whole)
    assert probe(path).frames == RATE_HZ and "states no length" in probe(path).notes[0]
    np.testing.assert_allclose(read(path, mono=False)[0], samples, atol=1e-4)


@pytest.fixture
def mp3(tmp_path):
    write_container(tmp_path / "tagged.mp3", clicks(4.0), codec="libmp3lame")
    return tmp_path / "tagged.mp3"


def without_tag(path):
    """The same MP3 without the frame that holds the tag."""
    whole = path.read_bytes()
    start = 10 + int.from_bytes(whole[6:10], "big") if whole[:3] == b"ID3" else 0
    frames = [
        place
        for place in range(start, start + 3000)
        if whole[place] == 0xFF and whole[place + 1] & 0xE0 == 0xE0
    ]
    second = next(
        place
        for place in frames
        if place > start + 50 and whole[place : place + 2] == whole[start : start + 2]
    )
    path.write_bytes(whole[second:])
    return path


def test_an_mp3_is_read_to_its_end_with_and_without_its_tag(mp3):
    tagged = read(mp3, mono=True)[0]
    promised = mpeg_samples(mp3)
    assert promised is not None and 0 <= promised - len(tagged) < 4 * 1152
    assert mpeg_samples(without_tag(mp3)) is None
    bare = read(mp3, mono=True)[0]
    assert len(tagged) <= len(bare) < len(tagged) + 4 * 1152


@pytest.mark.parametrize(
    "tags",
    [
        2 * (b"ID3\3\0\0\0\0\0\x64" + bytes(100)),
        b"ID3\4\0\x10\0\0\0\x64" + bytes(100) + b"3DI\4\0\x10\0\0\0\x64",
    ],
)
def test_the_promise_of_an_mp3_is_found_after_any_tags(mp3, tags):
    promised, whole = mpeg_samples(mp3), mp3.read_bytes()
    mp3.write_bytes(tags + whole[10 + int.from_bytes(whole[6:10], "big") :])
    assert mpeg_samples(mp3) == promised


def test_a_cover_picture_before_an_mp3_changes_no_sample(mp3):
    without_tag(mp3)
    expected = read(mp3, mono=True)[0]
    size = 60_000
    syncsafe = bytes((size >> shift) & 0x7F for shift in (21, 14, 7, 0))
    frame = b"APIC" + struct.pack(">IH", size - 10, 0) + b"\0image/png\0\3\0" + bytes(size - 23)
    mp3.write_bytes(b"ID3\3\0\0" + syncsafe + frame + mp3.read_bytes())
    np.testing.assert_array_equal(read(mp3, mono=True)[0], expected)


def test_an_mp3_that_is_shorter_than_its_tag_says_is_cut_short(mp3):
    cut(mp3, 0.5)
    with pytest.raises(DataError, match=r"tagged\.mp3 is cut short: its head promises"):
        probe(mp3)


def test_mpeg_audio_in_a_wav_is_decoded(tmp_path, mp3):
    data = without_tag(mp3).read_bytes()
    fmt = struct.pack("<HHIIHH", 0x55, 2, RATE_HZ, 24000, 1, 0) + struct.pack(
        "<HHIHHH", 12, 1, 2, 626, 1, 1393
    )
    body = (
        b"WAVEfmt "
        + struct.pack("<I", len(fmt))
        + fmt
        + b"data"
        + struct.pack("<I", len(data))
        + data
    )
    (tmp_path / "a.wav").write_bytes(b"RIFF" + struct.pack("<I", len(body)) + body)
    decoded = read(tmp_path / "a.wav", mono=True)[0]
    assert len(decoded) == len(read(mp3, mono=True)[0])


def test_a_hole_in_an_mp3_is_located_and_nothing_else_is_printed(mp3, capfd):
    whole = bytearray(mp3.read_bytes())
    whole[len(whole) // 2 : len(whole) // 2 + 6000] = bytes(6000)
    mp3.write_bytes(whole)
    with pytest.raises(DataError, match=r"decoding failed after (1\.[89]|2\.[012]) of"):
        read(mp3, mono=True)
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize(
    ("content", "name"),
    [
        (b"\n<!DOCTYPE html><html>404</html>", "a web page"),
        (b"PK\x03\x04" + bytes(100), "a ZIP archive"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:1\n", "a Git LFS pointer"),
        (b"MThd\0\0\0\6" + bytes(20), "MIDI"),
        (bytes(500), "zeros"),
        (b"some words of a readme\n" * 20, "text"),
    ],
)
@pytest.mark.parametrize("suffix", ["mp3", "wav", "m4a"])
def test_a_file_other_than_sound_is_identified(tmp_path, content, name, suffix):
    path = tmp_path / f"a.{suffix}"
    path.write_bytes(content)
    assert looks_like(path).startswith(name)
    with pytest.raises(
        DataError, match=rf"a\.{suffix} is not audio that can be decoded \(it looks like {name}"
    ):
        probe(path)


def test_a_stray_copy_of_the_first_frame_does_not_make_a_promise(tmp_path):
    (tmp_path / "a.mp3").write_bytes(b"\xff\xfb\x90\x00" + bytes(396))
    assert mpeg_samples(tmp_path / "a.mp3") is None
    shutil.copy(tmp_path / "a.mp3", tmp_path / "b.wav")
    assert promise_of(tmp_path / "b.wav") is None
