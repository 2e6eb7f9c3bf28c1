"""`tfsepgan-separate`: names of stems, pipes, more words; with the model that ships."""

import io
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile

import tfsepgan

RATE = 44100


@pytest.fixture
def song(tmp_path) -> Path:
    path = tmp_path / "in" / "song.wav"
    path.parent.mkdir()
    random = np.random.default_rng(0)
    soundfile.write(path, random.uniform(-0.3, 0.3, (RATE // 2, 2)), RATE, subtype="FLOAT")
    return path


@pytest.fixture
def pipe_in(monkeypatch):
    """Gives bytes to the standard input of this process."""

    def give(content: bytes) -> None:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(content)))

    return give


def files_in(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def test_a_template_names_the_stems(song, tmp_path, run):
    out = tmp_path / "out"
    result = run("separate", song, "-o", out, "--name", "{source}/{track}.{ext}")
    assert result.code == 0, result.err
    assert files_in(out) == {"piano/song.wav", "residual/song.wav"}
    assert result.out.startswith(f"{out}: piano/song.wav, residual/song.wav; 0.5 s, 44100 Hz")
    again = run("separate", song, "-o", out, "--name", "{source}/{track}.{ext}", "--skip-existing")
    assert again.code == 0 and "is skipped" in again.err


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        (("--name", "{tarck}/{source}.{ext}"), "unknown field {tarck}; did you mean 'track'?"),
        (("--name", "{track}.{ext}"), "without {source}: piano, residual would share a file"),
        (("--name", "../{source}.{ext}"), "a path below the output folder"),
        (("--residual-only", "--sources", "piano"), "--residual-only is --sources residual"),
        (("-q", "-v"), "--quiet and --verbose exclude each other"),
        (("-",), "- is a single recording"),
    ],
)
def test_flags_that_cannot_work_are_refused_before_any_work(flags, words, song, tmp_path, run):
    result = run("separate", song, *flags, "-o", tmp_path / "out")
    assert result.code == 2
    assert words in result.error
    assert not (tmp_path / "out").exists()


def test_two_recordings_that_would_share_a_file_are_refused(song, tmp_path, run):
    other = song.with_name("other.wav")
    other.write_bytes(song.read_bytes())
    result = run("separate", song, other, "-o", tmp_path / "out", "--name", "{source}.{ext}")
    assert result.code == 2
    assert "song.wav" in result.error and "other.wav would both write" in result.error
    assert not (tmp_path / "out").exists()


def test_the_residual_alone(song, tmp_path, run):
    result = run("separate", song, "-o", tmp_path / "out", "--residual-only")
    assert result.code == 0, result.err
    assert files_in(tmp_path / "out") == {"song/residual.wav"}


def test_more_words_are_on_stderr(song, tmp_path, run):
    result = run("separate", song, "-o", tmp_path / "out", "-v", "--json")
    assert result.code == 0
    assert "piano at 44100 Hz, in numpy, blocks of 9.8 s" in result.err
    assert f"{song}: " in result.err and "s for 0.50 s of sound" in result.err
    assert json.loads(result.out)["status"] == "done"
    assert "litert" not in run("separate", song, "-o", tmp_path / "out").err


@pytest.mark.parametrize("kind", ["wav", "mp3"])
def test_a_recording_from_the_standard_input(kind, song, tmp_path, run, pipe_in):
    path = song.with_suffix(f".{kind}")
    if kind != "wav":
        soundfile.write(path, soundfile.read(song)[0], RATE)
    pipe_in(path.read_bytes())
    result = run("separate", "-", "-o", tmp_path / "out", "--json")
    assert result.code == 0, result.err
    assert json.loads(result.out)["input"] == "-"
    assert files_in(tmp_path / "out") == {"stdin/piano.wav", "stdin/residual.wav"}


@pytest.mark.parametrize(
    ("content", "words"),
    [(b"", "The standard input is empty"), (b"no sound", "stdin is not audio")],
)
def test_an_input_that_is_no_recording_is_one_error(content, words, tmp_path, run, pipe_in):
    pipe_in(content)
    result = run("separate", "-", "-o", tmp_path / "out")
    assert result.code == 1
    assert words in result.error
    assert not (tmp_path / "out").exists()


def test_one_stem_goes_to_the_standard_output(song, tmp_path, run):
    assert run("separate", song, "-o", tmp_path / "out").code == 0
    line = [sys.executable, "-m", "tfsepgan.cli.separate", "-", "-o", "-", "--sources", "residual"]
    environment = {**os.environ, "PYTHONPATH": str(Path(tfsepgan.__file__).parents[1])}
    with song.open("rb") as file:
        done = subprocess.run(line, stdin=file, capture_output=True, env=environment, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stderr == b""
    written, rate = soundfile.read(io.BytesIO(done.stdout))
    assert rate == RATE
    np.testing.assert_array_equal(
        written, soundfile.read(tmp_path / "out" / "song" / "residual.wav")[0]
    )


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        (("--sources", "piano", "residual"), "-o - writes one stem, not piano, residual"),
        (("--json",), "leave out --json and --name"),
        (("--name", "{source}.{ext}"), "leave out --json and --name"),
    ],
)
def test_the_standard_output_takes_nothing_but_one_stem(flags, words, song, run):
    result = run("separate", song, "-o", "-", *flags)
    assert result.code == 2
    assert words in result.error
    assert result.out == ""


def test_the_standard_output_takes_one_recording(song, run):
    song.with_name("other.wav").write_bytes(song.read_bytes())
    result = run("separate", song.parent, "-o", "-")
    assert result.code == 2
    assert "takes one recording; there are 2" in result.error
