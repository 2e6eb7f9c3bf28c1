"""A broken frame of an MP3 becomes silence at its place, with a note; a hole is refused."""

import av
import numpy as np
import pytest
from recordings_for_tests import lag
from sounds_for_tests import RATE_HZ, clicks, encode, write_container

from tfsepgan.audio.decoding import probe, read, read_blocks
from tfsepgan.audio.recording import open_audio
from tfsepgan.data.recordings.survey import survey
from tfsepgan.errors import DataError

FRAME = 1152  # samples
BROKEN = 80  # of about 150 frames
random = np.random.default_rng(0)
# what takes the place of a frame
DAMAGES = {
    "first byte": lambda frame: b"\0" + frame[1:],
    "head": lambda frame: bytes(4) + frame[4:],
    "bit rate in the head": lambda frame: frame[:2] + bytes([frame[2] ^ 0xF0]) + frame[3:],
    "side information": lambda frame: frame[:4] + 32 * b"\xff" + frame[36:],
    "zeros": lambda frame: bytes(len(frame)),
    "ones": lambda frame: b"\xff" * len(frame),
    "noise": lambda frame: random.bytes(len(frame)),
}


@pytest.fixture(scope="module", params=["constant", "variable"])
def mp3(request, tmp_path_factory):
    """The bytes of an MP3 of constant or variable bit rate, its frames' places, and its samples."""
    path = tmp_path_factory.mktemp("mp3") / "whole.mp3"
    samples = clicks(4.0)
    if request.param == "constant":
        write_container(path, samples, codec="libmp3lame")
    else:
        with av.open(str(path), "w") as container:
            options = {"global_quality": "236", "flags": "+qscale"}  # LAME's quality 2
            stream = container.add_stream(
                "libmp3lame", rate=RATE_HZ, layout="stereo", options=options
            )
            encode(container, stream, samples, RATE_HZ)
    with av.open(str(path)) as container:
        packets = list(container.demux(container.streams.audio[0]))
    places = [(one.pos, one.pos + one.size) for one in packets if one.size]
    sizes = {end - start for start, end in places}
    assert (len(sizes) > 3) == (request.param == "variable")
    return path.read_bytes(), places, read(path, mono=False)[0]


def damaged(mp3, damage, frames=(BROKEN,)):
    """The bytes of an MP3 with damaged frames."""
    content = bytearray(mp3[0])
    for number in frames:
        start, end = mp3[1][number]
        content[start:end] = DAMAGES[damage](bytes(content[start:end]))
    return bytes(content)


def read_with_notes(path):
    notes = []
    return np.concatenate(list(read_blocks(path, probe(path), notes=notes))), notes


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_broken_frame_is_silence_at_its_place_with_a_note(mp3, damage, tmp_path, capfd):
    (tmp_path / "a.mp3").write_bytes(damaged(mp3, damage))
    decoded, (note,) = read_with_notes(tmp_path / "a.mp3")
    whole = mp3[2]
    before, after = (BROKEN - 3) * FRAME, (BROKEN + 9) * FRAME
    np.testing.assert_array_equal(decoded[:before], whole[:before])
    assert lag(decoded[after:, 0], whole[after:, 0]) == 0
    end = len(whole) - 2 * FRAME  # FFmpeg may cut the padding at the end in the wrong place
    np.testing.assert_allclose(decoded[after:end], whole[after:end], atol=1e-4)
    assert 0 <= len(decoded) - len(whole) < FRAME
    silent = np.flatnonzero(~decoded[before:after].any(axis=1)) + before
    assert len(silent) >= FRAME
    said_s = float(note.split(" at ")[1].split(" s;")[0])
    assert said_s == pytest.approx(silent[0] / RATE_HZ, abs=0.05)
    if damage != "bit rate in the head":  # there FFmpeg decodes a part of the broken frame
        assert np.abs(decoded[before:after]).max() < 1.5 * np.abs(whole).max()
    assert capfd.readouterr().err == ""


def test_every_broken_place_is_in_the_note(mp3, tmp_path):
    frames = (30, 60, 110)
    (tmp_path / "a.mp3").write_bytes(damaged(mp3, "side information", frames))
    decoded, (note,) = read_with_notes(tmp_path / "a.mp3")
    assert len(decoded) == len(mp3[2])
    for frame in frames:
        assert f"{(frame * FRAME - 1105) / RATE_HZ:.2f}" in note


@pytest.mark.parametrize(
    ("damage", "frames"), [("noise", range(60, 70)), ("side information", range(5, 140, 5))]
)
def test_a_hole_and_many_broken_places_are_refused(mp3, damage, frames, tmp_path):
    (tmp_path / "a.mp3").write_bytes(damaged(mp3, damage, frames))
    with pytest.raises(DataError, match=r"a\.mp3 is corrupt: decoding failed after \d\.\d of"):
        read(tmp_path / "a.mp3", mono=True)


def test_the_data_check_prints_the_note(mp3, tmp_path):
    (tmp_path / "a.mp3").write_bytes(damaged(mp3, "head"))
    (note,) = survey(open_audio(tmp_path / "a.mp3", "n")).notes
    assert "broken frames at 2.0" in note


@pytest.mark.parametrize("tag", [b"", b"TAG" + bytes(125), b"ID3\4\0\0\0\0\0\x40" + bytes(64)])
def test_joined_files_are_read_through_the_tags_between_them(mp3, tag, tmp_path):
    """The tags and the silent first frame of the second file are no broken frames."""
    (tmp_path / "a.mp3").write_bytes(mp3[0] + tag + mp3[0])
    decoded, _ = read_with_notes(tmp_path / "a.mp3")
    assert 0 <= len(decoded) - 2 * len(mp3[2]) < 4 * FRAME
