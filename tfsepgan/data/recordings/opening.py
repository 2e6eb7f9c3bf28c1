"""Opening data: one folder, several folders, shards, or the packaged demo recordings."""

from collections.abc import Sequence
from pathlib import Path

from tfsepgan.config import DataConfig, SetLayout
from tfsepgan.data.recordings.catalogue import Catalogue, scan
from tfsepgan.data.recordings.demo import demo_directory
from tfsepgan.data.shards.storage import is_address
from tfsepgan.quiet import quiet_tensorflow


def open_catalogue(
    data: str,
    sources: Sequence[str] | None,
    *,
    layout: SetLayout = "auto",
    leave_out: Sequence[str] = (),
    problems: list[str] | None = None,
    cache: str | None = None,
) -> Catalogue:
    """The catalogue of one folder, of several with commas between them, or of 'demo'.

    A folder can hold shards or be the address of shards, which are then copied to the cache. If a
    path with a comma in its name exists, it is one folder. The other arguments are those of `scan`.

    Raises: DataError as `scan` does.
    """
    names = (
        [data]
        if Path(data).exists()
        else [name.strip() for name in data.split(",") if name.strip()] or [data]
    )
    if any(map(is_address, names)):
        quiet_tensorflow()
    folders = [demo_directory() if name == "demo" else name for name in names]
    return scan(
        folders,
        sources=sources,
        layout=layout,
        leave_out=leave_out,
        problems=problems,
        cache_dir=cache,
    )


def catalogue_of(data: DataConfig) -> Catalogue:
    """The catalogue of the data in a run's settings.

    Raises: DataError as `scan` does.
    """
    return open_catalogue(
        data.data, data.sources, layout=data.layout, leave_out=data.leave_out, cache=data.cache
    )
