"""Opening data: one folder, several folders, shards, or the packaged demo recordings."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tfsepgan.config import DataConfig
from tfsepgan.data.recordings.catalogue import Catalogue, scan
from tfsepgan.data.recordings.demo import demo_directory
from tfsepgan.data.shards.storage import is_address
from tfsepgan.quiet import quiet_tensorflow


def open_catalogue(
    data: str, sources: Sequence[str] | None, *, cache: str | None = None, **options: Any
) -> Catalogue:
    """The catalogue of one folder, of several with commas between them, or of 'demo'.

    A folder can hold shards or be the address of shards, which are then copied to the cache. If a
    path with a comma in its name exists, it is one folder.

    Args:
      data: the folders.
      sources, options: see `scan`.
      cache: folder for recordings from shards; default: the user's cache folder.
    Raises: DataError as `scan` does.
    """
    several = [name.strip() for name in data.split(",") if name.strip()]
    names = several if several and not Path(data).exists() else [data]
    if any(map(is_address, names)):
        quiet_tensorflow()
    folders = [demo_directory() if name == "demo" else name for name in names]
    return scan(folders, sources=sources, cache_dir=cache, **options)


def catalogue_of(data: DataConfig) -> Catalogue:
    """The catalogue of the data in a run's settings.

    Raises: DataError as `scan` does.
    """
    return open_catalogue(
        data.data, data.sources, layout=data.layout, leave_out=data.leave_out, cache=data.cache
    )
