"""The folder of a run is created, recognized, or refused with a reason and left unchanged."""

import os
from dataclasses import replace

import pytest
import yaml

from tfsepgan.config import to_dict
from tfsepgan.errors import CheckpointError
from tfsepgan.settings.ssepgan import PRESETS
from tfsepgan.training.checkpoint import STATE
from tfsepgan.training.directory import SETTINGS, prepare_directory

TINY = PRESETS["tiny"]


def with_training(**changes):
    return replace(TINY, training=replace(TINY.training, **changes))


@pytest.fixture
def trained(tmp_path):
    """The folder of a run with a checkpoint."""
    prepare_directory(tmp_path / "run", TINY)
    (tmp_path / "run" / STATE).write_bytes(b"weights")
    return tmp_path / "run"


def contents(directory):
    return {
        path.relative_to(directory): path.read_bytes()
        for path in directory.rglob("*")
        if path.is_file()
    }


def test_a_new_folder_gets_the_settings(tmp_path):
    prepare_directory(tmp_path / "deep" / "run", TINY)
    assert yaml.safe_load((tmp_path / "deep" / "run" / SETTINGS).read_text()) == to_dict(TINY)


def test_a_folder_with_hidden_files_only_is_accepted(tmp_path):
    (tmp_path / ".DS_Store").write_text("")
    prepare_directory(tmp_path, TINY)
    assert (tmp_path / SETTINGS).is_file()


def test_the_same_settings_are_the_same_run(trained):
    before = contents(trained)
    prepare_directory(trained, TINY)
    assert contents(trained) == before


def test_the_data_folder_and_the_time_limit_may_change(trained):
    before = contents(trained)
    moved = replace(
        with_training(minutes=1.0, tensorboard=False), data=replace(TINY.data, data="x", cache="y")
    )
    prepare_directory(trained, moved)
    assert contents(trained) == before


def test_other_settings_are_refused_and_named_and_nothing_is_changed(trained):
    before = contents(trained)
    other = replace(with_training(learning_rate=0.5), data=replace(TINY.data, window=2048))
    with pytest.raises(CheckpointError) as caught:
        prepare_directory(trained, other)
    message = str(caught.value)
    assert "holds a run with other settings" in message
    assert "learning_rate: the run has 0.001, you asked for 0.5" in message
    assert "window: the run has 4096, you asked for 2048" in message
    assert "choose another --run folder; nothing was changed" in message
    assert contents(trained) == before


def test_a_run_without_a_checkpoint_may_start_with_other_settings(tmp_path):
    prepare_directory(tmp_path / "run", TINY)
    (tmp_path / "run" / "tensorboard").mkdir()
    better = replace(TINY, data=replace(TINY.data, window=2048))
    prepare_directory(tmp_path / "run", better)
    assert yaml.safe_load((tmp_path / "run" / SETTINGS).read_text()) == to_dict(better)


@pytest.mark.parametrize(
    "files",
    [
        {"thesis.txt": "years of work"},
        {"settings.yaml": "theme: dark\n", "thesis.txt": "years of work"},
        {"settings.yaml": "theme: dark\n"},
        {"settings.yaml": "- dark\n"},
        {"settings.yaml": "a: [\n"},
        {"settings.yaml": "\x00\x01"},
    ],
    ids=["foreign", "foreign with settings", "foreign settings", "list", "no yaml", "binary"],
)
def test_a_folder_that_is_no_run_is_refused_and_unchanged(tmp_path, files):
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    before = contents(tmp_path)
    with pytest.raises(CheckpointError, match="(C|c)hoose another --run folder"):
        prepare_directory(tmp_path, TINY)
    assert contents(tmp_path) == before


def test_a_file_in_place_of_the_folder_is_a_clear_error(tmp_path):
    (tmp_path / "run").write_text("a file")
    with pytest.raises(CheckpointError, match="Could not write"):
        prepare_directory(tmp_path / "run", TINY)
    with pytest.raises(CheckpointError, match="Could not write"):
        prepare_directory(tmp_path / "run" / "below", TINY)
    assert (tmp_path / "run").read_text() == "a file"


def test_a_full_disk_leaves_no_half_written_run(tmp_path, monkeypatch):
    def refuse(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", refuse)
    with pytest.raises(CheckpointError, match="No space left on device"):
        prepare_directory(tmp_path / "run", TINY)
    assert not contents(tmp_path / "run")
