"""Models on the Hugging Face Hub: downloaded by `huggingface_hub`, with clear errors."""

import sys
from types import SimpleNamespace

import pytest

from tfsepgan.errors import CheckpointError
from tfsepgan.models.folders import MANIFEST, copy_bundle, find_bundle, read_manifest


@pytest.fixture
def hub(tmp_path, monkeypatch):
    """A module with the function of `huggingface_hub`; it downloads from a folder."""
    calls = []

    def snapshot_download(repository, revision=None):
        calls.append((repository, revision))
        if repository != "someone/piano":
            raise OSError("404 Client Error.\nRepository Not Found")
        return str(tmp_path / "cache")

    (tmp_path / "cache").mkdir()
    (tmp_path / "cache" / MANIFEST).write_text("{}")
    fake = SimpleNamespace(snapshot_download=snapshot_download, calls=calls)
    monkeypatch.setitem(sys.modules, "huggingface_hub", fake)
    return fake


def test_a_model_of_the_hub_is_downloaded(hub, tmp_path):
    assert find_bundle("hf://someone/piano") == tmp_path / "cache"
    assert find_bundle("hf://someone/piano@v2") == tmp_path / "cache"
    assert hub.calls == [("someone/piano", None), ("someone/piano", "v2")]


def test_a_failed_download_gives_the_name_and_the_reason(hub):
    with pytest.raises(
        CheckpointError, match=r"hf://no/one could not be downloaded: 404 Client Error\.\. Check"
    ):
        find_bundle("hf://no/one")


def test_without_huggingface_hub_the_error_says_how_to_install_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)
    with pytest.raises(CheckpointError, match=r'pip install "tfsepgan\[hub\]"'):
        find_bundle("hf://someone/piano")


def test_a_repository_without_a_manifest_is_refused(hub, tmp_path):
    (tmp_path / "cache" / MANIFEST).unlink()
    with pytest.raises(CheckpointError, match=f"has no {MANIFEST}"):
        read_manifest(find_bundle("hf://someone/piano"))


def test_a_copy_has_all_files_and_the_card_that_the_hub_shows(tmp_path):
    model = tmp_path / "model"
    (model / "1").mkdir(parents=True)
    for name in (MANIFEST, "card.md", "1/saved_model.pb"):
        (model / name).write_text(name)
    (tmp_path / "copy").mkdir()
    copy_bundle(model, tmp_path / "copy")
    found = {path.name: path.read_text() for path in (tmp_path / "copy").rglob("*.*")}
    assert found == {
        MANIFEST: MANIFEST,
        "card.md": "card.md",
        "README.md": "card.md",
        "saved_model.pb": "1/saved_model.pb",
    }
    assert sorted(path.name for path in tmp_path.iterdir()) == ["copy", "model"]
    with pytest.raises(CheckpointError, match="exists and is not an empty folder"):
        copy_bundle(model, tmp_path / "copy")
