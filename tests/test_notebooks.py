"""The notebooks of docs/ run from top to bottom with small settings, and hold no outputs in git."""

import json
from pathlib import Path

import pytest

NOTEBOOKS = Path(__file__).parents[1] / "docs" / "notebooks"
SECONDS = 600  # for one cell, on a busy machine
SMALL = {
    "separate_and_look": "seconds = 4.0",
    "train_your_own": "steps, steps_per_epoch, validation_seconds = 2, 1, 0.5\n"
    "import tensorflow as tf\n"
    "tf.config.run_functions_eagerly(True)",  # two steps take less time than tracing them
}
CHANGES = {'"preset": "demo"': '"preset": "tiny"'}  # a small network, else the cells as they are


def read(name: str) -> dict:
    return json.loads((NOTEBOOKS / f"{name}.ipynb").read_text(encoding="utf-8"))


def test_every_notebook_is_run():
    assert {path.stem for path in NOTEBOOKS.glob("*.ipynb")} == set(SMALL)


@pytest.mark.parametrize("name", SMALL)
def test_a_notebook_has_parameters_and_no_outputs(name):
    code = [cell for cell in read(name)["cells"] if cell["cell_type"] == "code"]
    assert [cell["metadata"].get("tags") for cell in code].count(["parameters"]) == 1
    assert all(not cell["outputs"] and cell["execution_count"] is None for cell in code)


@pytest.mark.parametrize("name", SMALL)
def test_a_notebook_plays_and_draws_with_small_settings(name, tmp_path):
    nbclient = pytest.importorskip("nbclient", reason="no nbclient")
    nbformat = pytest.importorskip("nbformat", reason="no nbformat")
    pytest.importorskip("ipykernel", reason="no ipykernel")
    book = nbformat.reads(json.dumps(read(name)), as_version=4)
    for old, new in CHANGES.items():
        for cell in book.cells:
            cell.source = cell.source.replace(old, new)
    tags = [cell.metadata.get("tags", []) for cell in book.cells]
    book.cells.insert(tags.index(["parameters"]) + 1, nbformat.v4.new_code_cell(SMALL[name]))
    resources = {"metadata": {"path": str(tmp_path)}}
    nbclient.NotebookClient(book, timeout=SECONDS, resources=resources).execute()
    outputs = [one for cell in book.cells for one in cell.get("outputs", [])]
    shown = [one.get("data", {}) for one in outputs]
    assert sum("<audio" in one.get("text/html", "") for one in shown) == 3
    assert sum("image/png" in one for one in shown) == 1
    assert not [one for one in outputs if one["output_type"] == "error"]
