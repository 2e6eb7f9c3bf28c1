"""The folder of an export is complete or unchanged, and never replaces other files."""

import os

import numpy as np
import pytest

from tfsepgan.errors import ExportError
from tfsepgan.export import exporter, parity
from tfsepgan.export.exporter import export_bundle
from tfsepgan.export.parity import LIMITS, keras_stems


def files_in(directory):
    return {
        path.relative_to(directory).as_posix(): path
        for path in directory.rglob("*")
        if path.is_file()
    }


@pytest.fixture
def quick(monkeypatch, one_bundle):
    """A bundle, and an exporter that writes empty files in place of slow conversions."""

    def write_saved_model(bundle, directory, limits=None):
        directory.mkdir()
        (directory / "saved_model.pb").write_bytes(b"graph")

    def write_tflite(saved_model, outputs):
        for precision, path in outputs.items():
            path.write_bytes(precision.encode())

    monkeypatch.setattr(exporter, "write_saved_model", write_saved_model)
    monkeypatch.setattr(exporter, "write_mono_saved_model", write_saved_model)
    monkeypatch.setattr(exporter, "write_tflite", write_tflite)
    monkeypatch.setattr(exporter, "describe_base", lambda made, manifest: None)
    monkeypatch.setattr(
        parity,
        "served_stems",
        lambda path, mixture, rate: {"stream": keras_stems(one_bundle, mixture)},
    )
    monkeypatch.setattr(
        parity, "run_tflite", lambda path, mixture: keras_stems(one_bundle, mixture)
    )
    return one_bundle


def test_an_earlier_export_is_replaced_completely(quick, music, tmp_path):
    export_bundle(quick, tmp_path / "model", music)
    (tmp_path / "model" / "1" / "stale").write_text("of the earlier one")
    export_bundle(quick, tmp_path / "model", music)
    assert "1/stale" not in files_in(tmp_path / "model")
    assert os.listdir(tmp_path) == ["model"]


@pytest.mark.parametrize("kind", sorted(LIMITS))
def test_nothing_is_written_when_a_file_differs(quick, music, tmp_path, monkeypatch, kind):
    export_bundle(quick, tmp_path / "earlier", music)
    before = {path: file.read_bytes() for path, file in files_in(tmp_path / "earlier").items()}
    off = 2 * LIMITS[kind] * np.abs(music).max()

    def different(path, mixture):
        stems = keras_stems(quick, mixture)
        damaged = kind == "saved_model" or (".fp16" in path.name) == (kind == "tflite_fp16")
        return {**stems, "piano": stems["piano"] + off} if damaged else stems

    if kind == "saved_model":
        monkeypatch.setattr(
            parity, "served_stems", lambda path, mixture, rate: {"wav": different(path, mixture)}
        )
    else:
        monkeypatch.setattr(parity, "run_tflite", different)
    for name in ("new", "earlier"):
        with pytest.raises(ExportError, match=f"the {kind} differs"):
            export_bundle(quick, tmp_path / name, music)
    assert os.listdir(tmp_path) == ["earlier"]
    assert {
        path: file.read_bytes() for path, file in files_in(tmp_path / "earlier").items()
    } == before


def test_a_failed_replacement_restores_the_earlier_export(quick, music, tmp_path, monkeypatch):
    export_bundle(quick, tmp_path / "model", music)
    replaced = os.replace

    def fails(source, target):
        if source.name == "made":
            raise OSError(28, "No space left on device")
        replaced(source, target)

    monkeypatch.setattr(exporter.os, "replace", fails)
    with pytest.raises(ExportError, match="No space left"):
        export_bundle(quick, tmp_path / "model", music)
    assert os.listdir(tmp_path) == ["model"]
    assert (tmp_path / "model" / "manifest.json").is_file()


@pytest.mark.parametrize(
    "content", [{"notes.txt": "mine"}, {"manifest.json": "{}"}, {"manifest.json": "no"}]
)
def test_a_folder_without_an_export_is_left_as_it_is(quick, music, tmp_path, content):
    for name, text in content.items():
        (tmp_path / "model").mkdir(exist_ok=True)
        (tmp_path / "model" / name).write_text(text)
    with pytest.raises(ExportError, match="not an exported model"):
        export_bundle(quick, tmp_path / "model", music)
    assert {
        path: file.read_text() for path, file in files_in(tmp_path / "model").items()
    } == content


def test_an_export_with_further_files_is_left_as_it_is(quick, music, tmp_path):
    export_bundle(quick, tmp_path / "model", music)
    (tmp_path / "model" / "2").mkdir()
    with pytest.raises(ExportError, match="holds more than an exported model \\(2\\)"):
        export_bundle(quick, tmp_path / "model", music)


def test_an_output_that_is_a_file_or_cannot_be_written_is_refused(quick, music, tmp_path):
    (tmp_path / "model").write_text("a file")
    with pytest.raises(ExportError, match="is a file"):
        export_bundle(quick, tmp_path / "model", music)
    with pytest.raises(ExportError, match="cannot write"):
        export_bundle(quick, tmp_path / "model" / "below", music)
    assert (tmp_path / "model").read_text() == "a file"


@pytest.mark.parametrize("name", ["with space", "-dash", ".hidden", "a:b"])
def test_names_that_no_server_accepts_are_refused(quick, music, tmp_path, name):
    with pytest.raises(ExportError, match="model's name"):
        export_bundle(quick, tmp_path / name, music)


@pytest.mark.parametrize(
    ("audio", "message"),
    [
        (np.zeros((8000, 1), np.float32), "silent"),
        (np.full((8000, 1), np.nan), "silent or not finite"),
        (np.ones((8000, 1), np.int16), "wanted float"),
        (np.ones((1, 8000, 1)), "wanted float"),
        (np.ones((8000 * 31, 1)), "at most 30 s"),
    ],
)
def test_unusable_parity_audio_is_refused(quick, tmp_path, audio, message):
    with pytest.raises(ExportError, match=message):
        export_bundle(quick, tmp_path / "model", audio)
    assert os.listdir(tmp_path) == []
