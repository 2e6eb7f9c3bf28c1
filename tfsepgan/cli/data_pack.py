"""`tfsepgan-data pack`: recordings into shards, for object storage."""

from dataclasses import dataclass
from typing import Annotated

import tyro
from rich.console import Console

from tfsepgan.config import SetLayout
from tfsepgan.errors import ConfigError


@dataclass(frozen=True, kw_only=True)
class Pack:
    """Write recordings into a few large files, which --data then takes, also from object storage;
    the same command again goes on."""

    directory: Annotated[str, tyro.conf.Positional]
    """Folder with the recordings, or several with commas between, or 'demo'."""
    output: str
    """Folder to write, on a disk or at an address such as gs://bucket/folder or s3://bucket/folder;
    not there yet, or empty."""
    sample_rate_hz: int | None = None
    """Rate of the packed recordings; None: each keeps its own."""
    # long enough for object storage to be quick, short enough to be copied again
    shard_mb: int = 256
    """A file ends with the recording that makes it as large as that, in megabytes."""
    licence: str = ""
    """Licence of the recordings in your words, which is shown to who uses them."""
    sources: tuple[str, ...] = ()
    """Sources that will be separated; needed only where a folder could be read in two ways."""
    layout: SetLayout = "auto"
    """How the folder is laid out: a set by name, 'plain' for folders of one's own; 'auto' finds
    out."""
    leave_out: tuple[str, ...] = ()
    """Recordings that are not packed: patterns of SET/SPLIT/SOURCE/... in which * stands for
    anything."""
    cache: str | None = None
    """Folder for the recordings of shards, where some are packed anew; default: the user's cache
    folder."""


def pack_command(options: Pack, console: Console) -> None:
    """Pack, with progress, and say what was written.

    Raises: DataError when it could not be done; what is whole stays, and the same command goes on
      after it.
    """
    if options.shard_mb <= 0:
        raise ConfigError(f"shard_mb is {options.shard_mb}; it must be above zero.")
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    from tfsepgan.cli.catalogue import show_catalogue
    from tfsepgan.data.recordings.opening import open_catalogue
    from tfsepgan.data.shards.packing import pack
    from tfsepgan.quiet import quiet_tensorflow

    catalogue = open_catalogue(
        options.directory,
        options.sources or None,
        layout=options.layout,
        leave_out=options.leave_out,
        cache=options.cache,
    )
    show_catalogue(catalogue, console)
    quiet_tensorflow()
    total = sum(row.minutes for row in catalogue.summary())
    columns = (
        TextColumn("packing"),
        BarColumn(),
        TextColumn("{task.completed:.0f}/{task.total:.0f} min"),
    )
    with Progress(
        *columns, TimeRemainingColumn(), console=console, disable=not console.is_terminal
    ) as progress:
        bar = progress.add_task("", total=total)
        manifest = pack(
            catalogue,
            options.output,
            sample_rate_hz=options.sample_rate_hz,
            shard_bytes=options.shard_mb * 1_000_000,
            licence=options.licence,
            done=lambda file: progress.advance(bar, file.seconds / 60),
        )
    size, count = sum(shard.bytes for shard in manifest.shards), len(manifest.shards)
    console.print(
        f"Packed {len(list(manifest.records))} recordings, {total:.1f} minutes, into {count}"
        f" shard{'s' if count > 1 else ''} of {size / 1e6:.1f} MB in all; train on them with --data"
        f" {options.output}",
        markup=False,
        highlight=False,
    )
