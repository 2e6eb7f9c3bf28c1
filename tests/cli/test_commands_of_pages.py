"""Every command line of the README and the quickstart runs, in order, with small recordings.

`CHANGES` is all that differs from the pages; `ELSEWHERE` is all that is not run here, and why.
"""

import os
import re
import shlex
import shutil
import stat
import subprocess
from pathlib import Path

import numpy as np
import pytest
import soundfile

import tfsepgan
from tfsepgan.cli.command_list import COMMANDS
from tfsepgan.models.folders import read_manifest
from tfsepgan.systems import SYSTEMS

ROOT = Path(__file__).parents[2]
PAGES = ("README.md", "docs/quickstart.md")
CHANGES = {"--preset piano": "--preset tiny", "--steps 1000": "--steps 2"}
SHORT = ("--validation-mixtures", "1", "--validation-seconds", "0.5")
STEPS = ("--steps", "2", "--steps-per-epoch", "1")
TESTS = ("--test-mixtures", "1", "--test-seconds", "1")
SMALL = ("--generator.channels", "8", "--generator.blocks", "1", "--window", "2048", "--batch", "2")
LIGHT = (*SMALL, "--discriminator.window", "2048", "--discriminator.channels", "4")
LIGHT += ("--adversarial-weight", "0", "--identity-weight", "0")
ADDED = {
    "train --preset demo": (*STEPS, *LIGHT, *SHORT, *TESTS),
    # the next lines evaluate and export that run
    "train": (*STEPS, *LIGHT, *SHORT, "--no-finish"),
    "tune": ("--trials", "2", "--steps-per-epoch", "1", *LIGHT, *SHORT),
    "evaluate": ("--mixtures", "1", "--seconds", "1", "--workers", "0"),
}
ELSEWHERE = {
    "pip install": ".ci/run installs the package with these words",
    "pytest": ".ci/run; this is a part of it",
    "python -m venv": "a new environment",
    "source .venv": "a new environment",
    "docker compose up": "tests/test_packaging.py reads the file; it needs Docker",
    "tensorboard": "a program of others",
    "python -m http.server": "it serves until it is stopped; tests/web serves the page",
    "tfsepgan-separate --server": "tests/serving, with a server",
}


def blocks(page: str, language: str) -> list[str]:
    text = (ROOT / page).read_text(encoding="utf-8")
    return re.findall(rf"^```{language}\n(.*?)^```", text, re.MULTILINE | re.DOTALL)


def lines(page: str) -> list[str]:
    """The single commands of the blocks that are no scripts."""
    every = [
        line
        for block in blocks(page, "bash")
        if "for name" not in block
        for line in block.splitlines()
    ]
    parts = [part.strip() for line in every for part in line.partition("#")[0].split("&&")]
    return [part for part in parts if part]


def inline(page: str) -> list[str]:
    """The commands with arguments, or subcommands, in running text."""
    text = re.sub(r"^```.*?^```", "", (ROOT / page).read_text(encoding="utf-8"), flags=re.M | re.S)
    found = [" ".join(one.split()) for one in re.findall(r"`([^`]+)`", text)]
    starts = ("tfsepgan ", "tfsepgan-", "docker ", "pip ", "tensorboard ")
    return [one for one in found if one.startswith(starts) and " " in one]


def is_elsewhere(line: str) -> bool:
    return any(line.startswith(start) for start in ELSEWHERE)


def write(path: Path) -> None:
    samples = np.random.default_rng(0).uniform(-0.3, 0.3, (22050, 2))
    soundfile.write(path, samples, 44100)


@pytest.fixture
def place(tones, tmp_path):
    """A folder with what the pages name: recordings, and DIR."""
    folder = tmp_path
    (folder / "album").mkdir()
    for name in ("song.mp3", "your.mp3", "album/one.wav"):
        write(folder / name)
    shutil.copytree(tones, folder / "DIR")
    return folder


def run_line(line: str, run) -> str:
    """Run one command in this process; returns its output."""
    for old, new in CHANGES.items():
        line = line.replace(old, new)
    program, *arguments = shlex.split(line)
    if program == "tfsepgan" and arguments[0] in COMMANDS:
        program = f"tfsepgan-{arguments.pop(0)}"
    name = "main" if program == "tfsepgan" else program.removeprefix("tfsepgan-")
    command = " ".join((name, *arguments))
    added = next((flags for start, flags in ADDED.items() if command.startswith(start)), ())
    result = run(name, *arguments, *(() if "--help" in line else added))
    assert result.code == 0, f"{line}\n{result.err}"
    return result.out + result.err


def test_the_commands_run_in_their_order(place, run, step_by_step, monkeypatch):
    monkeypatch.chdir(place)
    first, second = (lines(page) for page in PAGES)
    # `test_train_command` runs the same command again
    done = [run_line(line, run) for line in dict.fromkeys(first + second) if not is_elsewhere(line)]
    assert len(done) == 10
    for name in ("page/index.html", "separated/song/piano.wav", "separated/one/residual.flac"):
        assert (place / name).is_file()
    assert (place / "runs/ssepgan-demo/exported/demo/demo.tflite").is_file()
    mine = place / "exported_models" / "mine"
    assert (mine / "mine.tflite").is_file()
    assert (read_manifest(mine).name, tfsepgan.load(mine).sources) == ("mine", ("piano",))
    (said,) = [one for one in done if f"Exported to {mine.relative_to(place)}" in one]
    assert "saved_model: largest difference to Keras" in said and "tflite_fp16" in said
    for line in dict.fromkeys([*inline(PAGES[0]), *inline(PAGES[1])]):
        if not is_elsewhere(line):
            run_inline(line, run)
    assert (place / "separated/your/piano.wav").is_file()


def run_inline(line: str, run) -> None:
    """Run a command of running text; one without arguments must know its help."""
    is_whole = re.search(r"\.mp3|models$|--version|--help", line)
    for system in SYSTEMS if "--system NAME" in line else [""]:
        one = line.replace("--system NAME", f"--system {system}")
        run_line(one if is_whole else f"{one} --help", run)


def test_the_python_of_the_readme_runs(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write(Path("song.flac"))
    (code,) = blocks("README.md", "python")
    names: dict = {}
    exec(code, names)
    assert set(names["stems"]) == {"piano", "residual"}
    assert names["stems"]["piano"].shape == names["audio"].shape


@pytest.mark.skipif(shutil.which("bash") is None, reason="bash is not installed")
def test_the_scripts_of_the_quickstart_run(tmp_path, run):
    """Programs note how they are called; then this process calls the commands in the same way."""
    (script,) = [block for block in blocks("docs/quickstart.md", "bash") if "for name" in block]
    programs = tmp_path / "bin"
    programs.mkdir()
    for name in ("", *COMMANDS):
        program = programs / ("tfsepgan-" + name if name else "tfsepgan")
        program.write_text('#!/bin/sh\necho "$(basename "$0")" "$@" >> "$HOME/called"\n')
        program.chmod(program.stat().st_mode | stat.S_IXUSR)
    environment = {
        **os.environ,
        "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}",
        "HOME": str(tmp_path),
    }
    subprocess.run(["bash", "-ec", script], env=environment, check=True, capture_output=True)
    for line in (tmp_path / "called").read_text().splitlines():
        program, *arguments = line.split()
        name = "main" if program == "tfsepgan" else program.removeprefix("tfsepgan-")
        assert not run(name, *arguments).code
    written = tmp_path / ".local/share/bash-completion/completions"
    names = {path.name for path in written.iterdir()}
    assert names == {"tfsepgan", *(f"tfsepgan-{name}" for name in COMMANDS)}


def test_no_command_needs_the_address_of_the_repository():
    for page in (*PAGES, "docs/install.md"):
        for block in (*blocks(page, "bash"), *blocks(page, "sh")):
            assert "github.com" not in block and "git clone" not in block, page
