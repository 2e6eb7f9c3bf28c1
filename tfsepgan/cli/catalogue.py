"""Opening a folder of recordings, and showing what is in it."""

from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from tfsepgan.cli.command import quiet_tensorflow
from tfsepgan.config import DataConfig, SetLayout
from tfsepgan.data.catalogue import Catalogue, scan
from tfsepgan.data.demo import demo_directory
from tfsepgan.data.storage import is_address


def open_catalogue(
    data: str,
    sources: Sequence[str] | None,
    *,
    layout: SetLayout = "auto",
    leave_out: Sequence[str] = (),
    problems: list[str] | None = None,
    cache: str | None = None,
) -> Catalogue:
    """The catalogue of a folder, of several with commas between, or of the packaged recordings for 'demo'.

    A folder may be one of shards, or the address of such a folder, whose recordings are then brought to the cache.
    A name that holds a comma and is there is one folder. The other arguments are those of `scan`.

    Raises: DataError as `scan` does.
    """
    names = [data] if Path(data).exists() else [name.strip() for name in data.split(",") if name.strip()] or [data]
    if any(map(is_address, names)):
        quiet_tensorflow()
    folders = [demo_directory() if name == "demo" else name for name in names]
    return scan(folders, sources=sources, layout=layout, leave_out=leave_out, problems=problems, cache_dir=cache)


def catalogue_of(data: DataConfig) -> Catalogue:
    """The catalogue that a run's settings name.

    Raises: DataError as `scan` does.
    """
    return open_catalogue(data.data, data.sources, layout=data.layout, leave_out=data.leave_out, cache=data.cache)


def show_catalogue(catalogue: Catalogue, console: Console) -> None:
    """Print files, minutes, rates and channels of every split and source, what to know about them, and what was left out."""
    sets = ", ".join(name for name in dict.fromkeys(catalogue.sets) if name != "plain")
    kind = f"{sets}, {catalogue.layout}" if sets else catalogue.layout
    table = Table(title=escape(f"{catalogue.directory} ({kind})"), title_justify="left")
    for name in ("split", "source"):
        table.add_column(name)
    for name in ("files", "minutes", "rates, Hz", "channels"):
        table.add_column(name, justify="right")
    for row in catalogue.summary():
        rates, channels = (", ".join(map(str, values)) for values in (row.rates_hz, row.channels))
        table.add_row(row.split, escape(row.source), str(row.files), f"{row.minutes:.1f}", rates, channels)
    console.print(table)
    for note in catalogue.notes:
        console.print(note, highlight=False, markup=False)
    if catalogue.ignored:
        some = ", ".join(catalogue.ignored[:5]) + (", ..." if len(catalogue.ignored) > 5 else "")
        console.print(f"{len(catalogue.ignored)} other files left out: {some}", highlight=False, markup=False)
