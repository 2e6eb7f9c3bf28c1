"""Opening a folder of recordings, and showing what is in it."""

from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from tfsepgan.data.catalogue import Catalogue, scan
from tfsepgan.data.demo import demo_directory


def open_catalogue(data: str, sources: Sequence[str] | None) -> Catalogue:
    """The catalogue of a folder, or of the packaged recordings for 'demo'.

    Raises: DataError as `scan` does.
    """
    return scan(demo_directory() if data == "demo" else Path(data), sources=sources)


def show_catalogue(catalogue: Catalogue, console: Console) -> None:
    """Print files, minutes, rates and channels of every split and source, and what was left out."""
    table = Table(title=escape(f"{catalogue.directory} ({catalogue.layout})"), title_justify="left")
    for name in ("split", "source"):
        table.add_column(name)
    for name in ("files", "minutes", "rates, Hz", "channels"):
        table.add_column(name, justify="right")
    for row in catalogue.summary():
        rates, channels = (", ".join(map(str, values)) for values in (row.rates_hz, row.channels))
        table.add_row(row.split, escape(row.source), str(row.files), f"{row.minutes:.1f}", rates, channels)
    console.print(table)
    if catalogue.ignored:
        some = ", ".join(catalogue.ignored[:5]) + (", ..." if len(catalogue.ignored) > 5 else "")
        console.print(f"{len(catalogue.ignored)} other files left out: {some}", highlight=False, markup=False)
