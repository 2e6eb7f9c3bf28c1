"""Files are written completely or not at all; the old content stays until then."""

import hashlib
import os
import time

import pytest

from tfsepgan.files import (
    files_below,
    put_in_place,
    readable_size,
    remove_half_written,
    sha256_of,
    write_whole,
)


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


def test_the_files_of_a_folder_are_in_order_and_links_are_followed(tmp_path):
    for name in ("a/2", "a/1", "b", ".hidden/c", "a/.d", "outside/e"):
        path = tmp_path / name if name.startswith("outside") else tmp_path / "top" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    top = tmp_path / "top"
    (top / "a" / "up").symlink_to(top)
    (top / "link").symlink_to(tmp_path / "outside")
    (top / "broken").symlink_to("nowhere")
    refused = []
    found = files_below(top, unreadable=lambda *place: refused.append(place))
    assert [path.relative_to(top).as_posix() for path in found] == [
        *(".hidden", "a/.d", "a/1", "a/2", "b", "broken", "link/e"),
    ]
    assert not refused


def test_folders_that_cannot_be_read_or_entered_are_told(tmp_path, close):
    for name in ("a/1", "b/2", "c/3"):
        (tmp_path / name).parent.mkdir()
        (tmp_path / name).touch()
    refused = []
    with close(tmp_path / "b"):
        found = files_below(
            tmp_path,
            unreadable=lambda folder, error: refused.append((folder, error.strerror)),
            enter=lambda folder, files: folder.name != "c",
        )
        assert [path.name for path in found] == ["1"]
    assert refused == [(tmp_path / "b", "Permission denied")]


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="needs to be root")
def test_a_link_into_a_closed_folder_is_told_to_another_user(tmp_path):
    top, closed = tmp_path / "top", tmp_path / "closed"
    (closed / "inner").mkdir(parents=True)
    top.mkdir()
    (top / "link").symlink_to(closed / "inner")
    closed.chmod(0)
    opened = [path for path in tmp_path.parents if path.stat().st_mode & 0o5 != 0o5]
    modes = {path: path.stat().st_mode for path in (*opened, tmp_path)}
    refused = []
    try:
        for path in modes:
            path.chmod(0o755)
        os.seteuid(65534)
        for folder in (top, closed):
            found = files_below(folder, unreadable=lambda place, error: refused.append(place))
            assert not list(found)
    finally:
        os.seteuid(0)
        for path, mode in modes.items():
            path.chmod(mode)
    assert refused == [top / "link", closed]


@pytest.mark.parametrize(
    ("size", "text"),
    [
        (0, "0 bytes"),
        (999, "999 bytes"),
        (1000, "1.00 kB"),
        (3.2e6, "3.20 MB"),
        (4.5e12, "4500.00 GB"),
    ],
)
def test_a_size_never_rounds_to_nothing(size, text):
    assert readable_size(size) == text
