"""Names of track files are safe and unique; a failed write leaves the old file."""

import json
import os
import stat

import pytest

from tfsepgan.errors import DataError
from tfsepgan.evaluation.output import check_writable, file_names, write_json


@pytest.mark.parametrize(
    ("name", "file"),
    [
        ("../../evil", "_._.._evil"),
        ("/etc/passwd", "_etc_passwd"),
        ("..", "__"),
        ("", "_"),
        ("a\\b:c*?\n\0", "a_b_c____"),
        ("Prélude (C♯).v2", "Prélude (C♯).v2"),
        ("con", "_con"),
        (".hidden ", "_hidden"),
    ],
)
def test_a_name_never_becomes_a_path(name, file):
    assert file_names([name]) == [file]


def test_equal_names_get_different_files():
    assert file_names(["a", "A", "a", "a-2"]) == ["a", "A-2", "a-3", "a-2-2"]


def test_long_names_are_cut():
    long = file_names(["é" * 500, "é" * 500])
    assert all(len(name.encode()) < 200 for name in long) and len(set(long)) == 2


def test_a_failed_write_leaves_the_old_file_and_nothing_else(tmp_path, monkeypatch):
    path = tmp_path / "report.json"
    write_json(path, {"old": 1})

    def full(_descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(DataError, match=r"report\.json cannot be written .*No space left"):
        write_json(path, {"new": 2})
    assert json.loads(path.read_text()) == {"old": 1}
    assert list(tmp_path.iterdir()) == [path]


def test_written_files_have_the_usual_permissions(tmp_path):
    write_json(tmp_path / "a.json", {})
    (tmp_path / "b.json").write_text("{}")
    permissions = [stat.S_IMODE((tmp_path / name).stat().st_mode) for name in ("a.json", "b.json")]
    assert permissions[0] == permissions[1]


def test_an_output_that_is_a_file_is_refused(tmp_path):
    (tmp_path / "output").write_text("mine")
    with pytest.raises(DataError, match="cannot be written to"):
        check_writable(tmp_path / "output")
    assert (tmp_path / "output").read_text() == "mine"
