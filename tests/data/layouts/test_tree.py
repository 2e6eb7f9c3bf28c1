"""A data folder is walked once, whatever its layout."""

import os
from collections import Counter

import pytest
from recordings_for_tests import write_noise

from tfsepgan.data.layouts.tree import Tree
from tfsepgan.data.recordings.catalogue import scan


@pytest.mark.parametrize("name", ["musdb18hq", "slakh2100", "medleydb", "plain"])
def test_a_scan_lists_each_folder_once(name, sets, tmp_path, monkeypatch):
    if name == "plain":
        folder = tmp_path
        for source in ("piano", "others"):
            write_noise(folder / "train" / source / "a" / "take.wav", 0.1)
    else:
        folder = sets[name]
    listed, real = Counter(), os.scandir

    def counted(path="."):
        listed[os.fspath(path)] += 1
        return real(path)

    monkeypatch.setattr(os, "scandir", counted)
    assert scan(folder).splits
    below = {path: count for path, count in listed.items() if path != os.fspath(folder)}
    assert below and set(below.values()) == {1}


def test_a_tree_holds_what_is_there_in_order(tmp_path):
    for name in ("b/2.wav", "b/.hidden.wav", "b/notes.txt", "a.wav", "c/d/1.flac"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    (tmp_path / "c" / "empty").mkdir()
    tree = Tree(tmp_path)
    assert [path.name for path in tree.folders(tmp_path)] == ["b", "c"]
    assert [path.name for path in tree.folders(tmp_path / "c")] == ["d", "empty"]
    assert tree.audio_in(tmp_path / "b") == [tmp_path / "b" / "2.wav"]
    below = [path.relative_to(tmp_path).as_posix() for path in tree.below(tmp_path)]
    assert below == ["a.wav", "b/.hidden.wav", "b/2.wav", "b/notes.txt", "c/d/1.flac"]
    assert tree.folders(tmp_path.parent) == []
