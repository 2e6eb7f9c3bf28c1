"""The catalogue of a folder of recordings, printed as a table."""

from collections.abc import Sequence

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from tfsepgan.cli.command import say
from tfsepgan.data.recordings.catalogue import Catalogue
from tfsepgan.data.recordings.opening import open_catalogue


def open_and_show(directory: str, sources, options, console: Console) -> Catalogue:
    """Open the recordings of a command whose options have layout, leave_out and cache; print them.

    Args:
      sources: to separate; none where the layout shows them.
    """
    settings = {name: getattr(options, name) for name in ("layout", "leave_out", "cache")}
    catalogue = open_catalogue(directory, sources or None, **settings)
    show_catalogue(catalogue, console)
    return catalogue


def show_catalogue(catalogue: Catalogue, console: Console) -> None:
    """Print files, minutes, rates and channels by split and source, notes, and files left out."""
    sets = ", ".join(name for name in dict.fromkeys(catalogue.sets) if name != "plain")
    kind = f"{sets}, {catalogue.layout}" if sets else catalogue.layout
    table = Table(title=escape(f"{catalogue.directory} ({kind})"), title_justify="left")
    for name in ("split", "source"):
        table.add_column(name)
    for name in ("files", "minutes", "rates, Hz", "channels"):
        table.add_column(name, justify="right")
    for row in catalogue.summary():
        rates, channels = (", ".join(map(str, values)) for values in (row.rates_hz, row.channels))
        table.add_row(
            row.split, escape(row.source), str(row.files), f"{row.minutes:.1f}", rates, channels
        )
    console.print(table)
    for note in catalogue.notes:
        say(console, note)
    if catalogue.ignored:
        say(
            console, f"{len(catalogue.ignored)} other files left out: {first_of(catalogue.ignored)}"
        )


def first_of(names: Sequence[str], most: int = 5) -> str:
    """The first names in a line, and dots where there are more."""
    return ", ".join(names[:most]) + (", ..." if len(names) > most else "")
