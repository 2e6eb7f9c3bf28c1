"""The folder that `tfsepgan-web` writes: complete and small, or not there at all."""

import base64
import gzip
import hashlib
import json
import re
import shutil
from pathlib import Path

import numpy as np
import pytest

from tfsepgan.errors import CheckpointError, ExportError
from tfsepgan.models.folders import MANIFEST, find_bundle
from tfsepgan.separation.numpy_masker import read_weights
from tfsepgan.web import site as writer

ROOT = Path(__file__).parents[2]
LIMIT_BYTES = 6e6


def files_of(folder: Path) -> dict[str, Path]:
    return {
        path.relative_to(folder).as_posix(): path for path in folder.rglob("*") if path.is_file()
    }


def test_the_page_with_the_model_is_small(site):
    files = files_of(site)
    assert {"index.html", "model.json", "service-worker.js"} <= files.keys()
    assert sum(path.stat().st_size for path in files.values()) < LIMIT_BYTES
    assert writer.SOURCES_DIGEST not in files and not any("litert" in name for name in files)


def test_the_weights_are_those_of_the_model_that_ships_to_half_a_step(site):
    facts = json.loads((site / "model.json").read_text())
    assert facts["sources"] == ["piano"] and facts["sample_rate_hz"] == 44100
    assert facts["delay_samples"] < facts["context"] and facts["licence"] == "Apache-2.0"
    content = gzip.decompress((site / facts["file"]).read_bytes())
    start = 8 + int.from_bytes(content[:8], "little")
    header = json.loads(content[8:start])

    def array(name, kind):
        first, last = header[name]["data_offsets"]
        values = np.frombuffer(content[start + first : start + last], kind)
        return values.reshape(header[name]["shape"])

    kernel, bias = read_weights(find_bundle("piano") / "model.keras")["dilated_conv1d_3"]
    scale = array("dilated_conv1d_3.scale", "<f4")
    steps = kernel / scale - array("dilated_conv1d_3.kernel", "i1")
    assert np.abs(steps).max() < 0.501 and np.abs(kernel / scale).max() > 126.9
    np.testing.assert_array_equal(array("dilated_conv1d_3.bias", "<f4"), bias)


def test_a_model_that_the_kernels_cannot_run_gets_litert_and_its_file_for_browsers(tmp_path):
    folder, site = tmp_path / "model", tmp_path / "site"
    folder.mkdir()
    for name in (MANIFEST, "piano.stream.dynamic.tflite"):  # no weights, as for any other network
        shutil.copy(find_bundle("piano") / name, folder)
    streaming = folder / "piano.stream.dynamic.tflite"
    assert writer.browser_file(folder) == streaming
    chosen = Path(shutil.copy(streaming, folder / "piano.web.tflite"))
    assert writer.write_site(folder, site) == chosen
    facts = json.loads((site / "model.json").read_text())
    assert facts["file"] == "piano.web.tflite.gzip" and "network" not in facts
    assert gzip.decompress((site / facts["file"]).read_bytes()) == chosen.read_bytes()
    assert any((site / "litert").iterdir())


def test_the_service_worker_lists_every_other_file_with_its_digest(site):
    text = (site / "service-worker.js").read_text()
    listed = json.loads(re.search(r"\{[^{}]*index\.html[^{}]*\}", text)[0])
    files = files_of(site)
    assert listed.keys() == files.keys() - {"service-worker.js"}
    for name, integrity in listed.items():
        digest = hashlib.sha256(files[name].read_bytes()).digest()
        assert integrity == f"sha256-{base64.b64encode(digest).decode()}", name


def test_nothing_is_loaded_from_other_hosts(site):
    for name, path in files_of(site).items():
        if path.suffix in (".html", ".css", ".webmanifest") or name == "service-worker.js":
            addresses = set(re.findall(r"(?:https?:)?//[\w.-]+\.\w+", path.read_text()))
            assert not addresses, name


def test_a_model_without_a_file_for_browsers_is_refused(tmp_path):
    unwanted = shutil.ignore_patterns("*.t*", "*.keras")
    shutil.copytree(find_bundle("piano"), tmp_path / "model", ignore=unwanted)
    assert (tmp_path / "model" / MANIFEST).is_file()
    with pytest.raises(CheckpointError, match="no file that a browser can run.*--variants web"):
        writer.write_site(tmp_path / "model", tmp_path / "site")
    assert not (tmp_path / "site").exists()


def test_a_file_that_does_not_stream_is_refused(tmp_path):
    folder = find_bundle("piano")
    (tmp_path / "model").mkdir()
    shutil.copy(folder / MANIFEST, tmp_path / "model")
    shutil.copy(folder / "piano.dynamic.tflite", tmp_path / "model" / "piano.web.tflite")
    with pytest.raises(CheckpointError, match="not a streaming model"):
        writer.write_site(tmp_path / "model", tmp_path / "site")


def test_a_folder_that_holds_anything_is_left_as_it_is(tmp_path):
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(CheckpointError, match="not an empty folder"):
        writer.write_site("piano", tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]


def test_a_full_disk_leaves_nothing_behind(tmp_path, monkeypatch):
    def refuse(*arguments, **options):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(writer, "_list_files", refuse)
    with pytest.raises(ExportError, match="No space left on device"):
        writer.write_site("piano", tmp_path / "site")
    assert list(tmp_path.iterdir()) == []


def test_a_folder_below_a_file_is_refused(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(ExportError, match="Could not write the page"):
        writer.write_site("piano", tmp_path / "file" / "site")


def test_the_page_is_built_from_the_sources_beside_it():
    """After a change in web/: `npm ci && npm run build` there, and commit the result."""
    recorded = (writer.PREBUILT / writer.SOURCES_DIGEST).read_text().splitlines()
    web = ROOT / "web"
    folders = ("kernels", "plugins", "public", "src")
    single = [path for path in web.iterdir() if path.is_file() and path.name != ".gitignore"]
    files = [*single, *(path for name in folders for path in (web / name).rglob("*"))]
    lines = [
        f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.relative_to(web).as_posix()}"
        for path in files
        if path.is_file()
    ]
    assert sorted(lines) == sorted(recorded)


def test_the_notices_name_the_versions_that_are_packed():
    package = json.loads((ROOT / "web" / "package.json").read_text())
    for name, folder in (("@litertjs/core", "litert"), ("libflacjs", "flac")):
        version = package["dependencies"][name]
        assert f"{name} {version}" in (writer.PREBUILT / folder / "NOTICE.txt").read_text()
    every = package["dependencies"] | package["devDependencies"]
    assert all(re.fullmatch(r"\d+\.\d+\.\d+", one) for one in every.values())
