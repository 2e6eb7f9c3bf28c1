"""Folders that cannot be read are named, in every layout, and never taken for empty ones."""

import shutil

import pytest
from sets_for_tests import MAKERS

from tfsepgan.data.augment.augmenter import room_files
from tfsepgan.data.recordings.catalogue import scan
from tfsepgan.errors import DataError
from tfsepgan.rendering.arranging.singing import Singer
from tfsepgan.rendering.reading import find_scores


@pytest.mark.parametrize("name", sorted(MAKERS))
def test_every_layout_names_a_folder_that_cannot_be_read(name, tmp_path, close):
    root = MAKERS[name][0](tmp_path / "set")
    folders = sorted(path for path in root.rglob("*") if path.is_dir() and any(path.iterdir()))
    for folder in (folders[0], folders[-1], root):
        with close(folder):
            with pytest.raises(DataError) as caught:
                scan(root)
            assert f"{folder} cannot be read (Permission denied)" in str(caught.value)


def test_a_plain_folder_names_it_and_checks_the_rest(tones, tmp_path, close):
    folder = shutil.copytree(tones, tmp_path / "data")
    shutil.copytree(folder / "train" / "flute", folder / "train" / "flute" / "closed")
    problems: list[str] = []
    with close(folder / "train" / "flute" / "closed"):
        whole = scan(folder, problems=problems)
        with pytest.raises(DataError, match=r"closed cannot be read \(Permission denied\)"):
            scan(folder)
    assert len(problems) == 1 and "flute/closed cannot be read" in problems[0]
    assert len(whole.splits["train"]["flute"]) == 2


def test_rooms_scores_and_speech_too(tmp_path, close):
    (tmp_path / "below").mkdir()
    for name in ("a.wav", "a.mid"):
        (tmp_path / name).touch()
    singer = Singer("anna", tmp_path, 1.0, 64)
    for search in (
        lambda: room_files(str(tmp_path)),
        lambda: find_scores({"all": tmp_path}),
        singer.recordings,
    ):
        search()
        with close(tmp_path / "below"), pytest.raises(DataError, match="below cannot be read"):
            search()
