"""A run that generates sounds, from training to WAV files, and errors of wrong use."""

import json

import numpy as np
import pytest
import soundfile

from tfsepgan.cli.sounds import sound_names, write_sounds
from tfsepgan.errors import DataError
from tfsepgan.export import synthesis
from tfsepgan.models.folders import read_manifest


@pytest.fixture(scope="module")
def trained_wavegan(tones, tmp_path_factory):
    """A run of `tfsepgan-train --system wavegan`: its folder, arguments and output."""
    import contextlib
    import io

    from eager_for_tests import eagerly

    from tfsepgan.cli.train import main

    directory = tmp_path_factory.mktemp("wavegan") / "run"
    arguments = [
        "--system",
        "wavegan",
        "--preset",
        "tiny",
        "--data",
        str(tones),
        "--run",
        str(directory),
    ]
    arguments += ["--window", "4096", "--steps", "4", "--steps-per-epoch", "2", "--no-tensorboard"]
    printed = io.StringIO()
    to_text = contextlib.redirect_stdout(printed), contextlib.redirect_stderr(printed)
    with eagerly(), to_text[0], to_text[1]:
        code = main(arguments)
    assert code == 0, printed.getvalue()
    return directory, arguments, printed.getvalue()


def test_training_leaves_sounds_a_table_of_distances_and_an_export(trained_wavegan):
    directory, _, printed = trained_wavegan
    written = sorted((directory / "sounds").iterdir())
    assert [path.name for path in written] == [f"seed30000-{k:03d}.wav" for k in range(16)]
    audio, rate = soundfile.read(written[0], dtype="float32")
    assert (audio.shape, rate) == ((4096,), 16000)
    assert "The sounds are " in printed and "flute" in printed and "piano" in printed
    assert "minus the distance to the spectra of the valid split" in printed
    manifest = read_manifest(directory / "exported" / "tiny")
    assert {
        "test/spectral_distance_db/piano",
        "test/spectral_distance_db/flute",
    } <= manifest.trained["scores"].keys()
    assert (directory / "exported" / "tiny" / "tiny.tflite").is_file()
    history = json.loads((directory / "history.json").read_text())
    assert [row["step"] for row in history] == [2, 4]
    assert all(row["val/spectral_distance_db"] > 0 for row in history)


def test_generating_writes_every_sound_and_a_seed_makes_the_same(trained_wavegan, tmp_path, run):
    directory, _, _ = trained_wavegan
    for output, seed in (("one", 3), ("again", 3), ("other", 4)):
        result = run(
            "generate",
            "--model",
            directory,
            "--count",
            5,
            "--seed",
            seed,
            "--output",
            tmp_path / output,
        )
        assert result.code == 0, result.err
    assert (
        "5 sounds of piano, 0.26 s each, 16000 Hz, seed 4: seed4-000.wav to seed4-004.wav"
        in result.out
    )
    names = [f"seed3-{k:03d}.wav" for k in range(5)]
    assert sorted(path.name for path in (tmp_path / "one").iterdir()) == names
    for name in names:
        one, again = (
            soundfile.read(tmp_path / folder / name, dtype="float32")[0]
            for folder in ("one", "again")
        )
        assert np.array_equal(one, again)
    other, rate = soundfile.read(tmp_path / "other" / "seed4-000.wav", dtype="float32")
    assert rate == 16000 and other.shape == (4096,)
    assert not np.array_equal(
        other, soundfile.read(tmp_path / "one" / names[0], dtype="float32")[0]
    )


def test_the_exported_model_generates_too(trained_wavegan, tmp_path, run):
    directory, _, _ = trained_wavegan
    result = run(
        "generate",
        "--model",
        directory / "exported" / "tiny",
        "--count",
        1,
        "--output",
        tmp_path,
        "--subtype",
        "PCM_16",
    )
    assert result.code == 0, result.err
    assert soundfile.info(tmp_path / "seed0-000.wav").subtype == "PCM_16"


def test_export_takes_a_model_that_generates_sounds(trained_wavegan, tmp_path, run, monkeypatch):
    """Training makes an export with the same function; here none is made."""
    exports = []

    def export(model, manifest, output, **options):
        exports.append((model.kind, manifest.kind, output))
        return {"tflite": 1e-7}

    monkeypatch.setattr(synthesis, "export_synthesis", export)
    directory, _, _ = trained_wavegan
    result = run("export", "--run", directory, "--output", tmp_path / "bells")
    assert result.code == 0, result.err
    assert exports == [("synthesis", "synthesis", tmp_path / "bells")]
    assert f"Exported to {tmp_path / 'bells'}" in result.out


def test_existing_sounds_are_not_replaced(trained_wavegan, tmp_path, run):
    directory, _, _ = trained_wavegan
    (tmp_path / "seed0-001.wav").write_text("mine")
    result = run("generate", "--model", directory, "--count", 2, "--output", tmp_path)
    assert result.code == 1
    assert result.error.startswith(f"DataError: {tmp_path / 'seed0-001.wav'} already exists")
    assert [path.name for path in tmp_path.iterdir()] == ["seed0-001.wav"]


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("--count", "0"), 2, "count is 0 and seed 0; count must be at least 1"),
        (("--seed", "-1"), 2, "seed -1"),
        (("--model", "nowhere"), 1, "No model 'nowhere'"),
        (("--subtype", "MP3"), 2, "FLOAT"),
    ],
)
def test_generate_says_what_is_wrong(arguments, code, words, trained_wavegan, tmp_path, run):
    given = {"--model": trained_wavegan[0], "--output": tmp_path / "out", **dict([arguments])}
    result = run("generate", *(part for pair in given.items() for part in pair))
    assert result.code == code
    assert words in " ".join((result.err + result.out).split())
    assert not (tmp_path / "out").exists()


def test_a_model_that_separates_is_sent_to_the_other_command(trained_run, tmp_path, run):
    result = run("generate", "--model", trained_run.directory, "--output", tmp_path / "out")
    assert result.code == 1
    assert (
        "is a ssepgan model, which separates recordings" in result.error
        and "tfsepgan-separate" in result.error
    )
    assert not (tmp_path / "out").exists()


def test_a_model_that_generates_sounds_is_sent_to_the_other_command(trained_wavegan, tmp_path, run):
    soundfile.write(tmp_path / "song.wav", np.zeros(1000), 16000)
    result = run(
        "separate",
        tmp_path / "song.wav",
        "--model",
        trained_wavegan[0],
        "--output",
        tmp_path / "out",
    )
    assert result.code == 1
    assert "use tfsepgan-generate" in result.error


def test_sounds_are_all_written_or_none(tmp_path):
    loud = np.full((10, 1), 1.5, np.float32)
    names = sound_names(3, 0)
    assert names == ["seed0-000.wav", "seed0-001.wav", "seed0-002.wav"]
    sounds = [loud * 0.1, loud * 0.2, loud]
    with pytest.raises(
        DataError,
        match="seed0-002.wav has a peak of 1.50, above full scale, and PCM_16 would clip it",
    ):
        write_sounds(tmp_path / "new", names, sounds, 8000, subtype="PCM_16")
    assert not (tmp_path / "new").exists()
    write_sounds(tmp_path / "new", names, sounds, 8000)
    audio, rate = soundfile.read(tmp_path / "new" / names[2], dtype="float32")
    assert rate == 8000
    np.testing.assert_array_equal(audio, loud[:, 0])


def test_a_failed_write_leaves_nothing(tmp_path, monkeypatch):
    import os

    replace, calls = os.replace, []

    def full(source, target):
        calls.append(target)
        if len(calls) == 2:
            raise OSError(28, "No space left on device")
        replace(source, target)

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(DataError, match="No space left on device.*nothing was written"):
        write_sounds(tmp_path / "new", sound_names(3, 0), [np.zeros((4, 1), np.float32)] * 3, 8000)
    assert not (tmp_path / "new").exists()
