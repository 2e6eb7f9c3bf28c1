"""`tfsepgan-data`: check, preview, make, pack and serve recordings."""

import os
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro

from tfsepgan.cli.command import command, say
from tfsepgan.cli.data_check import Check, check
from tfsepgan.cli.data_pack import Pack, pack_command
from tfsepgan.cli.data_preview import preview
from tfsepgan.cli.data_render import Render, render_command
from tfsepgan.cli.data_serve import Serve, serve
from tfsepgan.cli.data_songs import Songs, songs_command
from tfsepgan.cli.flags import read_subcommand
from tfsepgan.errors import DataError


@dataclass(frozen=True, kw_only=True)
class Demo:
    """Copy the packaged recordings to a folder, in the layout for training."""

    output: Annotated[str, tyro.conf.Positional]
    """Folder to create."""


@dataclass(frozen=True, kw_only=True)
class Preview:
    """Write training mixtures as WAV files and pictures; takes the settings of tfsepgan-train."""


def _data(arguments, console):
    if arguments[:1] == ["preview"]:  # its flags depend on the system and the preset
        preview(arguments[1:], console)
        return
    choices = (Demo, Check, Render, Songs, Preview, Pack, Serve)
    options = read_subcommand(choices, arguments, program="tfsepgan-data")
    run = {Demo: _copy_demo, Check: check, Render: render_command, Songs: songs_command}
    run |= {Pack: pack_command, Serve: serve}
    run[type(options)](options, console)


def _copy_demo(options: Demo, console) -> None:
    from tfsepgan.data.recordings.demo import demo_directory

    output = Path(options.output)
    if output.exists() and any(output.iterdir() if output.is_dir() else [output]):
        raise DataError(f"{output} is not an empty folder; name a new one. Nothing was written.")
    try:
        output.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=output.parent, prefix=f".{output.name}-") as scratch:
            shutil.copytree(demo_directory(), Path(scratch) / "copy")
            os.replace(Path(scratch) / "copy", output)
    except (OSError, shutil.Error) as error:
        raise DataError(
            f"Could not write {output}: {error}. Free some space or choose another folder."
        ) from error
    say(console, f"Wrote the packaged recordings to {output}; train on them with --data {output}")


main = command(_data)

if __name__ == "__main__":
    raise SystemExit(main())
