"""The table of layouts: which layout a folder has, and which module reads it."""

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
from tfsepgan.data.layouts.listing import Found, Listing
from tfsepgan.data.layouts.source_file import SPLITS
from tfsepgan.data.layouts.tree import Tree
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
# sets whose folders have the same names as those of plain folders
_IN_SPLITS = frozenset({"musdb18", "musdb18hq", "slakh2100"})


def choose(
    directory: Path, layout: SetLayout = "auto", tree: Tree | None = None
) -> tuple[str, Path]:
    """Determine the layout of a folder.

    Args:
      directory: the folder of a set, or the folder that the set was unpacked into.
      layout: 'auto' detects the set from its folders, files and metadata; any other value is used
        as given.
      tree: what is below the folder; walked if not given.
    Returns: the layout's name, and the folder where its reader starts.
    Raises: DataError when several layouts fit, or when the given layout does not fit.
    """
    if layout == PLAIN:
        return PLAIN, directory
    tree = tree or Tree(directory)
    if layout != "auto":
        root = root_of(layout, directory, tree)
        if root is None:
            summary = SETS[layout].__doc__.split("\n\n")[1].replace("\n", " ")
            raise DataError(
                f"{directory} is not laid out as {layout}: {summary} Give the folder of the"
                " set, or another --layout."
            )
        return layout, root
    roots = {name: root for name in SETS if (root := root_of(name, directory, tree))}
    could_be = list(roots)
    if any((directory / split).is_dir() for split in SPLITS) and not set(roots) & _IN_SPLITS:
        could_be.append(PLAIN)
    if len(could_be) > 1:
        raise DataError(
            f"{directory} can be read as {' and as '.join(could_be)}. Choose one with --layout, or"
            " give the folders of the sets separately: --data DIR1,DIR2."
        )
    return next(iter(roots.items()), (PLAIN, directory))


def root_of(name: str, directory: Path, tree: Tree | None = None) -> Path | None:
    """The folder where the reader of a set starts: this one or one in it; None if none fits."""
    tree = tree or Tree(directory)
    places = (place for pattern in SETS[name].INSIDE for place in sorted(directory.glob(pattern)))
    return next((place for place in (directory, *places) if SETS[name].fits(tree, place)), None)


def read_layout(name: str, root: Path, listing: Listing, sources: Sequence[str] | None) -> Found:
    """List the recordings of a folder.

    Args:
      name, root: from `choose`.
      listing: receives the recordings.
      sources: the wanted sources.
    Raises: DataError, see the layout's reader.
    """
    return plain.read(root, listing, sources) if name == PLAIN else SETS[name].read(root, listing)
