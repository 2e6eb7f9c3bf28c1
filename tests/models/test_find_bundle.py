"""A model is found by its name, run or path; an error lists the models that ship."""

import json
from pathlib import Path

import pytest

import tfsepgan
from tfsepgan.errors import CheckpointError
from tfsepgan.models import folders
from tfsepgan.models.folders import MANIFEST, find_bundle, shipped_models


def put_manifest(directory: Path) -> Path:
    directory.mkdir(parents=True)
    (directory / MANIFEST).write_text(json.dumps({}))
    return directory


@pytest.fixture
def shipped(tmp_path, monkeypatch):
    """A package with two models beside it."""
    package = tmp_path / "site"
    (package / "tfsepgan").mkdir(parents=True)
    for name in ("piano", "voice"):
        put_manifest(package / "exported_models" / name)
    (package / "exported_models" / "notes").mkdir()
    monkeypatch.setattr(folders.tfsepgan, "__file__", str(package / "tfsepgan" / "__init__.py"))
    return package / "exported_models"


def test_a_folder_is_taken_as_it_is(tmp_path):
    model = put_manifest(tmp_path / "model")
    assert find_bundle(model) == find_bundle(str(model)) == model


def test_a_run_gives_its_best_model(tmp_path):
    best = put_manifest(tmp_path / "run" / "model")
    assert find_bundle(tmp_path / "run") == best


def test_a_shipped_model_is_found_by_name(shipped):
    assert set(shipped_models()) == {"piano", "voice"}
    assert find_bundle("piano") == shipped / "piano"


def test_a_name_is_a_shipped_model_and_a_path_is_a_folder(shipped, tmp_path, monkeypatch, caplog):
    """A folder in the current directory does not replace the shipped model of its name."""
    monkeypatch.chdir(tmp_path)
    put_manifest(tmp_path / "piano")
    assert find_bundle("piano") == shipped / "piano"
    assert "write './piano' for the folder" in caplog.text
    assert find_bundle("./piano") == find_bundle(Path("piano")) == Path("piano")


def test_models_in_the_wheel_and_at_the_top_of_a_checkout_are_both_found(shipped):
    inside = put_manifest(shipped.parent / "tfsepgan" / "exported_models" / "bass")
    assert find_bundle("bass") == inside


def test_the_error_distinguishes_missing_folders_from_other_folders(shipped, tmp_path):
    with pytest.raises(
        CheckpointError,
        match="No model 'pianno': as a folder it does not exist, .*are: piano, voice",
    ):
        find_bundle("pianno")
    (tmp_path / "empty").mkdir()
    with pytest.raises(CheckpointError, match="as a folder it has no manifest.json"):
        find_bundle(tmp_path / "empty")


def test_a_name_cannot_leave_the_folder_of_shipped_models(shipped):
    put_manifest(shipped.parent / "secret")
    with pytest.raises(CheckpointError, match="No model '../secret'"):
        find_bundle("../secret")


def test_finding_a_model_loads_no_keras():
    source = Path(tfsepgan.__file__).parent / "models" / "folders.py"
    assert "keras" not in source.read_text().partition('"""')[2].partition('"""')[2]
