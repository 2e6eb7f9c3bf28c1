"""Names of stems from a template: where they lie, and which templates are refused."""

from pathlib import Path, PurePosixPath

import pytest

from tfsepgan.audio.encodings import StemFormat
from tfsepgan.errors import ConfigError
from tfsepgan.separation.naming import Recording
from tfsepgan.separation.stem_names import (
    DEFAULT_NAME,
    check_template,
    has_stems,
    refuse_shared_files,
    stem_files,
)

WAV, MP3 = StemFormat(), StemFormat(name="mp3")
STEMS = ("piano", "residual")


@pytest.mark.parametrize(
    ("template", "form", "expected"),
    [
        (DEFAULT_NAME, WAV, ("album/song/piano.wav", "album/song/residual.wav")),
        ("{source}/{track}.{ext}", MP3, ("piano/album/song.mp3", "residual/album/song.mp3")),
        ("{track} ({source}).{ext}", WAV, ("album/song (piano).wav", "album/song (residual).wav")),
    ],
)
def test_a_template_gives_the_file_of_each_stem(template, form, expected):
    check_template(template, form)
    files = stem_files(template, PurePosixPath("album/song"), STEMS, form)
    assert tuple(map(str, files.values())) == expected


@pytest.mark.parametrize(
    ("template", "words"),
    [
        ("{trak}/{source}.{ext}", "unknown field {trak}; did you mean 'track'?"),
        ("{}/{source}.{ext}", "unknown field {}"),
        ("{track.parent}/{source}.{ext}", "unknown field {track.parent}"),
        ("{track:>9}/{source}.{ext}", "{track} with a format"),
        ("{track!r}/{source}.{ext}", "{track} with a format"),
        ("{track/{source}.{ext}", "is not a template"),
        ("/tmp/{source}.{ext}", "below the output folder"),
        ("../{track}/{source}.{ext}", "below the output folder"),
        ("{track}/../../{source}.{ext}", "below the output folder"),
        ("{track}//{source}.{ext}", "empty"),
        (".{track}/{source}.{ext}", "hidden"),
        ("{track}: {source}.{ext}", "characters that some systems forbid"),
        ("", "empty"),
        ("{track}/{source}", "must end with .{ext}, here .wav"),
        ("{track}/{source}.flac", "must end with .{ext}, here .wav"),
    ],
)
def test_a_template_that_cannot_name_stems_is_refused(template, words):
    with pytest.raises(ConfigError) as caught:
        check_template(template, WAV)
    assert words in str(caught.value)


def test_stems_need_their_own_files():
    track = PurePosixPath("song")
    with pytest.raises(ConfigError, match="without {source}: piano, residual would share a file"):
        stem_files("{track}.{ext}", track, STEMS, WAV)
    one = stem_files("{track}.{ext}", track, ("piano",), WAV)
    assert one == {"piano": PurePosixPath("song.wav")}


def test_a_name_that_no_file_system_takes_is_refused():
    with pytest.raises(ConfigError, match="longer than 220 bytes"):
        stem_files("{track} {track} {source}.{ext}", PurePosixPath("a" * 120), STEMS, WAV)


def recording(path: Path, track: str) -> Recording:
    return Recording(path=path, track=PurePosixPath(track))


def test_recordings_need_their_own_files(tmp_path):
    both = [recording(tmp_path / "a.wav", "a"), recording(tmp_path / "b.wav", "b")]
    refuse_shared_files(both, tmp_path / "out", STEMS, WAV, "{source}/{track}.{ext}")
    with pytest.raises(ConfigError, match=r"a\.wav and .*b\.wav would both write .*piano\.wav"):
        refuse_shared_files(both, tmp_path / "out", STEMS, WAV, "{source}.{ext}")
    same = [recording(tmp_path / "a.wav", "a"), recording(tmp_path / "A.wav", "A")]
    with pytest.raises(ConfigError, match="would both write"):  # on systems that ignore case
        refuse_shared_files(same, tmp_path / "out", STEMS, WAV, "{source}/{track}.{ext}")


def test_no_stem_replaces_a_recording(tmp_path):
    inputs = [recording(tmp_path / "a.wav", "a"), recording(tmp_path / "a piano.wav", "a piano")]
    with pytest.raises(ConfigError, match=r"a piano\.wav is a recording, and a stem of .*a\.wav"):
        refuse_shared_files(inputs, tmp_path, STEMS, WAV, "{track} {source}.{ext}")


def test_stems_that_exist_are_found_by_their_template(tmp_path):
    template, one = "{source}/{track}.{ext}", recording(tmp_path / "a.wav", "a")
    for name in STEMS:
        assert not has_stems(one, tmp_path, STEMS, WAV, template)
        (tmp_path / name).mkdir()
        (tmp_path / name / "a.wav").touch()
    assert has_stems(one, tmp_path, STEMS, WAV, template)
    assert not has_stems(one, tmp_path, STEMS, WAV)
