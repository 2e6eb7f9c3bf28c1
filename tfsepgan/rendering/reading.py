"""Score files: finding them in folders, and reading MIDI and MusicXML."""

import hashlib
import re
from pathlib import Path
from typing import NamedTuple

from tfsepgan.errors import DataError
from tfsepgan.files import files_below, refuse_unreadable
from tfsepgan.rendering.midi import read_midi
from tfsepgan.rendering.musicxml import read_musicxml
from tfsepgan.rendering.score import Score

MIDI_SUFFIXES = (".mid", ".midi")
MUSICXML_SUFFIXES = (".mxl", ".musicxml", ".xml")


class ScoreFile(NamedTuple):
    """A score that can be rendered."""

    path: Path
    collection: str
    """Name of the collection it belongs to, which has a licence."""
    label: str
    """A unique name that is valid in file names."""
    piece: str
    """Shared by all versions of one piece: the first folder below the collection, or the file name.
    """

    @property
    def digest(self) -> str:
        """SHA-256 of its bytes."""
        return hashlib.sha256(self.path.read_bytes()).hexdigest()


def find_scores(collections: dict[str, Path]) -> list[ScoreFile]:
    """Every MIDI and MusicXML file in folders, or single files, ordered by name.

    Args:
      collections: name, and a folder or a file.
    Raises: DataError when one does not exist or holds no scores.
    """
    found = []
    for name, root in collections.items():
        if not root.exists():
            raise DataError(f"There are no scores at {root}: it does not exist.")
        paths = [root] if root.is_file() else sorted(_below(root))
        paths = [path for path in paths if path.suffix.lower() in MIDI_SUFFIXES + MUSICXML_SUFFIXES]
        if not paths:
            wanted = ", ".join(MIDI_SUFFIXES + MUSICXML_SUFFIXES)
            raise DataError(f"{root} holds no scores; expected: {wanted}.")
        for path in paths:
            inner = path.relative_to(root) if root.is_dir() else Path(path.name)
            piece = inner.parts[0] if len(inner.parts) > 1 else inner.stem
            found.append(ScoreFile(path, name, _label(name, inner), f"{name}/{piece}"))
    return found


def read_score(path: Path) -> Score:
    """Read a score in the format of its suffix.

    Raises: DataError with the file's name.
    """
    return read_midi(path) if path.suffix.lower() in MIDI_SUFFIXES else read_musicxml(path)


def _below(root: Path):
    found = files_below(root, unreadable=refuse_unreadable)
    return (path for path in found if not path.name.startswith("."))


def _label(collection: str, inner: Path) -> str:
    """A readable name with a short checksum, because different names may become equal."""
    short = hashlib.sha256(f"{collection}/{inner.as_posix()}".encode()).hexdigest()[:6]
    words = re.sub(r"[^A-Za-z0-9]+", "-", f"{collection}-{inner.stem}").strip("-")
    return f"{words[:60]}-{short}"
