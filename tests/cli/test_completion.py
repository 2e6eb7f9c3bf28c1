"""Completion in the shell: tyro writes a script, and bash completes flags and values with it."""

import shutil
import subprocess

import pytest

COMPLETE = """
source "$1"
COMP_WORDS=("$2" "${@:4}"); COMP_CWORD=$(($# - 3))
COMP_LINE="${COMP_WORDS[*]}"; COMP_POINT=${#COMP_LINE}
"$3" "$2" "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD - 1]}"
printf '%s\\n' "${COMPREPLY[@]}"
"""


@pytest.mark.skipif(shutil.which("bash") is None, reason="bash is not installed")
@pytest.mark.parametrize(
    ("name", "words", "expected"),
    [
        ("train", ["--generator.ch"], {"--generator.channels"}),  # --help hides some, it does not
        ("train", ["--discriminator.k"], {"--discriminator.kind"}),
        ("separate", ["--residual"], {"--residual-only"}),
        ("data", ["re"], {"render"}),
    ],
)
def test_bash_completes_flags_and_subcommands(name, words, expected, run, tmp_path):
    script = tmp_path / "completion.sh"
    assert not run(name, "--tyro-write-completion", "bash", script).code
    names = (f"tfsepgan-{name}", f"_tyro_tfsepgan_{name}")
    line = ["bash", "-c", COMPLETE, "bash", script, *names, *words]
    done = subprocess.run(line, capture_output=True, text=True, check=True)
    assert set(done.stdout.split()) == expected, done.stderr
