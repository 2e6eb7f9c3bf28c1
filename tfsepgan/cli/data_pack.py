"""`tfsepgan-data pack`: writes recordings into shards, for object storage."""

from dataclasses import dataclass
from typing import Annotated

import tyro
from rich.console import Console

from tfsepgan.cli.command import say
from tfsepgan.config import SetLayout
from tfsepgan.errors import ConfigError
from tfsepgan.progress import ProgressBar


@dataclass(frozen=True, kw_only=True)
class Pack:
    """Write recordings into a few large files, also in object storage. Repeat it to resume."""

    directory: Annotated[str, tyro.conf.Positional]
    """Folder of recordings, several folders separated by commas, or 'demo'."""
    output: str
    """New or empty folder to write, on a disk or at an address such as gs://bucket/folder or
    s3://bucket/folder."""
    sample_rate_hz: int | None = None
    """Sample rate of the packed recordings; None: each keeps its own."""
    # long enough for fast reads from object storage, short enough to copy again
    shard_mb: int = 256
    """Size of a shard in megabytes; it ends with the recording that reaches this size."""
    licence: str = ""
    """Licence of the recordings, in your own words; shown to those who use the shards."""
    sources: tuple[str, ...] = ()
    """Sources to separate; needed only when the layout is ambiguous."""
    layout: SetLayout = "auto"
    """Layout of the folder: the name of a public set, 'plain' for your own folders, or 'auto' to
    detect it."""
    leave_out: tuple[str, ...] = ()
    """Recordings to leave out: patterns of SET/SPLIT/SOURCE/... in which * stands for anything."""
    cache: str | None = None
    """Folder for recordings unpacked from shards, when shards are packed again; default: the user's
    cache folder."""


def pack_command(options: Pack, console: Console) -> None:
    """Pack, with progress, and print what was written.

    Raises: DataError when a shard cannot be written; complete shards stay, and the same command
      resumes after them.
    """
    if options.shard_mb <= 0:
        raise ConfigError(f"shard_mb is {options.shard_mb}; it must be above zero.")
    from tfsepgan.cli.catalogue import open_and_show
    from tfsepgan.data.shards.packing import pack
    from tfsepgan.quiet import quiet_tensorflow

    catalogue = open_and_show(options.directory, options.sources, options, console)
    quiet_tensorflow()
    total = sum(row.minutes for row in catalogue.summary())
    with ProgressBar(console, "packing", total, unit="min") as bar:
        manifest = pack(
            catalogue,
            options.output,
            sample_rate_hz=options.sample_rate_hz,
            shard_bytes=options.shard_mb * 1_000_000,
            licence=options.licence,
            done=lambda file: bar.advance(file.seconds / 60),
        )
    size, count = sum(shard.bytes for shard in manifest.shards), len(manifest.shards)
    say(
        console,
        f"Packed {len(list(manifest.records))} recordings, {total:.1f} minutes, into {count}"
        f" shard{'s' if count > 1 else ''} of {size / 1e6:.1f} MB in all; train on them with --data"
        f" {options.output}",
    )
