"""Containers are decoded as FFmpeg does, without shift or loss; damaged files are named."""

import struct

import av
import numpy as np
import pytest
import soundfile
from recordings_for_tests import lag
from sounds_for_tests import (
    AT_48000,
    CODEC_DELAY,
    EXACT,
    KINDS,
    RATE_HZ,
    clicks,
    encode,
    write_container,
)

from tfsepgan.audio.containers import probe_streams, stream_blocks
from tfsepgan.audio.decoding import probe, read, read_blocks
from tfsepgan.audio.encodings import StemFormat, open_encoder
from tfsepgan.audio.recording import open_audio
from tfsepgan.errors import DataError

PACKET = 2048  # samples: no codec here has longer ones


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_decodes_without_shift_and_to_its_end(tmp_path, kind):
    path, rate_hz = tmp_path / f"song.{kind}", 48000 if kind in AT_48000 else RATE_HZ
    written = clicks(2.1, rate_hz=rate_hz)
    write_container(path, written, codec=KINDS[kind], rate_hz=rate_hz)
    decoded, decoded_hz = read(path, mono=False)
    assert decoded_hz == rate_hz and decoded.shape[1] == 2
    delay = CODEC_DELAY.get(kind, 0)
    assert lag(decoded[:, 0], written[:, 0]) == delay
    assert 0 <= len(decoded) - len(written) - delay < PACKET
    if kind in EXACT:
        assert len(decoded) == len(written)
        np.testing.assert_allclose(decoded, written, atol=1 / 255)
    else:
        after, before = decoded[max(0, delay) :, 0], written[max(0, -delay) :, 0]
        count = min(len(after), len(before))
        assert np.corrcoef(after[:count], before[:count])[0, 1] > 0.7


def test_blocks_joined_equal_the_whole_file(tmp_path):
    write_container(tmp_path / "a.m4a", clicks(1.3), codec="aac")
    blocks = list(read_blocks(tmp_path / "a.m4a", probe(tmp_path / "a.m4a")))
    assert len(blocks) > 10
    np.testing.assert_array_equal(np.concatenate(blocks), read(tmp_path / "a.m4a", mono=False)[0])


CHANNELS = [
    (name, count)
    for name in ("m4a", "opus")
    for count in (1, 2, 3, 4, *((5,) if name == "m4a" else ()), 6, 8)
]


@pytest.mark.parametrize(("name", "channels"), CHANNELS)
def test_channels_stay_in_their_order(tmp_path, name, channels):
    path, samples = tmp_path / f"a.{name}", np.zeros((48000, channels), np.float32)
    StemFormat(name=name).check_channels(channels)
    for channel, part in enumerate(np.split(samples, range(6000, 6000 * channels, 6000))):
        part[1000:5000, channel] = 0.3 * np.sin(np.arange(4000) / 70)
    encoder = open_encoder(path, StemFormat(name=name), rate_hz=48000, channels=channels)
    encoder.write(samples)
    encoder.close()
    decoded = np.concatenate(list(stream_blocks(path, 0)))
    assert decoded.shape[1] == channels and 48000 <= len(decoded) < 50000
    for channel, part in enumerate(np.split(decoded, range(6000, 6000 * channels, 6000))):
        assert np.argmax((part[:6000] ** 2).sum(axis=0)) == channel


@pytest.mark.parametrize("channels", [5, 7])
def test_channels_that_opus_would_mix_up_are_refused(channels):
    with pytest.raises(DataError, match=f"has {channels} channels, which opus mixes up; use wav"):
        StemFormat(name="opus").check_channels(channels)


def test_an_unknown_codec_in_a_wav_is_named(tmp_path):
    fields = struct.pack("<HHIIHH", 0x7777, 2, RATE_HZ, 4 * RATE_HZ, 4, 16)
    body = (
        b"WAVEfmt "
        + struct.pack("<I", 16)
        + fields
        + b"data"
        + struct.pack("<I", 8000)
        + bytes(8000)
    )
    (tmp_path / "a.wav").write_bytes(b"RIFF" + struct.pack("<I", len(body)) + body)
    with pytest.raises(DataError, match=r"a\.wav is not audio that can be decoded"):
        probe(tmp_path / "a.wav")


class Pipe:
    """A file that can be written but not sought in."""

    def __init__(self):
        self.content = bytearray()

    def write(self, data):
        self.content += data
        return len(data)


@pytest.mark.parametrize(
    ("form", "codec"), [("webm", "libopus"), ("matroska", "aac"), ("wv", "wavpack")]
)
def test_a_container_that_was_written_to_a_pipe_has_a_length(tmp_path, form, codec):
    pipe, samples = Pipe(), clicks(2.0, rate_hz=48000)
    with av.open(pipe, "w", format=form) as container:
        encode(container, container.add_stream(codec, rate=48000, layout="stereo"), samples, 48000)
    path = tmp_path / ("a.wv" if form == "wv" else "a.mka")
    path.write_bytes(bytes(pipe.content))
    assert abs(probe(path).frames - len(samples)) < 4096
    assert len(read(path, mono=True)[0]) >= len(samples)


def test_video_beside_the_audio_changes_no_sample(tmp_path):
    written = clicks(1.0)
    write_container(tmp_path / "plain.mp4", written, codec="aac")
    write_container(tmp_path / "video.mp4", written, codec="aac", pictures=20)
    np.testing.assert_array_equal(
        *(read(tmp_path / f"{name}.mp4", mono=False)[0] for name in ("plain", "video"))
    )


def test_a_video_without_sound_is_named(tmp_path):
    with av.open(str(tmp_path / "mute.mp4"), "w") as container:
        video = container.add_stream("mpeg4", rate=25)
        video.width, video.height, video.pix_fmt = 64, 48, "yuv420p"
        image = av.VideoFrame.from_ndarray(np.zeros((48, 64, 3), np.uint8), format="rgb24")
        container.mux([*video.encode(image), *video.encode(None)])
    with pytest.raises(
        DataError, match=r"mute\.mp4 is not audio that can be decoded .*holds 0 audio streams"
    ):
        probe(tmp_path / "mute.mp4")


def test_the_first_of_several_streams_is_read_and_any_can_be_selected(tmp_path):
    signals = [clicks(1.0, seed=seed) for seed in (1, 2)]
    with av.open(str(tmp_path / "two.mka"), "w") as container:
        streams = [container.add_stream("flac", rate=RATE_HZ, layout="stereo") for _ in signals]
        for stream, signal in zip(streams, signals, strict=True):
            encode(container, stream, signal, RATE_HZ)
    assert len(probe_streams(tmp_path / "two.mka")) == 2
    np.testing.assert_allclose(read(tmp_path / "two.mka", mono=False)[0], signals[0], atol=1e-4)
    second = open_audio(tmp_path / "two.mka", "n", stream=1)
    np.testing.assert_allclose(second.read(mono=False), signals[1], atol=1e-4)
    with pytest.raises(
        DataError, match=r"two\.mka holds 2 audio streams; at least 3 were expected"
    ):
        open_audio(tmp_path / "two.mka", "n", stream=2)


def test_an_excerpt_of_a_container_is_its_own_samples(tmp_path):
    write_container(tmp_path / "a.m4a", clicks(1.0), codec="alac")
    file = open_audio(tmp_path / "a.m4a", "n")
    np.testing.assert_array_equal(file.excerpt(30000, 500), file.read(mono=False)[30000:30500, 0])


@pytest.mark.parametrize("name", ["song.m4a", "song.mp3", "song", "song.wav"])
def test_a_container_is_recognised_whatever_its_name(tmp_path, name):
    write_container(tmp_path / "a.m4a", clicks(1.0), codec="aac")
    (tmp_path / "a.m4a").rename(tmp_path / name)
    assert probe(tmp_path / name).kind == "mov/aac"


def test_a_raw_kind_is_recognised_only_by_its_suffix(tmp_path):
    write_container(tmp_path / "a.aac", clicks(1.0), codec="aac")
    assert probe(tmp_path / "a.aac").kind == "aac/aac"
    (tmp_path / "a.aac").rename(tmp_path / "a.txt")
    with pytest.raises(
        DataError, match=r"a\.txt is not audio that can be decoded .*looks like aac"
    ):
        probe(tmp_path / "a.txt")


@pytest.mark.parametrize("share", [0.3, 0.6, 0.9])
def test_a_container_that_was_cut_short_is_named(tmp_path, share):
    write_container(tmp_path / "whole.mka", clicks(20.0), codec="flac")
    whole = (tmp_path / "whole.mka").read_bytes()
    (tmp_path / "cut.mka").write_bytes(whole[: int(share * len(whole))])
    with pytest.raises(DataError, match=r"cut\.mka is (cut short|corrupt)"):
        read(tmp_path / "cut.mka", mono=True)


def test_an_m4a_without_its_index_is_named(tmp_path):
    write_container(tmp_path / "whole.m4a", clicks(3.0), codec="aac")
    (tmp_path / "cut.m4a").write_bytes((tmp_path / "whole.m4a").read_bytes()[:-3000])
    with pytest.raises(DataError, match=r"cut\.m4a is not audio that can be decoded"):
        probe(tmp_path / "cut.m4a")


@pytest.mark.parametrize("suffix", ["m4a", "mp4", "wma", "aac", "ac3", "webm"])
def test_a_file_without_audio_is_named_whatever_its_suffix(tmp_path, suffix):
    for number, content in enumerate(
        (b"these are words, no sounds\n" * 300, bytes(4000), b"\xff\xf1" * 2000)
    ):
        path = tmp_path / f"{number}.{suffix}"
        path.write_bytes(content)
        with pytest.raises(DataError, match=rf"{number}\.{suffix} (is|holds)"):
            read(path, mono=True)


def test_tags_change_no_sample(tmp_path):
    samples = clicks(1.0)
    with av.open(str(tmp_path / "tagged.m4a"), "w") as container:
        container.metadata.update({"title": "Song ♪", "comment": "x" * 5000})
        stream = container.add_stream("alac", rate=RATE_HZ, layout="stereo")
        encode(container, stream, samples, RATE_HZ)
    np.testing.assert_allclose(read(tmp_path / "tagged.m4a", mono=False)[0], samples, atol=1e-4)


def test_libsndfile_reads_wav_files(tmp_path):
    soundfile.write(tmp_path / "a.wav", clicks(0.5), RATE_HZ)
    assert probe(tmp_path / "a.wav").stream is None
