"""Commands name folders that cannot be read, and whatever else a search leaves out."""

import json
import shutil

import numpy as np
import pytest
import soundfile


@pytest.mark.parametrize("command", ["train", "evaluate", "check"])
def test_the_commands_name_it(command, tones, tmp_path, close, run):
    folder = shutil.copytree(tones, tmp_path / "data")
    closed = folder / "test" / "flute"
    lines = {
        "train": ("train", "--preset", "tiny", "--data", folder, "--run", tmp_path / "run"),
        "evaluate": ("evaluate", "--data", folder, "--output", tmp_path / "scores"),
        "check": ("data", "check", folder),
    }
    with close(closed):
        result = run(*lines[command])
    assert result.code == 1
    assert f"{closed} cannot be read (Permission denied)" in result.err + result.out
    assert not (tmp_path / "run" / "state.npz").exists()


def test_separate_names_it_and_separates_the_rest(tmp_path, close, run):
    music = tmp_path / "music"
    for name in ("a.wav", "closed/b.wav", "cd/c.wav"):
        (music / name).parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(music / name, np.random.default_rng(0).uniform(-0.3, 0.3, 900), 8000)
    (music / "cover.jpg").touch()
    (music / "take.amr").touch()
    (music / "again.wav").symlink_to("a.wav")
    (music / "linked").symlink_to(music / "cd")
    reason = f"{music / 'closed'} cannot be read (Permission denied)"
    with close(music / "closed"):
        result = run("separate", music, tmp_path / "gone.wav", "-o", music / "out", "--json")
    lines = [json.loads(line) for line in result.out.splitlines()]
    assert [line["status"] for line in lines] == ["done", "done", "failed", "failed"]
    assert lines[2]["reason"].startswith(reason) and "gone.wav does not exist" in lines[3]["reason"]
    assert result.code == 1 and f"failed {reason}" in result.err
    assert "2 of 4 recordings could not be separated" in result.err
    assert f"not that of a recording: {music / 'cover.jpg'}, {music / 'take.amr'}" in result.err
    assert "the same file has another name too" in result.err
    assert (
        f"stems are written there: {music / 'out'}"
        in run("separate", music, "-o", music / "out").err
    )


def test_with_nothing_else_to_separate_the_reasons_are_all_there_is(tmp_path, close, run):
    (tmp_path / "closed").mkdir()
    with close(tmp_path / "closed"):
        one = run("separate", tmp_path / "closed", "-o", tmp_path / "out")
        two = run("separate", tmp_path / "closed", tmp_path / "gone", "-o", tmp_path / "out")
    assert one.code == two.code == 1
    assert one.error.startswith(f"DataError: {tmp_path / 'closed'} cannot be read")
    assert "2 of 2 recordings could not be separated" in two.error
    assert not (tmp_path / "out").exists()
