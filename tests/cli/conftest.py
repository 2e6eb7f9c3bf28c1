"""Runs a command in this process and returns what it prints; a folder of recordings."""

from dataclasses import dataclass

import numpy as np
import pytest
import soundfile
from doubles.sound_devices import sound_devices  # noqa: F401


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


@pytest.fixture
def recordings(tmp_path):
    """A folder with a stereo recording at 44.1 kHz, one below it, a file that is not audio, and one
    with a NaN."""
    folder = tmp_path / "recordings"
    (folder / "album").mkdir(parents=True)
    random = np.random.default_rng(0)
    soundfile.write(
        folder / "song.wav", random.uniform(-0.5, 0.5, (22051, 2)), 44100, subtype="FLOAT"
    )
    soundfile.write(folder / "album" / "track.flac", random.uniform(-0.5, 0.5, 8000), 8000)
    return folder
