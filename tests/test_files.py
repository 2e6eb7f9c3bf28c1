"""Files are written completely or not at all; the old content stays until then."""

import hashlib
import os
import time

import pytest

from tfsepgan.files import put_in_place, remove_half_written, sha256_of, write_whole


def test_a_written_file_has_the_permissions_of_any_new_file(tmp_path):
    plain = tmp_path / "plain"
    plain.write_bytes(b"")
    write_whole(tmp_path / "new folder" / "file", lambda file: file.write(b"all of it"))
    made = tmp_path / "new folder" / "file"
    assert made.read_bytes() == b"all of it"
    assert made.stat().st_mode == plain.stat().st_mode
    assert os.listdir(made.parent) == ["file"]


@pytest.mark.parametrize("lasting", [True, False])
@pytest.mark.parametrize("error", [ZeroDivisionError, OSError, KeyboardInterrupt])
def test_an_error_while_writing_leaves_the_old_file(tmp_path, lasting, error):
    path = tmp_path / "file"
    path.write_bytes(b"old")

    def write(file):
        file.write(b"ne")
        raise error

    with pytest.raises(error):
        write_whole(path, write, lasting=lasting)
    assert path.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["file"]


def test_files_of_a_folder_appear_only_when_all_are_complete(tmp_path):
    (tmp_path / "weights").write_text("old")
    with (
        pytest.raises(FileNotFoundError),
        put_in_place(tmp_path, ("weights", "manifest")) as scratch,
    ):
        (scratch / "weights").write_text("new")
    assert (tmp_path / "weights").read_text() == "old"
    assert os.listdir(tmp_path) == ["weights"]
    with put_in_place(tmp_path, ("weights", "manifest")) as scratch:
        (scratch / "weights").write_text("new")
        (scratch / "manifest").write_text("of the new")
        assert (tmp_path / "weights").read_text() == "old"
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {
        "weights": "new",
        "manifest": "of the new",
    }


def test_half_written_files_are_removed_when_they_are_old_enough(tmp_path):
    """Temporary names are those that both ways of writing use while they run."""
    seen = []

    def look(file):
        seen.extend(os.listdir(tmp_path))

    write_whole(tmp_path / "file", look)
    with put_in_place(tmp_path, ()):
        seen.extend(set(os.listdir(tmp_path)) - {"file"})
    assert len(seen) == 2
    (tmp_path / seen[0]).write_text("half")
    (tmp_path / seen[1]).mkdir()
    (tmp_path / seen[1] / "inside").write_text("half")
    remove_half_written(tmp_path, older_than_seconds=60)
    assert len(os.listdir(tmp_path)) == 3
    hour_ago = time.time() - 3600
    for name in seen:
        os.utime(tmp_path / name, (hour_ago, hour_ago))
    remove_half_written(tmp_path, older_than_seconds=60)
    assert os.listdir(tmp_path) == ["file"]


def test_the_digest_of_a_file_longer_than_a_piece(tmp_path):
    content = bytes(range(256)) * 8192 + b"end"  # a little more than two pieces
    (tmp_path / "long").write_bytes(content)
    assert sha256_of(tmp_path / "long") == hashlib.sha256(content).hexdigest()
