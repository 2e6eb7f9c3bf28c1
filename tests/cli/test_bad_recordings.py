"""One bad recording among good ones: one line names it, and earlier results stay as they were."""

import shutil

import numpy as np
import pytest
import soundfile

TINY = (
    "--preset",
    "tiny",
    "--window",
    "2048",
    "--batch",
    "2",
    "--validation-mixtures",
    "0",
    "--adversarial-weight",
    "0",
    "--identity-weight",
    "0",
    "--no-tensorboard",
    "--no-finish",
)


def spoil(path, kind):
    """Write a recording that cannot be used."""
    good = 0.1 * np.sin(np.arange(48000) / 7).astype(np.float32)
    if kind == "not_finite":
        soundfile.write(
            path, np.where(np.arange(48000) == 999, np.nan, good), 16000, subtype="FLOAT"
        )
    elif kind == "empty_file":
        path.write_bytes(b"")
    elif kind == "no_samples":
        soundfile.write(path, good[:0], 16000)
    else:
        soundfile.write(path, good, 16000)
        whole = path.read_bytes()
        if kind == "truncated":
            path.write_bytes(whole[: len(whole) // 2])
        elif kind == "corrupt":
            path.write_bytes(b"\xff" * 64 + whole[64:])


KINDS = ["not_finite", "empty_file", "no_samples", "truncated", "corrupt"]


@pytest.fixture
def folder(tones, tmp_path):
    return shutil.copytree(tones, tmp_path / "data")


def test_training_names_each_and_leaves_no_half_made_run(folder, tmp_path, run):
    """With all kinds in turn, the run that follows them trains."""
    bad = folder / "train" / "piano" / "take13.wav"
    command = ("train", *TINY, "--data", folder, "--run", tmp_path / "run")
    command += ("--cache", tmp_path / "cache", "--steps", "1")
    for kind in KINDS:
        spoil(bad, kind)
        result = run(*command)
        assert result.code == 1, kind
        assert result.error.startswith("DataError: "), kind
        assert "take13.wav" in result.error, kind
        assert not (tmp_path / "run" / "state.npz").exists(), kind
    bad.unlink()
    again = run(*command)
    assert again.code == 0, again.err
    assert (tmp_path / "run" / "state.npz").exists()


@pytest.mark.parametrize("kind", ["not_finite", "truncated"])
def test_scoring_names_it_and_keeps_an_earlier_report(kind, folder, tmp_path, run, trained_run):
    output = tmp_path / "scores"
    output.mkdir()
    (output / "report.json").write_text("{}")
    spoil(folder / "test" / "piano" / "take13.wav", kind)
    for other in (folder / "test" / "piano").glob("piano*.wav"):
        other.unlink()  # so that it is sure to be drawn
    result = run(
        "evaluate",
        "--model",
        trained_run.model,
        "--data",
        folder,
        "--output",
        output,
        "--mixtures",
        "2",
        "--no-bss",
    )
    assert result.code == 1
    assert "take13.wav" in result.error
    assert (output / "report.json").read_text() == "{}"
