"""Completion of `tfsepgan` in a shell: the scripts of its commands, which tyro writes, as one.

Such a script holds the flags and subcommands of a command as a dictionary, and the same code for
every command. Here the dictionaries become subcommands of one dictionary.
"""

import ast
import contextlib
import re
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from tfsepgan.cli.flags import WRITE_COMPLETION, check_completion

_SPEC = re.compile(r"^COMPLETION_SPEC = (\{.*\})$", re.MULTILINE)
_HELP = {"flags": ["-h", "--help"], "description": "show help message and exit", "type": "flag"}
_VERSION = {"flags": ["--version"], "description": "print the version", "type": "flag"}

Main = Callable[[Sequence[str]], int]


def write_completion(
    arguments: Sequence[str], commands: Mapping[str, Main], texts: Mapping[str, str]
) -> None:
    """Write the script of `tfsepgan`.

    Args:
      arguments: `WRITE_COMPLETION`, a shell, and the file to write.
      commands: the main functions of its commands.
      texts: descriptions of the commands, and of subcommands without flags.
    Raises: ConfigError for another shell, or without a file.
    """
    check_completion(arguments)
    _, shell, path = arguments
    with tempfile.TemporaryDirectory() as folder:
        specs = {
            name: ast.literal_eval(_SPEC.search(_script_of(main, "bash", folder))[1])
            for name, main in commands.items()
        }
        name = next(iter(commands))
        script = _script_of(commands[name], shell, folder)
    plain = {"options": [_HELP], "subcommands": {}, "frontier_groups": []}
    specs = {name: {**specs.get(name, plain), "description": text} for name, text in texts.items()}
    whole = repr({**plain, "prog": "tfsepgan", "options": [_HELP, _VERSION], "subcommands": specs})
    if shell == "fish":  # there, the code is in a string of double quotes
        whole = re.sub(r'([\\"$])', r"\\\1", whole)
    found = _SPEC.search(script)
    before, after = (
        re.sub(rf"tfsepgan[-_]{name}", "tfsepgan", text)
        for text in (script[: found.start()], script[found.end() :])
    )
    Path(path).write_text(f"{before}COMPLETION_SPEC = {whole}{after}", encoding="utf-8")


def _script_of(main: Main, shell: str, folder: str) -> str:
    """The script that a command writes; it then ends the program, as `--help` does."""
    file = Path(folder, "script")
    with contextlib.suppress(SystemExit):
        main([WRITE_COMPLETION, shell, str(file)])
    return file.read_text(encoding="utf-8")
