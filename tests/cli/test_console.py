"""What is printed cannot act on the terminal, and every command knows its version."""

import io

import pytest
from rich.table import Table

import tfsepgan
from tfsepgan.cli.command_list import COMMANDS
from tfsepgan.cli.console import PlainConsole, visible

ACTING = "a\x1b[31mb\x9b2Jc\x07d\u202ee\udce9f"
SHOWN = r"a\x1b[31mb\x9b2Jc\x07d\u202ee\udce9f"


def test_acting_characters_are_written_out_and_text_stays():
    assert visible(ACTING) == SHOWN
    assert visible("Étude №1\t夜想曲\n🎹") == "Étude №1\t夜想曲\n🎹"


@pytest.mark.parametrize("terminal", [True, False])
def test_they_are_in_lines_and_in_tables(terminal):
    out = io.StringIO()
    console = PlainConsole(file=out, force_terminal=terminal, width=200)
    table = Table(ACTING)
    table.add_row(ACTING)
    for one in (ACTING, table):
        console.print(one, markup=False, highlight=False, style="red")
    assert out.getvalue().replace("\\udce9", "").count(r"\x1b[31mb\x9b2Jc") == 3
    assert ("\x1b[31m" in out.getvalue()) is terminal  # the style of the console itself
    assert "\x9b" not in out.getvalue() and "\x1b[31mb" not in out.getvalue()


@pytest.mark.parametrize("name", ["main", *COMMANDS])
def test_every_command_knows_its_version(name, run):
    result = run(name, "--version")
    assert (result.code, result.out) == (0, f"tfsepgan {tfsepgan.__version__}\n")


def test_a_bad_name_is_shown_and_a_failure_names_its_recording(tmp_path, run):
    path = tmp_path / "e\x1b[31m.wav"
    path.write_bytes(b"RIFF no sound")
    result = run("separate", path, "-o", tmp_path / "out")
    assert result.code == 1 and r"e\x1b[31m.wav" in result.err and "\x1b[31m.wav" not in result.err
    (tmp_path / "file").touch()
    path.rename(tmp_path / "a.wav")
    result = run("separate", tmp_path / "a.wav", "-o", tmp_path / "file")
    assert result.code == 1 and "a.wav" in result.err
