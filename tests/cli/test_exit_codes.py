"""Every command: one line for an error, an exit code for scripts, no log of TensorFlow."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

import tfsepgan
from tfsepgan.cli.command import FAILED, INTERRUPTED, OK, USAGE, Stopped, command
from tfsepgan.cli.command_list import COMMANDS
from tfsepgan.errors import (
    CheckpointError,
    ConfigError,
    DataError,
    ExportError,
    ShapeError,
    TfsepganError,
)
from tfsepgan.quiet import quiet_tensorflow


def that_raises(error):
    @command
    def main(arguments, console):
        console.print("working")
        if error is not None:
            raise error

    return main


@pytest.mark.parametrize(
    ("error", "code", "line"),
    [
        (None, OK, ""),
        (ConfigError("no such key."), USAGE, "ConfigError: no such key."),
        (DataError("no [data]."), FAILED, "DataError: no [data]."),
        (ShapeError("no shape."), FAILED, "ShapeError: no shape."),
        (ExportError("no export."), FAILED, "ExportError: no export."),
        (CheckpointError("no run."), FAILED, "CheckpointError: no run."),
        (TfsepganError("no luck."), FAILED, "TfsepganError: no luck."),
        (KeyboardInterrupt(), INTERRUPTED, "Interrupted."),
        (Stopped("Interrupted at step 3."), INTERRUPTED, "Interrupted at step 3."),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, BaseException) else None,
)
def test_an_error_is_one_line_and_a_code(error, code, line, capsys):
    assert that_raises(error)([]) == code
    result = capsys.readouterr()
    assert result.err.strip() == line
    assert result.out.strip() == "working"


def test_the_codes_are_those_of_the_shell():
    assert (OK, FAILED, USAGE, INTERRUPTED) == (0, 1, 2, 130)


def test_a_long_error_is_not_broken_into_lines(capsys):
    path = "/very" * 60
    that_raises(DataError(f"{path} is missing."))([])
    assert capsys.readouterr().err.splitlines() == [f"DataError: {path} is missing."]


def test_an_unexpected_error_is_not_hidden():
    with pytest.raises(ZeroDivisionError):
        that_raises(ZeroDivisionError())([])


def test_stderr_is_back_after_tensorflow_is_loaded(capfd):
    quiet_tensorflow()
    os.write(2, b"still here")
    assert "still here" in capfd.readouterr().err


def test_a_reader_that_goes_away_ends_the_command_without_a_traceback():
    environment = {**os.environ, "PYTHONPATH": str(Path(tfsepgan.__file__).parents[1])}
    line = [sys.executable, "-m", "tfsepgan.cli.data", "check", "demo"]
    process = subprocess.Popen(
        line, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment
    )
    process.stdout.close()
    error = process.stderr.read().decode()
    assert process.wait(60) == FAILED
    assert "Traceback" not in error


@pytest.mark.parametrize("name", COMMANDS)
def test_help_and_wrong_flags(name, run):
    result = run(name, "--help")
    assert result.code == 0
    assert f"usage: tfsepgan-{name}" in result.out
    result = run(name, "--nonsense")
    assert result.code == 2
    assert "--nonsense" in result.error
