"""`tfsepgan-data`: look at a folder of recordings, or get the packaged ones."""

import os
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro

from tfsepgan.cli.command import command
from tfsepgan.errors import DataError


@dataclass(frozen=True, kw_only=True)
class Demo:
    """Copy the packaged recordings to a folder, laid out as training wants them."""

    output: Annotated[str, tyro.conf.Positional]
    """Folder to make."""


@dataclass(frozen=True, kw_only=True)
class Check:
    """Read every recording of a folder to its end and say whether training could run on it."""

    directory: Annotated[str, tyro.conf.Positional]
    """Folder with the recordings, or 'demo'."""
    sources: tuple[str, ...] = ("piano",)
    """Sources that a model would give back."""


def _data(arguments, console):
    options = tyro.cli(Demo | Check, args=arguments, prog="tfsepgan-data")
    if isinstance(options, Demo):
        _copy_demo(Path(options.output), console)
    else:
        _check(options, console)


def _copy_demo(output: Path, console) -> None:
    from tfsepgan.data.demo import demo_directory

    if output.exists() and any(output.iterdir() if output.is_dir() else [output]):
        raise DataError(f"{output} is not an empty folder; name one that is not there yet. Nothing was written.")
    try:
        output.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=output.parent, prefix=f".{output.name}-") as scratch:
            shutil.copytree(demo_directory(), Path(scratch) / "copy")
            os.replace(Path(scratch) / "copy", output)
    except (OSError, shutil.Error) as error:
        raise DataError(f"Could not write {output}: {error}. Free some space or choose another folder.") from error
    console.print(f"Wrote the packaged recordings to {output}; train on them with --data {output}", markup=False)


def _check(options: Check, console) -> None:
    from tfsepgan.cli.catalogue import open_catalogue, show_catalogue
    from tfsepgan.data.decoding import decode

    catalogue = open_catalogue(options.directory, options.sources)
    show_catalogue(catalogue, console)
    catalogue.require("train", options.sources)
    broken = []
    files = [file for sources in catalogue.splits.values() for group in sources.values() for file in group]
    from rich.progress import track

    for file in track(files, "reading", console=console, disable=not console.is_terminal):
        try:
            decode(file.path, file.sample_rate_hz)
        except DataError as error:
            broken.append(str(error))
            console.print(f"  {error}", markup=False, highlight=False)
    if broken:
        raise DataError(f"{len(broken)} of {len(files)} recordings cannot be used; repair or remove them.")
    for split in ("valid", "test"):
        if split not in catalogue.splits:
            console.print(
                f"No {split} split: " + ("models cannot be chosen." if split == "valid" else "nothing to score.")
            )
    console.print(f"{len(files)} recordings, all of them readable: training can run.")


main = command(_data)

if __name__ == "__main__":
    raise SystemExit(main())
