"""Finds the recordings in files and folders; lists, with reasons, what it cannot use."""

import os
import stat
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from tfsepgan.audio.formats import SUFFIXES
from tfsepgan.errors import DataError
from tfsepgan.files import files_below, unreadable_folder
from tfsepgan.separation.naming import (
    RESULTS,
    Recording,
    distinct,
    names_in,
    safe_name,
    without_suffix,
)

_NAMED = 8  # names in a note


@dataclass(frozen=True, kw_only=True)
class Unread:
    """An input, or a folder in one, that cannot be read, and why."""

    path: Path
    reason: str


def find_inputs(
    inputs: Sequence[str | os.PathLike],
    output_dir: str | os.PathLike,
    *,
    problems: list[Unread] | None = None,
    notes: list[str] | None = None,
) -> list[Recording]:
    """Find the recordings among files and folders; each gets its own folder for its stems.

    A file is taken whatever its suffix. Folders are searched recursively for the suffixes in
    `audio.formats.SUFFIXES`; hidden files, hidden folders and the output folder are left out. A
    recording in a folder keeps its relative path. Where two recordings would share a folder, their
    suffixes, the names of their parent folders, and at last a number are added.

    Args:
      inputs: files and folders.
      output_dir: folder for the stems; need not exist.
      problems: collects what cannot be read; without this list, the first problem is raised.
      notes: collects sentences on what is left out.
    Returns: recordings in a stable order, no file twice.
    Raises: DataError for an empty name; without `problems`, also for a path that does not exist, a
      folder that cannot be read, or a folder without audio.
    """
    search = _Search(Path(output_dir).resolve(), problems)
    for name in inputs:
        if not os.fspath(name):
            raise DataError(
                "got an empty name among the inputs; wanted files and folders: is a variable of the"
                " shell not set?"
            )
        search.add(Path(name))
    if notes is not None:
        notes += search.notes()
    if not search.found:
        if problems:
            return []
        raise DataError("got nothing to separate; name at least one audio file or folder")
    return distinct(search.recordings())


def track_of(path: Path) -> str:
    """The name that `find_inputs` gives a recording that is its only input."""
    return names_in({path.name, *_audio_in(path.parent)})[path.name]


class _Search:
    """Collects recordings, and what is left out, by reason."""

    def __init__(self, output: Path, problems: list[Unread] | None):
        self.found: dict[Path, tuple[Path, PurePosixPath]] = {}
        """By real path: the path as given, and the folder relative to the input."""
        self._output, self._problems = output, problems
        self._left_out: dict[str, list[str]] = {}

    def add(self, path: Path) -> None:
        """Add a file, or the recordings in a folder."""
        try:
            is_folder = stat.S_ISDIR(path.stat().st_mode)
        except FileNotFoundError:
            self._refuse(path, f"{path} does not exist; wanted an audio file or a folder of them")
        except OSError as error:
            self._refuse(path, unreadable_folder(path, error))
        else:
            if is_folder:
                self._walk(path)
            else:
                self._take(path, PurePosixPath())

    def recordings(self) -> list[Recording]:
        """The recordings; tracks are unique in their folder only."""
        beside: dict[Path, set[str]] = {}
        for file, _ in self.found.values():
            beside.setdefault(file.parent, set()).add(file.name)
        names = {
            folder: names_in(taken | set(_audio_in(folder))) for folder, taken in beside.items()
        }
        return [
            Recording(
                path=real,
                track=PurePosixPath(*map(safe_name, inner.parts), names[file.parent][file.name]),
            )
            for real, (file, inner) in self.found.items()
        ]

    def notes(self) -> list[str]:
        """A sentence for each reason why something is left out."""
        return [
            f"left out, as {reason}: {', '.join(names[:_NAMED])}"
            + (f" and {len(names) - _NAMED} more" if len(names) > _NAMED else "")
            for reason, names in self._left_out.items()
        ]

    def _take(self, file: Path, inner: PurePosixPath) -> None:
        first, _ = self.found.setdefault(file.resolve(), (file, inner))
        if os.path.abspath(first) != os.path.abspath(file):
            self._leave_out(file, "the same file has another name too")

    def _leave_out(self, path: Path, reason: str) -> None:
        self._left_out.setdefault(reason, []).append(str(path))

    def _refuse(self, path: Path, reason: str) -> None:
        if self._problems is None:
            raise DataError(reason)
        self._problems.append(Unread(path=path, reason=reason))

    def _walk(self, directory: Path) -> None:
        mixed = directory.resolve() == self._output
        taken = problems = 0

        def enter(folder: Path, files: Sequence[str]) -> bool:
            # where the output is the input folder, the stems of song.wav are in song/ beside it
            own = {
                *(names_in(filter(_is_audio, files)).values() if mixed else ()),
                *(safe_name(without_suffix(one)) for one in files if mixed),
            }
            if folder.resolve() == self._output or folder.name in own:
                self._leave_out(folder, "stems are written there")
                return False
            return True

        def unreadable(folder: Path, error: OSError) -> None:
            nonlocal problems
            problems += 1
            self._refuse(folder, unreadable_folder(folder, error))

        for file in files_below(directory, unreadable=unreadable, enter=enter):
            inner = PurePosixPath(*file.relative_to(directory).parent.parts)
            if _is_audio(file.name):
                taken += 1
                self._take(file, inner)
            elif not file.name.startswith(".") and not (mixed and file.name == RESULTS):
                self._leave_out(file, "their suffix is not that of a recording")
        if not taken and not problems:
            self._refuse(
                directory,
                f"{directory} holds no audio; wanted files with one of the suffixes"
                f" {', '.join(sorted(SUFFIXES))} in it or below",
            )


def _is_audio(name: str) -> bool:
    return not name.startswith(".") and name.lower().endswith(SUFFIXES)


def _audio_in(folder: Path) -> list[str]:
    """The names of the recordings directly in a folder; none if it cannot be listed."""
    try:
        return [
            entry.name for entry in os.scandir(folder) if _is_audio(entry.name) and entry.is_file()
        ]
    except OSError:
        return []
