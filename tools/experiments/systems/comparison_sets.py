"""The sets of mixtures that models are scored on: a split of a folder of recordings, under a name of its own.

`NAME=DIR/SPLIT`, as `own=recordings/test` or `packaged=demo/test`. Sets of several folders are pooled by the recordings that the
targets of their mixtures are of.
"""

from collections.abc import Sequence
from pathlib import PurePath
from typing import NamedTuple

from tfsepgan.data.layouts.listing import SPLITS
from tfsepgan.data.recordings.catalogue import Catalogue
from tfsepgan.data.recordings.opening import open_catalogue
from tfsepgan.errors import ConfigError

USUAL = ("test", "valid")  # splits of the training's folder, where no set is named


class ScoringSet(NamedTuple):
    """Where the mixtures of a set come from."""

    name: str
    data: str
    split: str
    catalogue: Catalogue

    def recordings(self) -> list[list]:
        """What its mixtures depend on: name, frames and rate of each recording."""
        files = [file for files in self.catalogue.splits[self.split].values() for file in files]
        return [[file.name, file.frames, file.sample_rate_hz] for file in files]

    def targets(self, source: str) -> int:
        """How many recordings of the source it holds."""
        return len(self.catalogue.splits[self.split].get(source, ()))


def scoring_sets(named: Sequence[str] | None, data: str, source: str) -> list[ScoringSet]:
    """The sets that are named as `NAME=DIR/SPLIT`; the test and valid splits of `data` where none is.

    Raises: ConfigError for words that name no set, or a name twice; DataError for a folder or split that is not there.
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
            raise ConfigError(f"two sets are called {name}; give each a name of its own.")
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
            f"{words!r} names no set of mixtures; NAME=DIR/SPLIT was expected, as own=recordings/test or packaged=demo/test, "
            f"with a split of {', '.join(SPLITS)}."
        )
    return name, folder, split
