"""Sets of mixtures that models are scored on: named splits of folders of recordings.

A set is `NAME=DIR/SPLIT`, such as `own=recordings/test` or `packaged=demo/test`. Scores of several
sets are pooled by the recordings of the targets.
"""

from collections.abc import Sequence
from pathlib import PurePath
from typing import NamedTuple

from tfsepgan.data.layouts.source_file import SPLITS
from tfsepgan.data.recordings.catalogue import Catalogue
from tfsepgan.data.recordings.opening import open_catalogue
from tfsepgan.errors import ConfigError

USUAL = ("test", "valid")  # splits of the training folder, used when no set is named


class ScoringSet(NamedTuple):
    """The origin of the mixtures of a set."""

    name: str
    data: str
    split: str
    catalogue: Catalogue

    def recordings(self) -> list[list]:
        """Name, frames and rate of each recording: its mixtures depend on these."""
        files = [file for files in self.catalogue.splits[self.split].values() for file in files]
        return [[file.name, file.frames, file.sample_rate_hz] for file in files]

    def targets(self, source: str) -> int:
        """The number of recordings of the source."""
        return len(self.catalogue.splits[self.split].get(source, ()))


def scoring_sets(named: Sequence[str] | None, data: str, source: str) -> list[ScoringSet]:
    """The sets named `NAME=DIR/SPLIT`; without names, the test and valid splits of `data`.

    Raises: ConfigError for invalid words or a repeated name; DataError for a missing folder or
      split.
    """
    if not named:
        catalogue = open_catalogue(data, (source,))
        return [
            ScoringSet(split, data, split, catalogue)
            for split in USUAL
            if split in catalogue.splits
        ]
    found: list[ScoringSet] = []
    opened: dict[str, Catalogue] = {}
    for words in named:
        name, folder, split = _parts(words)
        if name in (one.name for one in found):
            raise ConfigError(f"two sets have the name {name}; give each its own.")
        opened.setdefault(folder, open_catalogue(folder, (source,)))
        opened[folder].require(split, (source,))
        found.append(ScoringSet(name, folder, split, opened[folder]))
    return found


def _parts(words: str) -> tuple[str, str, str]:
    name, _, place = words.partition("=")
    folder, split = str(PurePath(place).parent), PurePath(place).name
    if (
        not name
        or PurePath(name).name != name
        or ":" in name
        or folder == "."
        or split not in SPLITS
    ):
        raise ConfigError(
            f"{words!r} is not a set of mixtures; wanted NAME=DIR/SPLIT, "
            "such as own=recordings/test or packaged=demo/test, "
            f"with a split of {', '.join(SPLITS)}."
        )
    return name, folder, split
