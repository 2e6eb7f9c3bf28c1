"""`tfsepgan COMMAND` is `tfsepgan-COMMAND`; the version and the models that ship."""

import subprocess
import sys

import pytest

import tfsepgan
from tfsepgan.cli.command_list import COMMANDS
from tfsepgan.cli.main import main


def test_the_version_is_the_package_s(capsys):
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"tfsepgan {tfsepgan.__version__}\n"


@pytest.mark.parametrize("arguments", [[], ["--help"], ["-h"]])
def test_the_help_lists_every_command(arguments, capsys):
    assert main(arguments) == 0
    lines = capsys.readouterr().out.splitlines()
    assert {line.split()[0] for line in lines if line.strip()} >= {*COMMANDS, "models"}


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_is_the_one_of_its_own_name(name, capsys):
    with pytest.raises(SystemExit) as end:
        main([name, "--help"])
    assert end.value.code == 0
    assert f"usage: tfsepgan-{name}" in capsys.readouterr().out


def test_a_command_gives_its_exit_code(tmp_path, capsys):
    assert main(["separate", str(tmp_path / "none.wav"), "--output", str(tmp_path / "out")]) == 1
    assert "none.wav" in capsys.readouterr().err


def test_an_unknown_command_is_refused_with_the_nearest(capsys):
    assert main(["seperate"]) == 2
    assert "no command 'seperate'; did you mean 'separate'?" in capsys.readouterr().err
    assert main(["--verison"]) == 2
    assert "did you mean '--version'?" in capsys.readouterr().err


def test_the_models_that_ship_are_listed_without_keras():
    code = (
        "import sys; from tfsepgan.cli.main import main; assert main(['models']) == 0;"
        " assert not {'keras', 'tensorflow'} & {n.split('.')[0] for n in sys.modules}"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "piano-live" in done.stdout and "44100" in done.stdout
