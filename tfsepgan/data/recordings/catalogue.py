"""The catalogue: which recordings a data folder holds, by split and source.

A data folder is a plain one (`layouts.plain`), a published data set as it is distributed
(`layouts.table`), or a folder of `shards`. Several folders can be joined (`joining`). The splits
are `train`, `valid` and `test`.
"""

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import NamedTuple

from tfsepgan.config import MIXTURE, NO_OTHERS, DataConfig, SetLayout
from tfsepgan.data.layouts.listing import Found, Listing
from tfsepgan.data.layouts.plain import LAYOUTS
from tfsepgan.data.layouts.source_file import SourceFile
from tfsepgan.data.layouts.table import PLAIN, choose, read_layout
from tfsepgan.data.layouts.tree import Tree
from tfsepgan.data.recordings.duplicates import refuse_doubles, remove_doubles
from tfsepgan.data.recordings.exclusion import exclude
from tfsepgan.data.recordings.joining import join
from tfsepgan.data.shards import reading as shards
from tfsepgan.errors import ConfigError, DataError
from tfsepgan.files import unreadable_folder


class SummaryRow(NamedTuple):
    """What one split holds of one source."""

    split: str
    source: str
    files: int
    minutes: float
    rates_hz: tuple[int, ...]
    channels: tuple[int, ...]


@dataclass(frozen=True, kw_only=True)
class Catalogue(Found):
    """The recordings of a data folder."""

    directory: Path
    sets: tuple[str, ...] = (PLAIN,)
    """The data sets that were read, by their `--layout` names."""
    doubles: tuple[str, ...] = ()
    """Recordings that are in two splits of a plain folder, when problems are collected; training
    refuses such a folder."""

    def summary(self) -> list[SummaryRow]:
        """Files, minutes, sample rates and channel counts of each source in each split."""
        return [
            SummaryRow(
                split,
                source,
                len(files),
                sum(file.seconds for file in files) / 60,
                tuple(sorted({file.sample_rate_hz for file in files})),
                tuple(sorted({file.channels for file in files})),
            )
            for split, sources in self.splits.items()
            for source, files in sources.items()
        ]

    def balance_group(self, file: SourceFile) -> str:
        """The set and folder by which a recording is balanced; for songs, the set alone."""
        songs = self.layout == "multitrack"
        return str(file.set_number) if songs else f"{file.set_number} {file.folder}"

    def tracks(self, split: str) -> dict[str, dict[str, SourceFile]]:
        """The songs of a split: track, then source, then its file; empty for an unpaired set."""
        songs: dict[str, dict[str, SourceFile]] = {}
        for source, files in self.splits.get(split, {}).items():
            for file in files:
                if file.track is not None:
                    songs.setdefault(file.track, {})[source] = file
        return dict(sorted(songs.items()))

    def others(self, split: str, sources: Sequence[str]) -> tuple[str, ...]:
        """The names in a split that are neither wanted sources nor mixtures: the "others".

        Without others, every source is wanted and the residual of a mixture is zero by
        construction. All code that depends on this calls `others`.
        """
        return tuple(
            source for source in self.splits[split] if source not in sources and source != MIXTURE
        )

    def settled(self, config: DataConfig) -> DataConfig:
        """The settings with `others` set to 0 0 when every source of the train split is wanted.

        Raises: ConfigError when `others` is already 0 0 and the train split holds others.
        """
        if "train" not in self.splits:
            return config
        others = self.others("train", config.sources)
        if others and config.others == NO_OTHERS:
            raise ConfigError(
                "others is 0 0, which is valid only if every source of the recordings is wanted;"
                f" {self.directory / 'train'} also holds {', '.join(others)}. Add these to the"
                " sources, or set others to the fewest and most in a mixture, such as 1 3."
            )
        return config if others else replace(config, others=NO_OTHERS)

    def require(self, split: str, sources: Sequence[str]) -> None:
        """Check that a split exists and holds every wanted source.

        Raises: DataError that lists what the split holds, or says that there is nothing to mix
          the source with.
        """
        if split not in self.splits:
            raise DataError(
                f"{self.directory} has no {split} split; it has {', '.join(self.splits)}. "
                f"Put recordings into {self.directory / split}."
            )
        existing = self.splits[split]
        for source in sources:
            if source not in existing:
                raise DataError(
                    f"{self.directory / split} ({self.layout}) holds no recording of {source!r}; it"
                    f" holds {', '.join(existing)}. Use one of these as the source, or add"
                    f" {source!r}."
                )
        if len(sources) == 1 and not self.others(split, sources):
            raise DataError(
                f"{self.directory / split} holds {sources[0]} and nothing else, so there is nothing"
                " to mix it with. Add recordings of others, such as"
                f" {self.directory / split / 'others'}/*.wav."
            )


def scan(
    directory: str | os.PathLike | Sequence[str | os.PathLike],
    *,
    sources: Sequence[str] | None = None,
    layout: SetLayout = "auto",
    leave_out: Sequence[str] = (),
    problems: list[str] | None = None,
    cache_dir: str | os.PathLike | None = None,
) -> Catalogue:
    """List the recordings of a data folder and read the header of every file.

    Args:
      directory: a data folder, or the folder or address of shards; a sequence of several is joined.
      sources: the wanted sources; needed where names alone do not distinguish the plain layouts.
      layout: the layout of the folder; 'auto' detects it. Shards store theirs.
      leave_out: recordings to leave out: patterns of SET/SPLIT/SOURCE/..., where * stands for
        anything.
      problems: collects what is wrong with single recordings, which are then left out; without this
        list, the first problem stops the scan. With it, recordings in two splits are listed in
        `Catalogue.doubles`.
      cache_dir: where recordings from shards are copied to; default: the user's cache folder.
    Returns: the catalogue.
    Raises: DataError for a folder that is missing, empty or ambiguous; for a file whose content
      does not match its name; for a recording in two splits of a plain folder; for a pattern that
      matches nothing; for shards as `shards.fetch` does.
    """
    several = [directory] if isinstance(directory, str | os.PathLike) else directory
    directories = [
        shards.fetch(one, cache_dir) if shards.holds_shards(one) else Path(one) for one in several
    ]
    sets: list[str] = []
    found: list[Found] = []
    for one in directories:
        names, part = _read(one, sources, layout, problems)
        sets.append("+".join(names))
        found.append(part)
    found = exclude(found, sets, leave_out)
    joined = found[0] if len(found) == 1 else join(found, sets)
    single = len(directories) == 1
    catalogue = Catalogue(
        **vars(joined),
        directory=directories[0] if single else Path(",".join(map(str, directories))),
        sets=names if single else tuple(sets),
    )
    collect = problems is not None
    if set(catalogue.sets) == {PLAIN}:
        return replace(catalogue, doubles=refuse_doubles(catalogue.splits, collect=collect))
    splits, notes = remove_doubles(catalogue.splits, skip_unreadable=collect)
    return replace(catalogue, splits=splits, notes=(*catalogue.notes, *notes))


def _read(
    directory: Path, sources: Sequence[str] | None, layout: SetLayout, problems: list[str] | None
) -> tuple[tuple[str, ...], Found]:
    """The data sets in a folder (several if they were packed together) and their recordings."""
    if not directory.is_dir():
        kind = "is a file" if directory.exists() else "does not exist"
        raise DataError(f"The data folder {directory} {kind}; a folder was expected: {LAYOUTS}.")
    if shards.holds_shards(directory):
        names, found = shards.read(directory, Listing(directory, problems))
    else:
        # a layout would take a folder that cannot be read for an empty one
        tree = Tree(directory, unreadable=partial(_refuse, problems))
        name, root = choose(directory, layout, tree)
        names, found = (name,), read_layout(name, root, Listing(root, problems, tree), sources)
    if not found.splits:
        reason = f"; {len(problems)} cannot be used" if problems else ""
        raise DataError(
            f"{directory}, read as {'+'.join(names)}, holds no usable recordings{reason}."
        )
    return names, found


def _refuse(problems: list[str] | None, folder: Path, error: OSError) -> None:
    """Raise DataError for a folder that cannot be read, unless problems are collected."""
    if problems is None:
        raise DataError(unreadable_folder(folder, error)) from error
    problems.append(unreadable_folder(folder, error))
