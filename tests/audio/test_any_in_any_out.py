"""Any kind of recording goes in and any kind of stem comes out: as long, without shift, exact.

Reading and writing meet in arrays only, so every kind is read once and every kind is written a few
times, instead of all pairs.
"""

from itertools import cycle

import numpy as np
import pytest
import soundfile
from bundles_for_tests import whole_separator
from recordings_for_tests import lag
from sounds_for_tests import CODEC_DELAY, RATE_HZ, clicks, write_container

import tfsepgan
from tfsepgan.audio.decoding import read
from tfsepgan.audio.encodings import StemFormat
from tfsepgan.separation.files import separate_file
from tfsepgan.separation.runtimes import RUNTIMES

SECONDS = 2.0
PACKET = 2048  # samples: the silence that a codec may add at the end
# libsndfile's format and subtype, by suffix; the first group holds every sample
SNDFILE = {
    "16.wav": ("WAV", "PCM_16"),
    "24.wav": ("WAV", "PCM_24"),
    "32.wav": ("WAV", "PCM_32"),
    "float.wav": ("WAV", "FLOAT"),
    "double.wav": ("WAV", "DOUBLE"),
    "extensible.wav": ("WAVEX", "PCM_24"),
    "flac": ("FLAC", "PCM_16"),
    "24.flac": ("FLAC", "PCM_24"),
    "aiff": ("AIFF", "PCM_16"),
    "float.aifc": ("AIFF", "FLOAT"),
    "au": ("AU", "PCM_24"),
    "caf": ("CAF", "PCM_32"),
    "w64": ("W64", "PCM_16"),
    "rf64": ("RF64", "PCM_24"),
    "ogg": ("OGG", "VORBIS"),
    "opus": ("OGG", "OPUS"),
}
FFMPEG = {  # FFmpeg's codec
    "alac.m4a": "alac",
    "mov": "pcm_s16le",
    "mka": "flac",
    "wv": "wavpack",
    "tta": "tta",
    "mp3": "libmp3lame",
    "m4a": "aac",
    "mp4": "aac",
    "mkv": "aac",
    "webm": "libopus",
    "wma": "wmav2",
    "ac3": "ac3",
    "aac": "aac",
}
LOSSY = ("ogg", "opus", "mp3", "m4a", "mp4", "mkv", "webm", "wma", "ac3", "aac")
WHOLE_LENGTH = ("ogg", "opus", "mp3")  # lossy kinds that state it to the sample
OUTPUTS = (
    StemFormat(name="wav", subtype="PCM_16"),
    StemFormat(name="wav", subtype="PCM_24"),
    StemFormat(name="wav"),
    StemFormat(name="flac"),
    StemFormat(name="mp3"),
    StemFormat(name="m4a"),
    StemFormat(name="ogg"),
    StemFormat(name="opus"),
)
PAIRS = list(zip((*SNDFILE, *FFMPEG), cycle(OUTPUTS), strict=False))


def in_16_bits(samples):
    return np.round(samples * 2.0**15).astype(np.float32) / np.float32(2.0**15)


def write_sndfile(path, samples, rate_hz, form, subtype):
    if form != "OGG" and subtype not in ("FLOAT", "DOUBLE"):
        samples = np.round(samples * 2.0**31).astype(np.int32)  # floats are not stored exactly
    soundfile.write(path, samples, rate_hz, format=form, subtype=subtype)


def written(folder, kind):
    """A recording of a kind; returns its path and samples."""
    path, rate_hz = folder / f"song.{kind}", 48000 if kind in ("opus", "webm") else RATE_HZ
    samples = in_16_bits(clicks(SECONDS, rate_hz=rate_hz))
    if kind in SNDFILE:
        write_sndfile(path, samples, rate_hz, *SNDFILE[kind])
    else:
        pictures = 5 if kind == "mp4" else 0
        write_container(path, samples, codec=FFMPEG[kind], rate_hz=rate_hz, pictures=pictures)
    return path, samples


@pytest.fixture(scope="module")
def whole():
    return whole_separator(RATE_HZ)


@pytest.mark.parametrize(("kind", "form"), PAIRS, ids=lambda one: str(one))
def test_every_kind_goes_in_and_comes_out_without_shift_or_loss(whole, kind, form, tmp_path):
    path, samples = written(tmp_path, kind)
    decoded, rate_hz = read(path, mono=False)
    delay = CODEC_DELAY.get(kind, 0)
    if kind not in LOSSY:
        np.testing.assert_array_equal(decoded, samples)
    assert lag(decoded[:, 0], samples[:, 0]) == delay
    assert 0 <= len(decoded) - len(samples) - delay < (1 if kind in WHOLE_LENGTH else PACKET)

    result = separate_file(whole, path, tmp_path, form=form)
    stem, stem_hz = read(result.stems["all"], mono=False)
    assert (result.frames, stem_hz) == (len(decoded), form.encoding.rate_for(rate_hz))
    expected = round(len(decoded) * stem_hz / rate_hz)
    assert 0 <= len(stem) - expected <= (1024 if form.name == "m4a" else 0)
    if stem_hz != rate_hz:
        return
    assert lag(stem[:, 0], decoded[:, 0]) == 0
    if form.sample_format and rate_hz == RATE_HZ:
        step = 0 if form.cannot_clip or kind not in LOSSY else 2.0 ** (-8 * form.bytes_per_sample)
        gained = decoded * np.float32(result.levels.gain)
        np.testing.assert_allclose(stem, gained, rtol=0, atol=step)


@pytest.mark.parametrize("kind", ["24.wav", "m4a", "webm"])
def test_all_runtimes_give_the_same_stems_of_a_file(kind, models, tmp_path):
    path, samples = written(tmp_path, kind)
    made = [
        read(separate_file(model, path, tmp_path / name).stems["piano"], mono=False)[0]
        for name, model in models.items()
    ]
    for other in made[1:]:
        np.testing.assert_allclose(made[0], other, rtol=0, atol=1e-5)
    assert 0 <= len(made[0]) - len(samples) < PACKET


@pytest.fixture(scope="module")
def models():
    return {name: tfsepgan.load("piano", runtime=name) for name in RUNTIMES[1:]}


@pytest.mark.parametrize("form", OUTPUTS, ids=str)
def test_two_runs_write_the_same_bytes(whole, form, tmp_path):
    path, _ = written(tmp_path, "16.wav")
    first = separate_file(whole, path, tmp_path / "a", form=form).stems["all"].read_bytes()
    place = first.find(b"PEAK")
    assert place < 0 or first[place + 12 : place + 16] == bytes(4)  # the time of writing
    again = separate_file(whole, path, tmp_path / "b", form=form).stems["all"].read_bytes()
    assert again == first


def test_every_output_is_written_from_several_kinds():
    assert len(PAIRS) > 25
    for form in OUTPUTS:
        assert sum(other == form for _, other in PAIRS) >= 3
