"""The files and folders below a data folder, from one walk: a folder may be on a slow disk."""

from collections.abc import Callable, Iterator
from pathlib import Path

from tfsepgan.audio.formats import SUFFIXES
from tfsepgan.files import files_below


class Tree:
    """What is below a folder; links to folders are followed, and hidden folders left out."""

    def __init__(
        self,
        root: Path,
        unreadable: Callable[[Path, OSError], object] = lambda folder, error: None,
    ):
        """
        Args:
          root: the folder.
          unreadable: called with each folder that cannot be read, and its error.
        """
        self._entries: dict[str, list[tuple[str, bool]]] = {}
        """The names in each folder, and whether they are folders, in order."""

        def note(path: Path, *, is_folder: bool) -> bool:
            self._entries.setdefault(str(path.parent), []).append((path.name, is_folder))
            return is_folder

        for file in files_below(
            root, unreadable=unreadable, enter=lambda folder, beside: note(folder, is_folder=True)
        ):
            note(file, is_folder=False)

    def folders(self, folder: Path) -> list[Path]:
        """The visible folders in a folder, by name; none if it is not in the tree."""
        return [folder / name for name, is_folder in self._in(folder) if is_folder]

    def files(self, folder: Path) -> list[Path]:
        """The files directly in a folder, and its hidden folders, by name."""
        return [folder / name for name, is_folder in self._in(folder) if not is_folder]

    def audio_in(self, folder: Path) -> list[Path]:
        """The recordings directly in a folder, by name."""
        return [path for path in self.files(folder) if is_audio(path.name)]

    def below(self, folder: Path) -> Iterator[Path]:
        """The files below a folder, ordered by name, as `files.files_below` gives them."""
        for name, is_folder in self._in(folder):
            yield from self.below(folder / name) if is_folder else (folder / name,)

    def _in(self, folder: Path) -> list[tuple[str, bool]]:
        return self._entries.get(str(folder), [])


def is_audio(name: str) -> bool:
    """Whether a file name is that of a recording: visible, with one of the suffixes."""
    return not name.startswith(".") and name.lower().endswith(SUFFIXES)
