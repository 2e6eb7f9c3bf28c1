"""The table of real recordings: recorded.json describes them; two lists have their checksums.

A line of a list is a checksum and `SOURCE/PATH`: SHA-256 in recorded.sha256; in recorded.large
git's id of the contents, for files above 4 MB, which the shipped model was not trained on.
"""

import hashlib
import json
from collections import Counter
from fnmatch import fnmatchcase
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from tfsepgan.errors import DataError

KEPT_SUFFIXES = (".wav", ".flac", ".ogg", ".mp3")  # kept unchanged; others become FLAC
DESCRIBED = ("title", "player", "licence", "credit", "what")  # of every recording
SPLIT = "train"
UNSAFE = '<>:"|?*\\'  # in names on some systems
GIT_ID = 40  # digits of git's id; SHA-256 has 64


class Recording(NamedTuple):
    """One file of a source, and the recording made from it."""

    source: str
    path: str  # in the source
    digest: str
    target: str  # below the output
    work: dict

    @property
    def cut(self) -> list[float] | None:
        """First and last second; None for the whole file."""
        return self.work.get("cut")

    @property
    def as_it_is(self) -> bool:
        """Whether the file is written unchanged."""
        return not self.cut and PurePosixPath(self.path).suffix.lower() in KEPT_SUFFIXES


def read_table(path: Path, *, large: bool = False) -> tuple[dict, list[Recording]]:
    """The sources, and every recording of the table.

    Args:
      large: also those of the list of large files.

    Raises: DataError when a file has no work or a work no file, when two have one target, or when a
      work lacks a field.
    """
    table = json.loads(path.read_text())
    listed, more = _lines(path.with_suffix(".sha256")), _lines(path.with_suffix(".large"))
    described: set[str] = set()
    recordings: list[Recording] = []
    for work in table["works"]:
        if missing := [key for key in (*DESCRIBED, "from", "files", "to") if not work.get(key)]:
            raise DataError(f"{path}: {work.get('title', work)} lacks {', '.join(missing)}.")
        patterns = [work["files"]] if isinstance(work["files"], str) else work["files"]
        patterns = [f"{work['from']}/{pattern}" for pattern in patterns]
        found = [
            line
            for line in [*listed, *more]
            if any(fnmatchcase(line[1], pattern) for pattern in patterns)
        ]
        if not found:
            raise DataError(f"{path}: {patterns[0]} is not in {path.stem}.sha256.")
        described |= {name for _, name in found}
        for digest, name in found if large else [line for line in found if line not in more]:
            inside = name.removeprefix(f"{work['from']}/")
            recordings.append(Recording(work["from"], inside, digest, _target(work, inside), work))
    if left := [name for _, name in [*listed, *more] if name not in described]:
        raise DataError(f"{path}: no work describes {left[0]}.")
    counted = Counter(recording.target.lower() for recording in recordings)
    if twice := [target for target, times in counted.items() if times > 1]:
        raise DataError(
            f"{path}: {counted[twice[0]]} recordings become {twice[0]}; give each a `name`."
        )
    return table["sources"], recordings


def _target(work: dict, inside: str) -> str:
    """The path of a file below the output."""
    path = PurePosixPath(inside)
    kept = (
        path.suffix.lower()
        if not work.get("cut") and path.suffix.lower() in KEPT_SUFFIXES
        else ".flac"
    )
    name = work.get("name") or "_".join(path.with_suffix("").parts[work.get("level", -1) :])
    safe = "".join("_" if letter in UNSAFE else letter for letter in name)
    return f"{SPLIT}/{work['to']}/{safe}{kept}"


def digest_of(data: bytes, like: str) -> str:
    """The checksum of a file's bytes, of the same kind as `like`."""
    if len(like) == GIT_ID:
        return hashlib.sha1(b"blob %d\0" % len(data) + data, usedforsecurity=False).hexdigest()
    return hashlib.sha256(data).hexdigest()


def _lines(path: Path) -> list[list[str]]:
    """Checksum and name of each file of a list."""
    return [line.split("  ", 1) for line in path.read_text().splitlines()] if path.is_file() else []
