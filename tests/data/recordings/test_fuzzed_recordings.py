"""Damaged recordings are named, and all accepted ones can be used for training."""

import pytest
from tools_for_tests import from_tools

from tfsepgan.data.batches.cache import unpack
from tfsepgan.data.recordings.catalogue import scan
from tfsepgan.data.recordings.survey import survey
from tfsepgan.errors import DataError

FILES = 70  # five of each damage


@pytest.fixture(scope="module")
def tool():
    return from_tools("fuzz_audio")


@pytest.fixture(scope="module")
def folder(tool, tmp_path_factory):
    folder = tmp_path_factory.mktemp("fuzz") / "data"
    return folder, tool.make_folder(folder, FILES, seed=1)


def test_every_damaged_recording_is_named_and_the_check_continues(tool, folder):
    report = tool.judge(folder[1], tool.run_check(folder[0], FILES))
    assert report["problems"] == []
    assert report["code"] == 1
    assert report["named"] > FILES // 2
    assert sum(sum(counts.values()) for counts in report["by damage"].values()) == FILES


def test_what_the_check_lets_through_can_be_unpacked(folder, tmp_path):
    problems = []
    files = scan(folder[0], layout="plain", problems=problems).splits["train"]["piano"]
    assert len(problems) + len(files) == FILES + 1
    usable = []
    for file in files:
        try:
            survey(file)
        except DataError as error:
            assert file.path.name in str(error)
        else:
            usable.append(file)
    assert len(usable) > FILES // 5
    assert set(unpack(usable, sample_rate_hz=16000, cache_dir=tmp_path)) == {
        file.name for file in usable
    }


def test_a_crashed_check_is_reported(tool):
    fallen = {"problems": [], "said": "Traceback", "seconds": 1.0, "mebibytes": 1, "code": 1}
    report = tool.judge({"00000-text.wav": "text", "00001-32-channels.wav": "32 channels"}, fallen)
    assert report["problems"] == [
        "00000-text.wav should have been named and was used",
        "00001-32-channels.wav should have been noted and was used",
    ]
