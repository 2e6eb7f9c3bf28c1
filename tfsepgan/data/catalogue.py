"""The catalogue: which recordings a data folder holds, for which source, in which split.

The folder is a plain one (`layouts.plain`), a set of this field as it is distributed (`layouts.table`), or holds recordings in
`shards`; several may be joined (`joining`). The splits are `train`, `valid` and `test`.
"""

import fnmatch
import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

from tfsepgan.audio.recording import AudioFile
from tfsepgan.config import MIXTURE, NO_OTHERS, DataConfig, SetLayout
from tfsepgan.data import shards
from tfsepgan.data.duplicates import doubles
from tfsepgan.data.joining import join, set_number
from tfsepgan.data.layouts.listing import SPLITS, Found, Kind, Listing
from tfsepgan.data.layouts.plain import LAYOUTS
from tfsepgan.data.layouts.table import choose, read_layout
from tfsepgan.errors import ConfigError, DataError


class SummaryRow(NamedTuple):
    """What one split holds of one source."""

    split: str
    source: str
    files: int
    minutes: float
    rates_hz: tuple[int, ...]
    channels: tuple[int, ...]


@dataclass(frozen=True, kw_only=True)
class Catalogue:
    """The recordings of a data folder."""

    directory: Path
    layout: Kind
    splits: dict[str, dict[str, tuple[AudioFile, ...]]]
    """Split, then source, then its files in the order of their names."""
    ignored: tuple[str, ...] = ()
    """Names of the files that were left out: hidden, not audio, or mixtures of a song."""
    sets: tuple[str, ...] = ("plain",)
    """The sets that it was read from, as `--layout` names them."""
    notes: tuple[str, ...] = ()
    """What people should know about them."""
    song_sets: tuple[int, ...] = ()
    """Numbers, from 1, of the joined sets whose songs lie among unpaired recordings."""
    doubles: tuple[str, ...] = ()
    """Recordings that stand in two splits of plain folders, where problems are collected: no training can be run on them."""

    def summary(self) -> list[SummaryRow]:
        """How many files and minutes each split holds of each source, at which rates and channel counts."""
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

    def folder(self, file: AudioFile) -> str:
        """The instrument folder of a file: the first folder below its source, or else the source itself.

        In a multitrack set it is the name of the source.
        """
        parts = file.name.split("/")
        if self.layout == "multitrack":
            return parts[2].rpartition(".")[0]
        return "/".join(parts[1:3]) if len(parts) > 3 else parts[1]

    def place(self, file: AudioFile) -> str:
        """The set and folder of a file, by which recordings are balanced; of songs the set alone."""
        songs, number = self.layout == "multitrack", self.set_number(file)
        return str(number) if songs else f"{number} {self.folder(file)}"

    def set_number(self, file: AudioFile) -> int:
        """Which of the joined sets a recording is of, from 1."""
        return set_number(file, songs=self.layout == "multitrack") if len(self.sets) > 1 else 1

    def track(self, file: AudioFile) -> str | None:
        """The song that a recording is a source of; None for an unpaired one."""
        if self.layout == "multitrack":
            return file.name.split("/")[1]
        if self.song_sets and self.set_number(file) in self.song_sets:
            return file.name.rpartition("/")[2].rpartition(".")[0]
        return None

    def unit(self, file: AudioFile) -> str:
        """What stays whole: the song that a recording is of, as SPLIT/SONG, or the recording."""
        track = self.track(file)
        return file.name if track is None else f"{file.name.partition('/')[0]}/{track}"

    def tracks(self, split: str) -> dict[str, dict[str, AudioFile]]:
        """The songs of a split: track, then source, then its file. Empty for an unpaired set."""
        songs: dict[str, dict[str, AudioFile]] = {}
        for source, files in self.splits.get(split, {}).items():
            for file in files:
                if (track := self.track(file)) is not None:
                    songs.setdefault(track, {})[source] = file
        return dict(sorted(songs.items()))

    def others(self, split: str, sources: Sequence[str]) -> tuple[str, ...]:
        """What a split holds beside the sources asked for: the "others" of a mixture.

        Without any, every source is named, and the residual of a mixture is zero by construction. Whatever depends on that asks here.
        """
        return tuple(source for source in self.splits[split] if source not in sources and source != MIXTURE)

    def settled(self, config: DataConfig) -> DataConfig:
        """The settings as they are for these recordings: `others` is 0 0 where every source of the train split is named.

        Raises: ConfigError when it is 0 0 already and there are others.
        """
        if "train" not in self.splits:
            return config
        others = self.others("train", config.sources)
        if others and config.others == NO_OTHERS:
            raise ConfigError(
                f"others is 0 0, which is for recordings whose every source is named; {self.directory / 'train'} also holds "
                f"{', '.join(others)}. Name these as sources too, or give others the fewest and most in a mixture, as 1 3."
            )
        return config if others else replace(config, others=NO_OTHERS)

    def require(self, split: str, sources: Sequence[str]) -> None:
        """Make sure that a split is there and holds every source asked for.

        Raises: DataError that says what is there instead, or that nothing is there to mix it with.
        """
        if split not in self.splits:
            raise DataError(
                f"{self.directory} has no {split} split; it has {', '.join(self.splits)}. "
                f"Put recordings into {self.directory / split}."
            )
        there = self.splits[split]
        for source in sources:
            if source not in there:
                raise DataError(
                    f"{self.directory / split} ({self.layout}) holds no recording of {source!r}; it holds "
                    f"{', '.join(there)}. Name one of these as the source, or add {source!r}."
                )
        if len(sources) == 1 and not self.others(split, sources):
            raise DataError(
                f"{self.directory / split} holds {sources[0]} and nothing else, so nothing is there to mix it with. "
                f"Add recordings of others, as {self.directory / split / 'others'}/*.wav."
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
    """Look through a data folder, reading the head of every file.

    Args:
      directory: the data folder, or the folder or address of shards; or several, which are joined.
      sources: the sources that will be separated, which tell the plain layouts apart where the names alone do not.
      layout: how the folder is laid out; 'auto' finds out. Shards say it themselves.
      leave_out: recordings that are not used: patterns of SET/SPLIT/SOURCE/..., in which * stands for anything.
      problems: what is wrong with single recordings is added here, and they are left out; without it the first stops
        the scan. Recordings that stand in two splits are then listed in `Catalogue.doubles`.
      cache_dir: where the recordings of shards are brought to; default: the user's cache folder.
    Returns: the catalogue.
    Raises: DataError for a folder that is missing, empty, or could be read in several ways; for a file that is
      not what its name says; for a recording that stands in two splits of a plain folder; for a pattern that leaves
      nothing out; for shards as `shards.fetch` does.
    """
    several = [directory] if isinstance(directory, str | os.PathLike) else directory
    directories = [shards.fetch(one, cache_dir) if shards.holds_shards(one) else Path(one) for one in several]
    sets: list[str] = []
    found: list[Found] = []
    for one in directories:
        names, part = _read(one, sources, layout, problems)
        sets.append("+".join(names))
        found.append(part)
    found = _left_out(found, sets, leave_out)
    joined = found[0] if len(found) == 1 else join(found, sets)
    catalogue = Catalogue(
        directory=directories[0] if len(directories) == 1 else Path(",".join(map(str, directories))),
        layout=joined.kind,
        splits=joined.splits,
        ignored=joined.ignored,
        sets=names if len(directories) == 1 else tuple(sets),
        notes=joined.notes,
        song_sets=joined.song_sets,
    )
    return _without_doubles(catalogue, collect=problems is not None)


def _read(
    directory: Path, sources: Sequence[str] | None, layout: SetLayout, problems: list[str] | None
) -> tuple[tuple[str, ...], Found]:
    """The sets of a folder, several where they were packed together, and what it holds."""
    if not directory.is_dir():
        kind = "is a file" if directory.exists() else "does not exist"
        raise DataError(f"The data folder {directory} {kind}; a folder was expected: {LAYOUTS}.")
    if shards.holds_shards(directory):
        names, found = shards.read(directory, Listing(directory, problems))
    else:
        name, root = choose(directory, layout)
        names, found = (name,), read_layout(name, root, Listing(root, problems), sources)
    if not found.splits:
        reason = f"; {len(problems)} cannot be used" if problems else ""
        raise DataError(f"{directory}, read as {'+'.join(names)}, holds no recordings that can be used{reason}.")
    return names, found


def _left_out(found: list[Found], sets: list[str], patterns: Sequence[str]) -> list[Found]:
    """Without the recordings that a pattern names."""
    unused = set(patterns)
    kept = []
    for name, one in zip(sets, found, strict=True):
        splits: dict[str, dict[str, tuple[AudioFile, ...]]] = {}
        for split, sources in one.splits.items():
            for source, files in sources.items():
                fits = {file: [p for p in patterns if fnmatch.fnmatchcase(f"{name}/{file.name}", p)] for file in files}
                unused -= {pattern for fitting in fits.values() for pattern in fitting}
                if left := tuple(file for file in files if not fits[file]):
                    splits.setdefault(split, {})[source] = left
        kept.append(one._replace(splits=splits))
    if unused:
        example = next(file for sources in found[0].splits.values() for files in sources.values() for file in files)
        raise DataError(
            f"Nothing is left out by {sorted(unused)[0]!r}. A pattern fits SET/NAME of a recording, as {sets[0]}/{example.name}; "
            "* stands for anything."
        )
    if not any(one.splits for one in kept):
        raise DataError(f"leave_out is {list(patterns)}, which leaves nothing to be heard. Leave out less.")
    return kept


def _without_doubles(catalogue: Catalogue, *, collect: bool) -> Catalogue:
    """Refuse a recording that stands in two splits; in a distributed set, which nobody can mend, leave one out and say so."""
    drop: dict[str, str] = {}
    named: list[str] = []
    for double in doubles(catalogue.splits, skip_unreadable=collect):
        if set(catalogue.sets) == {"plain"}:
            problem = (
                f"{double.other_file.path} and {double.file.path} are the same recording in two splits, so a "
                f"score on {double.split} would be of music that the model was made from. Remove one."
            )
            if not collect:
                raise DataError(problem)
            named.append(problem)
        else:
            pair = sorted([(double.split, double.file), (double.other_split, double.other_file)], key=_split_order)
            drop[catalogue.unit(pair[0][1])] = pair[1][1].name
    if not drop:
        return replace(catalogue, doubles=tuple(named))
    splits = {
        split: {
            source: kept
            for source, files in sources.items()
            if (kept := tuple(file for file in files if catalogue.unit(file) not in drop))
        }
        for split, sources in catalogue.splits.items()
    }
    splits = {split: sources for split, sources in splits.items() if sources}
    notes = [f"{name} is left out: it is also {other}." for name, other in drop.items()]
    return replace(catalogue, splits=splits, notes=(*catalogue.notes, *notes))


def _split_order(entry: tuple[str, AudioFile]) -> int:
    return SPLITS.index(entry[0])
