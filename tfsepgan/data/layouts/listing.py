"""What a layout returns: recordings by split and source, ignored files, and notes for the user."""

import contextlib
import json
import os
import re
from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import yaml

from tfsepgan.audio.formats import SUFFIXES
from tfsepgan.audio.recording import open_audio
from tfsepgan.data.layouts.source_file import SPLITS, SourceFile
from tfsepgan.data.layouts.tree import Tree
from tfsepgan.errors import DataError

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


@dataclass(frozen=True, kw_only=True)
class Found:
    """What a folder holds."""

    layout: Kind
    splits: Splits
    """Split, then source, then its files ordered by name."""
    ignored: tuple[str, ...] = ()
    """Names of files that are left out: hidden, not audio, or mixtures of songs."""
    notes: tuple[str, ...] = ()
    """Remarks on the data sets for the user."""
    mixes_songs: bool = False
    """Whether some joined sets hold songs and others unpaired recordings."""


class Listing:
    """Collects the recordings that a layout finds.

    A recording that cannot be used raises a DataError. With a list of `problems`, the problem is
    added to that list instead, and the recording is left out.
    """

    def __init__(
        self, directory: Path, problems: list[str] | None = None, tree: Tree | None = None
    ):
        """Start with an empty listing; `tree` is what is below the folder."""
        self.directory, self.problems, self.tree = directory, problems, tree
        self._files: dict[str, dict[str, list[SourceFile]]] = {}
        self._ignored: list[str] = []
        self._notes: list[str] = []

    def add(
        self,
        path: Path,
        *,
        split: str,
        source: str,
        track: str | None = None,
        below: str,
        set_number: int = 1,
        **parts: Any,
    ) -> None:
        """Read the heads of a recording's files and add it with its place in the native layout.

        Args:
          path, parts: see `open_audio`.
          split, source: of the recording.
          track: its song, if it belongs to one.
          below: its name below the source's folder (unpaired), or its name in its song's folder.
          set_number: see `SourceFile`.
        Raises: DataError as `open_audio` does, unless problems are collected.
        """
        inner = below.split("/")[:-1] if track is None else []
        with self.refusing():
            file = open_audio(path, f"{split}/{track or source}/{below}", **parts)
            place = {"track": track, "folder": "/".join((source, *inner[:1]))}
            place |= {"split": split, "source": source, "set_number": set_number}
            file = SourceFile(**vars(file), **place)
            self._files.setdefault(split, {}).setdefault(source, []).append(file)

    def add_song(
        self, track: str, split: str, stems: Mapping[str, Sequence[Path]], suffix: str
    ) -> None:
        """Add a song; the files of a source are summed."""
        for source, paths in sorted(stems.items()):
            place = {"split": split, "source": source, "track": track}
            self.add(paths[0], **place, below=f"{source}{suffix}", further=tuple(paths[1:]))

    def refuse(self, problem: str) -> None:
        """Report something that cannot be used.

        Raises: DataError, unless problems are collected.
        """
        if self.problems is None:
            raise DataError(problem)
        self.problems.append(problem)

    @contextlib.contextmanager
    def refusing(self) -> Iterator[None]:
        """Refuse what raises a DataError in the `with` block."""
        try:
            yield
        except DataError as error:
            self.refuse(str(error))

    def matching(self, folder: Path, pattern: re.Pattern[str]) -> dict[Path, re.Match[str]]:
        """The recordings directly in a folder whose names match; all others are ignored."""
        matches = {path: pattern.fullmatch(path.name) for path in self.tree.audio_in(folder)}
        self.ignore(*(f"{folder.name}/{path.name}" for path in matches if not matches[path]))
        return {path: match for path, match in matches.items() if match}

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

    def found(self, layout: Kind) -> Found:
        """Everything that was added, with splits and sources in order."""
        splits = {
            split: {source: tuple(files) for source, files in sorted(self._files[split].items())}
            for split in SPLITS
            if split in self._files
        }
        ignored, notes = tuple(self._ignored), tuple(self._notes)
        return Found(layout=layout, splits=splits, ignored=ignored, notes=notes)


def slug(label: str | Sequence[str]) -> str:
    """A label as a source name: 'Distorted Electric Guitar' becomes distorted_electric_guitar."""
    words = label if isinstance(label, str) else " and ".join(map(str, label))
    return re.sub(r"[^a-z0-9]+", "_", words.lower()).strip("_") or "unnamed"


def in_any_format(path: Path) -> Path | None:
    """This recording, or the same one converted to another format; None if there is neither."""
    places = (path, *map(path.with_suffix, SUFFIXES))
    return next((place for place in places if os.path.isfile(place)), None)


def read_description(path: Path) -> Any:
    """The content of a YAML or JSON file of a set.

    Raises: DataError when it cannot be read.
    """
    # Ten times as fast, if available; a set has thousands of these files.
    yaml_loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        text = path.read_text(encoding="utf-8")
        return json.loads(text) if path.suffix == ".json" else yaml_loader(text).get_single_data()
    except (OSError, ValueError, yaml.YAMLError) as error:
        raise unreadable(path, error) from error


def read_stems(path: Path, kind: type) -> dict[str, Any]:
    """The description of a song, in a YAML or JSON file of a set.

    Args:
      path: of the file.
      kind: `dict` or `list`, the type of its entry `stems`.
    Raises: DataError when it cannot be read or lists no stems.
    """
    described = read_description(path)
    if not isinstance(described, dict) or not isinstance(described.get("stems"), kind):
        raise DataError(f"{path} lists no stems. Copy it again.")
    return described


def unreadable(path: Path, error: Exception) -> DataError:
    """The error for a file of a set that cannot be read."""
    reason = str(error).splitlines()[0] if str(error) else type(error).__name__
    return DataError(
        f"{path}, which describes the recordings, cannot be read ({reason}). Copy it again."
    )
