"""Completion in the shell: tyro writes a script, and bash completes flags and values with it."""

import ast
import re
import shutil
import subprocess

import pytest

from tfsepgan.cli.command_list import COMMANDS

COMPLETE = """
source "$1"
COMP_WORDS=("$2" "${@:4}"); COMP_CWORD=$(($# - 3))
COMP_LINE="${COMP_WORDS[*]}"; COMP_POINT=${#COMP_LINE}
"$3" "$2" "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD - 1]}"
printf '%s\\n' "${COMPREPLY[@]}"
"""


@pytest.fixture(scope="module")
def scripts(tmp_path_factory):
    """The completion script of each command by name, written once."""
    folder, written = tmp_path_factory.mktemp("scripts"), {}

    def script(name, run):
        if name not in written:
            written[name] = folder / f"{name}.sh"
            assert not run(name, "--tyro-write-completion", "bash", written[name]).code
        return written[name]

    return script


@pytest.mark.skipif(shutil.which("bash") is None, reason="bash is not installed")
@pytest.mark.parametrize(
    ("name", "words", "expected"),
    [
        ("train", ["--generator.ch"], {"--generator.channels"}),  # --help hides some, it does not
        ("train", ["--discriminator.k"], {"--discriminator.kind"}),
        ("separate", ["--residual"], {"--residual-only"}),
        ("data", ["re"], {"render"}),
        ("main", ["tr"], {"train"}),
        ("main", ["mod"], {"models"}),
        ("main", ["--v"], {"--version"}),
        ("main", ["train", "--generator.ch"], {"--generator.channels"}),
        ("main", ["separate", "--format", "fl"], {"flac"}),
        ("main", ["data", "re"], {"render"}),
        ("main", ["data", "render", "--soundf"], {"--soundfont"}),
    ],
)
def test_bash_completes_flags_and_subcommands(name, words, expected, run, scripts):
    script = scripts(name, run)
    names = (
        ("tfsepgan", "_tyro_tfsepgan")
        if name == "main"
        else (f"tfsepgan-{name}", f"_tyro_tfsepgan_{name}")
    )
    line = ["bash", "-c", COMPLETE, "bash", script, *names, *words]
    done = subprocess.run(line, capture_output=True, text=True, check=True)
    assert set(done.stdout.split()) == expected, done.stderr


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_script_of_all_commands_holds_each_of_them(shell, run, tmp_path):
    script = tmp_path / "script"
    assert run("main", "--tyro-write-completion", shell, script).code == 0
    text = script.read_text(encoding="utf-8")
    assert not re.search("tfsepgan[-_]separate(?! )", text.replace("'tfsepgan-separate'", ""))
    code = text[text.index("COMPLETION_SPEC") :].splitlines()[0]
    if shell == "fish":
        code = re.sub(r"\\(.)", r"\1", code)
    spec = ast.literal_eval(code.partition(" = ")[2])
    assert set(spec["subcommands"]) == {*COMMANDS, "models"}
    assert "render" in spec["subcommands"]["data"]["subcommands"]


@pytest.mark.parametrize("name", ["main", "separate", "data", "train"])
def test_another_shell_is_refused(name, run, tmp_path):
    result = run(name, "--tyro-write-completion", "bahs", tmp_path / "script")
    assert result.code == 2 and "did you mean 'bash'" in result.error
    assert run(name, "--tyro-write-completion", "bash").code == 2
    assert not (tmp_path / "script").exists()
