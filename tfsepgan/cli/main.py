"""`tfsepgan`: all commands under one name, and a table of the models that ship.

`tfsepgan train ...` is `tfsepgan-train ...`, and so on. Only the chosen command is imported.
"""

import sys
from importlib import import_module

from rich.markup import escape
from rich.table import Table

from tfsepgan.cli.command import command, say
from tfsepgan.cli.command_list import COMMANDS
from tfsepgan.cli.completion import write_completion
from tfsepgan.cli.flags import WRITE_COMPLETION
from tfsepgan.config import nearest
from tfsepgan.errors import ConfigError
from tfsepgan.models.folders import read_manifest, shipped_models

HELP = ("-h", "--help")
MODELS = "list the models that ship with the package"


def main(arguments: list[str] | None = None) -> int:
    """Run the command that the first argument names; return its exit code."""
    given = sys.argv[1:] if arguments is None else list(arguments)
    if given and given[0] in COMMANDS:
        return import_module(f"tfsepgan.cli.{given[0]}").main(given[1:])
    return _own(given)


def _tfsepgan(arguments, console):
    if arguments == ["models"]:
        _show_models(console)
    elif arguments[:1] == [WRITE_COMPLETION]:
        mains = {name: import_module(f"tfsepgan.cli.{name}").main for name in COMMANDS}
        write_completion(arguments, mains, {**COMMANDS, "models": MODELS})
    elif not arguments or arguments[0] in HELP or arguments == ["models", "--help"]:
        _show_help(console)
    else:
        given, known = arguments[0], (*COMMANDS, "models", "--version", *HELP)
        raise ConfigError(f"tfsepgan has no command {given!r}; {nearest(given, known)}")


def _show_help(console) -> None:
    say(console, "usage: tfsepgan COMMAND ...\n")
    table = Table(box=None, show_header=False, pad_edge=False)
    for name, what in COMMANDS.items():
        table.add_row(name, what)
    table.add_row("models", MODELS)
    table.add_row("--version", "print the version")
    console.print(table)
    advice = "tfsepgan COMMAND --help shows the usual settings of a command, --help-all every one."
    say(console, f"\n{advice}")


def _show_models(console) -> None:
    table = Table(title="Models that ship with tfsepgan", title_justify="left")
    for name in ("model", "sources", "rate, Hz", "parameters", "licence", "folder"):
        table.add_column(name, overflow="fold")
    for name, folder in shipped_models().items():
        manifest = read_manifest(folder)
        table.add_row(
            escape(name),
            escape(", ".join(manifest.sources)),
            str(manifest.sample_rate_hz),
            f"{manifest.parameters:,}",
            escape(str(manifest.trained.get("licence", ""))),
            escape(str(folder)),
        )
    console.print(table)


_own = command(_tfsepgan)

if __name__ == "__main__":
    raise SystemExit(main())
