"""What a layout fills in: recordings by split and source, what was left out, and what people should
know."""

import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal, NamedTuple

import yaml

from tfsepgan.audio.formats import SUFFIXES
from tfsepgan.audio.recording import AudioFile, open_audio
from tfsepgan.errors import DataError

SPLITS = ("train", "valid", "test")
Kind = Literal["unpaired", "multitrack"]
Splits = dict[str, dict[str, tuple[AudioFile, ...]]]
_NAMED = 3  # examples in a note


class Found(NamedTuple):
    """What a folder holds."""

    kind: Kind
    splits: Splits
    ignored: tuple[str, ...]
    notes: tuple[str, ...]
    song_sets: tuple[int, ...] = ()
    """Of joined sets: numbers of those whose songs lie among unpaired recordings."""


class Listing:
    """Recordings as a layout finds them.

    A recording that cannot be used stops the listing with a DataError; with a list of `problems` it
    is added there and left out instead.
    """

    def __init__(self, directory: Path, problems: list[str] | None = None):
        """Start empty."""
        self.directory, self.problems = directory, problems
        self._files: dict[str, dict[str, list[AudioFile]]] = {}
        self._ignored: list[str] = []
        self._notes: list[str] = []

    def add(
        self,
        source: str,
        name: str,
        path: Path,
        *,
        further: Sequence[Path] = (),
        channel: int | None = None,
        stream: int | None = None,
    ) -> None:
        """Add one recording.

        Args:
          source: what is heard in it.
          name: its place in the native layout, `split/source/...` or `split/track/source.ext`.
          path, further, channel, stream: see AudioFile.
        """
        try:
            file = open_audio(path, name, further=tuple(further), channel=channel, stream=stream)
        except DataError as error:
            self.refuse(str(error))
        else:
            self._files.setdefault(name.split("/")[0], {}).setdefault(source, []).append(file)

    def refuse(self, problem: str) -> None:
        """Say that something cannot be used.

        Raises: DataError, unless problems are collected.
        """
        if self.problems is None:
            raise DataError(problem)
        self.problems.append(problem)

    def ignore(self, *names: str) -> None:
        """Name files that are left out."""
        self._ignored += names

    def note(self, text: str) -> None:
        """Say something that people should know about the set."""
        self._notes.append(text)

    def note_names(self, names: Sequence[str], text: str) -> None:
        """Say something about several things, the first of which are named; nothing of none."""
        if names:
            some = ", ".join(names[:_NAMED]) + (" and so on" if len(names) > _NAMED else "")
            self.note(f"{len(names)} {text}: {some}.")

    def found(self, kind: Kind) -> Found:
        """All that was added, splits and sources in order."""
        splits = {
            split: {source: tuple(files) for source, files in sorted(self._files[split].items())}
            for split in SPLITS
            if split in self._files
        }
        return Found(kind, splits, tuple(self._ignored), tuple(self._notes))


def slug(label: str | Sequence[str]) -> str:
    """A label of a set as the name of a source: 'Distorted Electric Guitar' is
    distorted_electric_guitar."""
    words = label if isinstance(label, str) else " and ".join(map(str, label))
    return re.sub(r"[^a-z0-9]+", "_", words.lower()).strip("_") or "unnamed"


def folders(directory: Path) -> list[Path]:
    """Folders in a folder by name, hidden ones left out; none where it is no folder or cannot be
    read."""
    try:
        return sorted(
            path for path in directory.iterdir() if path.is_dir() and not path.name.startswith(".")
        )
    except OSError:
        return []


def audio_in(directory: Path) -> list[Path]:
    """Recordings right in a folder, by name."""
    try:
        names = sorted(
            path.name for path in directory.iterdir() if path.name.lower().endswith(SUFFIXES)
        )
    except OSError:
        return []
    return [directory / name for name in names if not name.startswith(".")]


def in_any_format(path: Path) -> Path | None:
    """The recording of this name, or the same in another format, as people convert sets; None where
    there is none."""
    return next(
        (
            one
            for one in (path, *(path.with_suffix(suffix) for suffix in SUFFIXES))
            if one.is_file()
        ),
        None,
    )


def read_yaml(path: Path) -> Any:
    """What a YAML file of a set holds.

    Raises: DataError when it cannot be read.
    """
    # ten times as fast; a set has thousands of these
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
    """What a JSON file of a set holds.

    Raises: DataError when it cannot be read.
    """
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise _unreadable(path, error) from error


def _unreadable(path: Path, error: Exception) -> DataError:
    reason = str(error).splitlines()[0] if str(error) else type(error).__name__
    return DataError(
        f"{path}, which says what the recordings are, cannot be read ({reason}). Copy it again."
    )
