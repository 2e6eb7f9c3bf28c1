"""Damaged containers are read whole, read with a note, or refused by name; nothing else happens."""

import pytest
from tools_for_tests import from_tools

FILES = 300


@pytest.fixture(scope="module")
def tool():
    return from_tools("fuzz_containers")


def test_three_hundred_damaged_containers_are_read_or_named(tool, tmp_path):
    tool.make_folder(tmp_path / "in", FILES, seed=1)
    report = tool.run(tmp_path / "in", FILES)
    assert report["problems"] == []
    assert report["outcomes"]["refused"] > FILES // 4
    assert report["outcomes"]["read"] > FILES // 20


def test_the_same_seed_makes_the_same_files(tool, tmp_path):
    for folder in ("a", "b"):
        tool.make_folder(tmp_path / folder, 50, seed=2)
    for path in (tmp_path / "a").iterdir():
        assert path.read_bytes() == (tmp_path / "b" / path.name).read_bytes()
