"""Runs a command in this process and returns what it prints."""

from dataclasses import dataclass

import pytest


@dataclass(frozen=True)
class Result:
    """Exit code and output of a command."""

    code: int
    out: str
    err: str

    @property
    def error(self) -> str:
        """The error on stderr; a traceback fails the test."""
        assert "Traceback" not in self.err + self.out, self.err
        return self.err.strip()


@pytest.fixture
def run(capsys):
    """Call a command as its console script does; the code of a SystemExit counts too."""

    def call(name, *arguments) -> Result:
        from importlib import import_module

        main = import_module(f"tfsepgan.cli.{name}").main
        capsys.readouterr()
        try:
            code = main([str(argument) for argument in arguments])
        except SystemExit as end:
            code = end.code
        result = capsys.readouterr()
        return Result(code, result.out, result.err)

    return call
