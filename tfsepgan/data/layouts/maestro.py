"""MAESTRO: 200 hours of solo piano from the International Piano-e-Competition.

`maestro-vX.csv` has one row for each recording, with `split` (train, validation, test) and
`audio_filename` (`2018/NAME.wav`). A copy with only some of the recordings, or with recordings in
another format, is also read.

Source: Hawthorne et al. 2019, arXiv:1810.12247, and magenta.tensorflow.org/datasets/maestro.
"""

import csv
from pathlib import Path, PurePosixPath

from tfsepgan.data.layouts.listing import Found, Listing, in_any_format, unreadable
from tfsepgan.data.layouts.tree import Tree
from tfsepgan.errors import DataError

INSIDE = ("maestro*",)
_SPLITS = {"train": "train", "validation": "valid", "test": "test"}
_COLUMNS = {"split", "audio_filename"}


def fits(tree: Tree, directory: Path) -> bool:
    """Whether a folder holds the CSV file of MAESTRO."""
    return bool(_tables(tree, directory))


def read(directory: Path, listing: Listing) -> Found:
    """List the recordings of the CSV file.

    Raises: DataError when it cannot be read.
    """
    table = _tables(listing.tree, directory)[-1]
    missing = []
    for row in _rows(table):
        name = row["audio_filename"] or ""
        split = _SPLITS.get(row["split"])
        if split is None or PurePosixPath(name).is_absolute() or ".." in PurePosixPath(name).parts:
            listing.refuse(
                f"{table} assigns split {row['split']!r} to {name!r}; train, validation or test and"
                " a file below the folder were expected."
            )
            continue
        path = in_any_format(directory / name)
        if path is None:
            missing.append(name)
        else:
            listing.add(path, split=split, source="piano", below=name.replace("/", "_"))
    listing.note_names(missing, f"recordings listed in {table.name} are missing")
    return listing.found("unpaired")


def _tables(tree: Tree, directory: Path) -> list[Path]:
    return [path for path in tree.files(directory) if path.match("maestro-v*.csv")]


def _rows(table: Path) -> list[dict[str, str]]:
    try:
        with open(table, newline="", encoding="utf-8") as file:
            reader = csv.DictReader(file)
            rows = list(reader)
    except (OSError, ValueError, csv.Error) as error:
        raise unreadable(table, error) from error
    if not set(reader.fieldnames or ()) >= _COLUMNS:
        raise DataError(
            f"{table} has columns {reader.fieldnames}; {sorted(_COLUMNS)} were expected. Copy it"
            " again."
        )
    return rows
