"""Running a command inside this process and reading what it said."""

from dataclasses import dataclass

import pytest


@dataclass(frozen=True)
class Said:
    """How a command ended and what it printed."""

    code: int
    out: str
    err: str

    @property
    def error(self) -> str:
        """The error on stderr, which must be one and no traceback."""
        assert "Traceback" not in self.err + self.out, self.err
        return self.err.strip()


@pytest.fixture
def run(capsys):
    """Call a command as its console script does; wrong use ends in SystemExit, whose code counts
    too."""

    def call(name, *arguments) -> Said:
        from importlib import import_module

        main = import_module(f"tfsepgan.cli.{name}").main
        capsys.readouterr()
        try:
            code = main([str(argument) for argument in arguments])
        except SystemExit as end:
            code = end.code
        said = capsys.readouterr()
        return Said(code, said.out, said.err)

    return call
