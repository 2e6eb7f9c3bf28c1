"""`tfsepgan-web` writes the page and says how to serve it; errors are one line."""

import shutil

from tfsepgan.models.folders import MANIFEST, find_bundle


def test_the_command_says_how_to_serve_the_page(run, tmp_path):
    result = run("web", tmp_path / "page", "--model", find_bundle("piano"))
    assert result.code == 0, result.err
    assert (tmp_path / "page" / "index.html").is_file()
    assert f"python -m http.server -b 127.0.0.1 -d {tmp_path / 'page'}" in result.out


def test_errors_are_one_line_and_nothing_is_written(run, tmp_path):
    page = tmp_path / "page"
    unknown = run("web", page, "--model", "organ")
    assert unknown.code == 1 and "No model 'organ'" in unknown.error
    bare = tmp_path / "bare"
    bare.mkdir()
    shutil.copy(find_bundle("piano") / MANIFEST, bare)
    without = run("web", page, "--model", bare)
    assert without.code == 1 and "no file that a browser can run" in without.error
    assert not page.exists()
    page.mkdir()
    (page / "mine").touch()
    assert "not an empty folder" in run("web", page).error
    assert [path.name for path in page.iterdir()] == ["mine"]
