"""What a layout returns: recordings by split and source, ignored files, and notes for the user."""

import json
import os
import re
from collections.abc import Container, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, NamedTuple

import yaml

from tfsepgan.audio.formats import SUFFIXES
from tfsepgan.data.layouts.source_file import SourceFile, open_source
from tfsepgan.errors import DataError

SPLITS = ("train", "valid", "test")
Kind = Literal["unpaired", "multitrack"]
Splits = dict[str, dict[str, tuple[SourceFile, ...]]]
_EXAMPLES = 3  # named in a note


def files_in(splits: Splits) -> list[SourceFile]:
    """All recordings, in order."""
    return [file for sources in splits.values() for files in sources.values() for file in files]


def only(splits: Splits, kept: Container[SourceFile]) -> Splits:
    """The splits with some of their recordings; sources and splits without any are left out."""
    remaining: Splits = {}
    for split, sources in splits.items():
        for source, files in sources.items():
            if some := tuple(file for file in files if file in kept):
                remaining.setdefault(split, {})[source] = some
    return remaining


class Found(NamedTuple):
    """What a folder holds."""

    kind: Kind
    splits: Splits
    ignored: tuple[str, ...]
    notes: tuple[str, ...]
    mixes_songs: bool = False
    """Whether some joined sets hold songs and others unpaired recordings."""


class Listing:
    """Collects the recordings that a layout finds.

    A recording that cannot be used raises a DataError. With a list of `problems`, the problem is
    added to that list instead, and the recording is left out.
    """

    def __init__(self, directory: Path, problems: list[str] | None = None):
        """Start with an empty listing."""
        self.directory, self.problems = directory, problems
        self._files: dict[str, dict[str, list[SourceFile]]] = {}
        self._ignored: list[str] = []
        self._notes: list[str] = []

    def add(self, path: Path, *, split: str, source: str, **place: Any) -> None:
        """Add one recording; the arguments are those of `open_source`."""
        try:
            file = open_source(path, split=split, source=source, **place)
        except DataError as error:
            self.refuse(str(error))
        else:
            self._files.setdefault(split, {}).setdefault(source, []).append(file)

    def add_song(
        self, track: str, split: str, stems: Mapping[str, Sequence[Path]], suffix: str
    ) -> None:
        """Add a song; the files of a source are summed."""
        for source, paths in sorted(stems.items()):
            place = {"split": split, "source": source, "track": track}
            self.add(paths[0], **place, below=f"{source}{suffix}", further=paths[1:])

    def refuse(self, problem: str) -> None:
        """Report something that cannot be used.

        Raises: DataError, unless problems are collected.
        """
        if self.problems is None:
            raise DataError(problem)
        self.problems.append(problem)

    def ignore(self, *names: str) -> None:
        """Record the names of files that are left out."""
        self._ignored += names

    def note(self, text: str) -> None:
        """Add a remark on the set for the user."""
        self._notes.append(text)

    def note_names(self, names: Sequence[str], text: str) -> None:
        """Add a note that counts some names and lists the first few; no note if there are none."""
        if names:
            some = ", ".join(names[:_EXAMPLES]) + (" and so on" if len(names) > _EXAMPLES else "")
            self.note(f"{len(names)} {text}: {some}.")

    def found(self, kind: Kind) -> Found:
        """Everything that was added, with splits and sources in order."""
        splits = {
            split: {source: tuple(files) for source, files in sorted(self._files[split].items())}
            for split in SPLITS
            if split in self._files
        }
        return Found(kind, splits, tuple(self._ignored), tuple(self._notes))


def slug(label: str | Sequence[str]) -> str:
    """A label as a source name: 'Distorted Electric Guitar' becomes distorted_electric_guitar."""
    words = label if isinstance(label, str) else " and ".join(map(str, label))
    return re.sub(r"[^a-z0-9]+", "_", words.lower()).strip("_") or "unnamed"


def folders(directory: Path) -> list[Path]:
    """The visible folders in a folder, by name; empty if it is not a readable folder."""
    try:
        return sorted(
            path
            for path in directory.iterdir()
            if os.path.isdir(path) and not path.name.startswith(".")
        )
    except OSError:
        return []


def audio_in(directory: Path) -> list[Path]:
    """The recordings directly in a folder, by name."""
    try:
        names = sorted(
            path.name for path in directory.iterdir() if path.name.lower().endswith(SUFFIXES)
        )
    except OSError:
        return []
    return [directory / name for name in names if not name.startswith(".")]


def in_any_format(path: Path) -> Path | None:
    """This recording, or the same one converted to another format; None if there is neither."""
    return next(
        (
            one
            for one in (path, *(path.with_suffix(suffix) for suffix in SUFFIXES))
            if os.path.isfile(one)
        ),
        None,
    )


def read_yaml(path: Path) -> Any:
    """The content of a YAML file of a set.

    Raises: DataError when it cannot be read.
    """
    # Ten times as fast, if available; a set has thousands of these files.
    loader_type = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        loader = loader_type(path.read_text(encoding="utf-8"))
        try:
            return loader.get_single_data()
        finally:
            loader.dispose()
    except (OSError, ValueError, yaml.YAMLError) as error:
        raise _unreadable(path, error) from error


def read_json(path: Path) -> Any:
    """The content of a JSON file of a set.

    Raises: DataError when it cannot be read.
    """
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise _unreadable(path, error) from error


def _unreadable(path: Path, error: Exception) -> DataError:
    reason = str(error).splitlines()[0] if str(error) else type(error).__name__
    return DataError(
        f"{path}, which describes the recordings, cannot be read ({reason}). Copy it again."
    )
