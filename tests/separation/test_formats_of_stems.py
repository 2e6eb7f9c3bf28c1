"""Stems in every format: complete, aligned, with the recording's tags and notes on their level."""

import os

import av
import numpy as np
import pytest
import soundfile
from recordings_for_tests import lag

from tfsepgan.audio.containers import read_tags
from tfsepgan.audio.decoding import probe, read
from tfsepgan.audio.encodings import ENCODINGS, StemFormat
from tfsepgan.errors import ConfigError, DataError
from tfsepgan.separation.files import separate_file
from tfsepgan.separation.refinement import Refining

RATE_HZ = 44100
PADDING = {"m4a": 1024}  # FFmpeg decodes the silence at the end of AAC's last packet too


def bursts(seconds: float = 1.7, channels: int = 2, peak: float = 0.3) -> np.ndarray:
    rng = np.random.default_rng(4)
    time = round(seconds * RATE_HZ)
    envelope = np.repeat(rng.random(-(-time // 3000)) ** 3, 3000)[:time, None]
    tones = np.sin(np.arange(time)[:, None] * rng.uniform(0.02, 0.4, (1, 12))) @ rng.normal(
        size=(12, channels)
    )
    return (peak * envelope * tones / np.abs(tones).max()).astype(np.float32)


@pytest.fixture(scope="module")
def song(tmp_path_factory):
    path = tmp_path_factory.mktemp("song") / "song.wav"
    soundfile.write(path, bursts(), RATE_HZ, subtype="FLOAT")
    return path


@pytest.fixture(scope="module")
def exact(separator, song):
    return separator.separate(read(song, mono=False)[0], RATE_HZ)


@pytest.mark.parametrize("name", ENCODINGS)
def test_every_format_is_complete_and_aligned(name, separator, song, exact, tmp_path):
    result = separate_file(separator, song, tmp_path, form=name)
    for stem, path in result.stems.items():
        assert path == tmp_path / "song" / f"{stem}{ENCODINGS[name].suffix}"
        decoded, rate_hz = read(path, mono=False)
        assert rate_hz == ENCODINGS[name].rate_for(RATE_HZ)
        wanted = exact[stem]
        if rate_hz != RATE_HZ:
            import soxr

            wanted = soxr.resample(wanted, RATE_HZ, rate_hz)
        assert len(wanted) <= len(decoded) <= len(wanted) + PADDING.get(name, 0)
        assert probe(path).frames - len(wanted) in range(
            -1, {"opus": 400, "mp3": 2400}.get(name, 1)
        )
        assert lag(decoded[:, 0], wanted[:, 0]) == 0
        error = decoded[: len(wanted)] - wanted
        limit = {"wav": 1e-6, "flac": 1e-6}.get(name, 0.2 * np.sqrt(np.mean(wanted**2)))
        assert np.sqrt(np.mean(error**2)) < limit


def test_a_lossy_format_leaves_no_float_files(separator, song, tmp_path):
    separate_file(separator, song, tmp_path, form="mp3")
    assert sorted(path.name for path in (tmp_path / "song").iterdir()) == [
        "piano.mp3",
        "residual.mp3",
        "voice.mp3",
    ]


@pytest.mark.parametrize("name", ["flac", "ogg", "mp3", "m4a", "opus"])
def test_tags_are_copied_and_the_title_names_the_stem(name, separator, tmp_path):
    samples = bursts(0.5)
    path = tmp_path / "tagged.flac"
    with soundfile.SoundFile(path, "w", RATE_HZ, 2) as file:
        file.title, file.artist, file.album, file.tracknumber = "Blå ♪", "Nobody", "Nothing", "7"
        file.write(samples)
    tags = read_tags(path)
    assert tags == {"title": "Blå ♪", "artist": "Nobody", "album": "Nothing", "track": "7"}
    result = separate_file(separator, path, tmp_path, form=name)
    assert read_tags(result.stems["piano"]) == {**tags, "title": "Blå ♪ (piano)"}


@pytest.mark.parametrize("name", ["flac", "mp3", "opus"])
def test_lossy_and_integer_formats_are_scaled_below_full_scale_with_a_note(
    name, separator, tmp_path, monkeypatch
):
    soundfile.write(tmp_path / "a.wav", bursts(0.5, peak=0.9), RATE_HZ, subtype="FLOAT")
    monkeypatch.setattr(
        separator, "network", lambda mixture: np.stack([3 * mixture, 0 * mixture], axis=1)
    )
    monkeypatch.setattr(separator, "refining", Refining(stereo="apart"))
    result = separate_file(separator, tmp_path / "a.wav", tmp_path, form=name)
    assert result.levels.gain < 0.8 and "multiplied by 0." in result.notes[-1]
    assert str(StemFormat(name=name)) in result.notes[-1]
    with pytest.raises(DataError, match="peak at"):
        separate_file(separator, tmp_path / "a.wav", tmp_path / "none", form=name, clip="error")
    assert not (tmp_path / "none").exists()


def test_the_bit_rate_of_a_stem_is_the_one_given(separator, song, tmp_path):
    sizes = []
    for rate in (64, 256):
        result = separate_file(
            separator, song, tmp_path / str(rate), form="mp3", bit_rate_kbps=rate
        )
        with av.open(str(result.stems["piano"])) as container:
            sizes.append(container.streams.audio[0].bit_rate / 1000)
    assert sizes == [pytest.approx(64, rel=0.05), pytest.approx(256, rel=0.05)]


def test_a_rate_that_a_format_does_not_support_is_changed_with_a_note(separator, tmp_path):
    soundfile.write(tmp_path / "a.wav", bursts(0.5), 96000, subtype="FLOAT")
    result = separate_file(separator, tmp_path / "a.wav", tmp_path, form="mp3")
    assert "the stems are at 48000 Hz, as MP3 does not support 96000 Hz" in result.notes
    assert probe(result.stems["piano"]).sample_rate_hz == 48000


@pytest.mark.parametrize(
    ("form", "message"),
    [
        ({"name": "aac"}, "got format 'aac'; wanted one of wav, flac"),
        ({"name": "flac", "subtype": "FLOAT"}, "got subtype 'FLOAT'; wanted one of PCM_24, PCM_16"),
        ({"name": "mp3", "subtype": "PCM_16"}, "mp3 has no subtypes; leave it out"),
        ({"name": "flac", "bit_rate_kbps": 128}, "flac takes no bit rate"),
        ({"name": "mp3", "bit_rate_kbps": 1}, "got a bit rate of 1 kbit/s; wanted 16 to 512"),
    ],
)
def test_an_impossible_format_is_refused(form, message):
    with pytest.raises(ConfigError, match=message):
        StemFormat(**form).check()


def test_the_case_of_a_subtype_does_not_matter(separator, song, tmp_path):
    result = separate_file(separator, song, tmp_path, subtype="pcm_24")
    assert soundfile.info(result.stems["piano"]).subtype == "PCM_24"


def test_more_channels_than_a_format_holds_are_refused_before_any_work(separator, tmp_path):
    soundfile.write(tmp_path / "a.wav", bursts(0.2, channels=3), RATE_HZ)
    with pytest.raises(DataError, match="has 3 channels and mp3 holds at most 2"):
        separate_file(separator, tmp_path / "a.wav", tmp_path / "out", form="mp3")
    assert not (tmp_path / "out").exists()


def test_an_interruption_between_two_renames_leaves_the_earlier_stems(
    separator, song, tmp_path, monkeypatch
):
    first = separate_file(separator, song, tmp_path)
    before = {path: path.read_bytes() for path in first.stems.values()}
    soundfile.write(tmp_path / "other.wav", 0.5 * bursts(), RATE_HZ, subtype="FLOAT")
    real, calls = os.replace, []

    def replace(source, target):
        calls.append(target)
        if len(calls) == 4:  # the second earlier stem is moved away, the new one not yet in place
            raise KeyboardInterrupt
        real(source, target)

    monkeypatch.setattr(os, "replace", replace)
    with pytest.raises(KeyboardInterrupt):
        separate_file(separator, tmp_path / "other.wav", tmp_path, track="song")
    assert {path: path.read_bytes() for path in (tmp_path / "song").iterdir()} == before


def test_one_stem_that_cannot_be_placed_leaves_the_earlier_stems(separator, song, tmp_path):
    first = separate_file(separator, song, tmp_path)
    before = first.stems["piano"].read_bytes()
    first.stems["voice"].unlink()
    first.stems["voice"].mkdir()
    (first.stems["voice"] / "mine.txt").write_text("kept")
    other = tmp_path / "other.wav"
    soundfile.write(other, 0.5 * bursts(), RATE_HZ, subtype="FLOAT")
    with pytest.raises(DataError, match=r"voice\.wav could not be put in place: Is a directory"):
        separate_file(separator, other, tmp_path, track="song")
    assert first.stems["piano"].read_bytes() == before
    assert sorted(path.name for path in (tmp_path / "song").iterdir()) == [
        "piano.wav",
        "residual.wav",
        "voice.wav",
    ]
    assert (first.stems["voice"] / "mine.txt").read_text() == "kept"
