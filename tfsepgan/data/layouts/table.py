"""The table of layouts: which one a folder has, and who reads it."""

from collections.abc import Sequence
from pathlib import Path

from tfsepgan.config import SetLayout
from tfsepgan.data.layouts import (
    irmas,
    maestro,
    medleydb,
    mir1k,
    moisesdb,
    musdb18,
    musdb18hq,
    plain,
    slakh2100,
)
from tfsepgan.data.layouts.listing import SPLITS, Found, Listing
from tfsepgan.errors import DataError

PLAIN = "plain"
SETS = {
    "irmas": irmas,
    "musdb18": musdb18,
    "musdb18hq": musdb18hq,
    "slakh2100": slakh2100,
    "medleydb": medleydb,
    "moisesdb": moisesdb,
    "mir1k": mir1k,
    "maestro": maestro,
}
# these have folders of the names that plain ones have
_IN_SPLITS = frozenset({"musdb18", "musdb18hq", "slakh2100"})


def choose(directory: Path, layout: SetLayout = "auto") -> tuple[str, Path]:
    """Find out how a folder is laid out.

    Args:
      directory: that of a set, or the one that it was unpacked into.
      layout: 'auto' recognises sets by their folders, files and metadata; another one is taken at
        its word.
    Returns: the layout's name, and the folder that its reader starts from.
    Raises: DataError when the folder could be of several, or is not of the one that it should be.
    """
    if layout == PLAIN:
        return PLAIN, directory
    if layout != "auto":
        root = SETS[layout].root(directory)
        if root is None:
            summary = (
                SETS[layout]
                .__doc__.strip()
                .partition("\n\n")[2]
                .partition("\n\n")[0]
                .replace("\n", " ")
            )
            raise DataError(
                f"{directory} is not laid out as {layout}: {summary} Give its folder, or another"
                " --layout."
            )
        return layout, root
    roots = {name: root for name, module in SETS.items() if (root := module.root(directory))}
    could_be = list(roots)
    if any((directory / split).is_dir() for split in SPLITS) and not set(roots) & _IN_SPLITS:
        could_be.append(PLAIN)
    if len(could_be) > 1:
        raise DataError(
            f"{directory} can be read as {' and as '.join(could_be)}. Say which with --layout, or"
            " give the folders of the sets apart: --data DIR1,DIR2."
        )
    return next(iter(roots.items()), (PLAIN, directory))


def read_layout(name: str, root: Path, listing: Listing, sources: Sequence[str] | None) -> Found:
    """List the recordings of a folder.

    Args:
      name, root: from `choose`.
      listing: to be filled in.
      sources: the sources that will be separated.
    Raises: DataError, see the layout's reader.
    """
    return plain.read(root, listing, sources) if name == PLAIN else SETS[name].read(root, listing)
