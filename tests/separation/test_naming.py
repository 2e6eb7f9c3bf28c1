"""Every recording gets a folder of its own, and none leaves the output folder."""

from pathlib import PurePosixPath

import pytest

from tfsepgan.errors import DataError
from tfsepgan.separation.inputs import find_inputs
from tfsepgan.separation.naming import is_safe_name, safe_name


def touch(root, *names):
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"")
    return root


def tracks(found):
    return {one.path.name: str(one.track) for one in found}


def test_folders_are_searched_recursively_and_keep_their_structure(tmp_path):
    music = touch(
        tmp_path / "music",
        "one.wav",
        "album/two.FLAC",
        "album/cd1/three.mp3",
        "album/cover.jpg",
        ".x/h.wav",
    )
    touch(music, "album/._two.wav")
    found = find_inputs([music], tmp_path / "out")
    assert tracks(found) == {
        "one.wav": "one",
        "two.FLAC": "album/two",
        "three.mp3": "album/cd1/three",
    }


def test_two_recordings_of_one_name_get_two_folders(tmp_path):
    touch(tmp_path, "a/song.mp3", "b/song.mp3", "c/song.wav", "b/other.ogg")
    found = find_inputs(
        [tmp_path / "a/song.mp3", tmp_path / "b", tmp_path / "c/song.wav"], tmp_path / "out"
    )
    names = [str(one.track) for one in found]
    assert len({name.casefold() for name in names}) == 4
    assert all("song" in name or name == "other" for name in names)


def test_names_that_differ_in_case_or_suffix_only_get_two_folders(tmp_path):
    touch(tmp_path, "x/song.mp3", "x/song.wav", "y/Song.wav")
    found = find_inputs([tmp_path / "x", tmp_path / "y"], tmp_path / "out")
    assert len({str(one.track).casefold() for one in found}) == 3


def test_a_file_given_twice_is_separated_once(tmp_path):
    touch(tmp_path, "song.mp3")
    assert (
        len(
            find_inputs(
                [tmp_path / "song.mp3", tmp_path, tmp_path / "." / "song.mp3"], tmp_path / "out"
            )
        )
        == 1
    )


def test_earlier_stems_are_not_separated_again(tmp_path):
    touch(tmp_path, "song.wav", "out/song/piano.wav", "out/song/residual.wav")
    assert tracks(find_inputs([tmp_path], tmp_path / "out")) == {"song.wav": "song"}


def test_stems_in_the_input_folder_are_not_separated_again(tmp_path):
    touch(tmp_path, "song.wav", "song/piano.wav", "cd/a.flac", "cd/a/residual.wav", "b/c.ogg")
    found = tracks(find_inputs([tmp_path], tmp_path))
    assert found == {"song.wav": "song", "a.flac": "cd/a", "c.ogg": "b/c"}
    assert len(find_inputs([tmp_path], tmp_path / "out")) == 5


def test_a_file_is_taken_whatever_its_suffix(tmp_path):
    touch(tmp_path, "recording.bin")
    assert tracks(find_inputs([tmp_path / "recording.bin"], tmp_path)) == {
        "recording.bin": "recording.bin"
    }


def test_missing_and_empty_inputs_are_refused(tmp_path):
    with pytest.raises(DataError, match="does not exist"):
        find_inputs([tmp_path / "nothing.wav"], tmp_path)
    with pytest.raises(DataError, match="holds no audio"):
        find_inputs([touch(tmp_path, "notes.txt")], tmp_path / "out")
    with pytest.raises(DataError, match="nothing to separate"):
        find_inputs([], tmp_path)


@pytest.mark.parametrize(
    "evil", ["...wav", "....wav", "a\\..\\b.wav", "con.wav", "a\nb.wav", " .wav", "-.wav"]
)
def test_no_name_leads_out_of_the_output(tmp_path, evil):
    touch(tmp_path / "in", evil)
    (one,) = find_inputs([tmp_path / "in" / evil], tmp_path / "out")
    assert isinstance(one.track, PurePosixPath)
    assert len(one.track.parts) == 1 and is_safe_name(one.track.name)
    assert (tmp_path / "out" / one.track).resolve().parent == (tmp_path / "out").resolve()


@pytest.mark.parametrize(
    "name", ["", ".", "..", "/", "\x00", "...", "nul", "CON.txt", "a/b", "x" * 999, "é" * 150, "a."]
)
def test_a_safe_name_is_one_path_component_and_stays_as_it_is(name):
    safe = safe_name(name)
    assert safe not in ("", ".", "..") and "/" not in safe and "\\" not in safe
    assert len(safe.encode()) <= 201
    assert safe_name(safe) == safe


@pytest.mark.parametrize("name", ["piano", "take 1.5", "Chopin - Étude", "夜想曲", "a_b-c"])
def test_good_names_are_kept(name):
    assert safe_name(name) == name


@pytest.mark.parametrize("names", [("song.wav", "Song.wav"), ("a:b.wav", "a?b.wav", "a_b.wav")])
def test_names_that_differ_in_case_or_unsafe_characters_get_numbers(tmp_path, names):
    for name in names:
        (tmp_path / name).write_bytes(b"RIFF")
    tracks = [str(one.track).casefold() for one in find_inputs([tmp_path], tmp_path / "out")]
    assert len(set(tracks)) == len(names)
    assert sum(track[-2:] in (" 2", " 3") for track in tracks) == len(names) - 1


def test_an_empty_name_is_refused_and_does_not_mean_the_current_folder(tmp_path, monkeypatch):
    (tmp_path / "a.wav").write_bytes(b"RIFF")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(DataError, match="got an empty name among the inputs"):
        find_inputs(["a.wav", ""], tmp_path / "out")
