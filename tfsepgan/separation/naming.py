"""The recordings to separate, and a folder below the output for the stems of each.

Names come from files and models of unknown origin: none may lead out of the output folder, and no
two recordings share a folder.
"""

import os
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

from tfsepgan.audio.formats import SUFFIXES
from tfsepgan.errors import ConfigError, DataError

_UNSAFE = re.compile(r'[\x00-\x1f\x7f/\\:*?"<>|]')
# device names on Windows
_RESERVED = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", re.IGNORECASE)
MAX_NAME_BYTES = 200  # file systems allow 255; temporary names are a little longer


@dataclass(frozen=True, kw_only=True)
class Recording:
    """A file to separate, and the folder for its stems, relative to the output."""

    path: Path
    track: PurePosixPath


def is_safe_name(name: str) -> bool:
    """Whether `safe_name` keeps a name as it is, so that any system takes it as a file name."""
    return bool(name) and safe_name(name) == name


def safe_name(name: str) -> str:
    """A name that is one path component on any system; unsafe characters become "_".

    Args:
      name: any text, such as a file's name without its suffix.
    Returns: a name of 1 to 200 bytes that is neither "." nor ".." nor hidden.
    """
    plain = _UNSAFE.sub("_", name).strip()
    if plain.startswith("."):
        plain = "_" + plain[1:]
    if plain.endswith("."):
        plain = plain[:-1] + "_"
    if _RESERVED.fullmatch(plain):
        plain = "_" + plain
    shortened = plain.encode("utf-8", "replace")[:MAX_NAME_BYTES].decode("utf-8", "ignore")
    return shortened.strip() or "_"


def find_inputs(
    inputs: Sequence[str | os.PathLike], output_dir: str | os.PathLike
) -> list[Recording]:
    """Find the recordings among files and folders; each gets its own folder for its stems.

    A file is taken whatever its suffix. Folders are searched recursively for the suffixes in
    `audio.formats.SUFFIXES`; hidden files, hidden folders and the output folder are left out. A
    recording in a folder keeps its relative path. Where two recordings would share a folder, their
    suffixes, the names of their parent folders, and at last a number are added.

    Args:
      inputs: files and folders.
      output_dir: folder for the stems; need not exist.
    Returns: recordings in a stable order, no file twice.
    Raises: DataError for an empty name, a path that does not exist, or a folder without audio.
    """
    found: dict[Path, PurePosixPath] = {}
    for name in inputs:
        if not os.fspath(name):
            raise DataError(
                "got an empty name among the inputs; wanted files and folders: is a variable of the"
                " shell not set?"
            )
        path = Path(name)
        if path.is_dir():
            for file in _walk(path, Path(output_dir).resolve()):
                found.setdefault(file.resolve(), PurePosixPath(*file.relative_to(path).parts))
        elif path.exists():
            found.setdefault(path.resolve(), PurePosixPath(path.name))
        else:
            raise DataError(f"{path} does not exist; wanted an audio file or a folder of them")
    if not found:
        raise DataError("got nothing to separate; name at least one audio file or folder")
    return _distinct([Recording(path=path, track=relative) for path, relative in found.items()])


def chosen_stems(stems: Sequence[str], only: Sequence[str] | None) -> tuple[str, ...]:
    """The names of the stems to write, in the model's order.

    Raises: ConfigError for a name that is no stem of the model.
    """
    if only is None:
        return tuple(stems)
    unknown = [name for name in only if name not in stems]
    if unknown or not only:
        wrong = repr(unknown[0]) if unknown else "no name"
        raise ConfigError(
            f"got {wrong} as a stem to write; the stems of the model are {', '.join(stems)}"
        )
    return tuple(name for name in stems if name in only)


def _walk(directory: Path, output: Path) -> list[Path]:
    files, mixed = [], directory.resolve() == output
    for folder, below, names in os.walk(directory):
        here = Path(folder)
        # where the output is the input folder, the stems of song.wav are in song/ beside it
        own = (
            {safe_name(one) for name in names for one in (without_suffix(name), name)}
            if mixed
            else ()
        )
        below[:] = sorted(
            one
            for one in below
            if one[0] != "." and one not in own and (here / one).resolve() != output
        )
        files += [
            here / one
            for one in sorted(names)
            if one[0] != "." and Path(one).suffix.lower() in SUFFIXES
        ]
    if not files:
        raise DataError(
            f"{directory} holds no audio; wanted files with one of the suffixes"
            f" {', '.join(sorted(SUFFIXES))} in it or below"
        )
    return files


def _distinct(recordings: list[Recording]) -> list[Recording]:
    """Turn relative paths into folders, with more of the path where two would share one."""
    common = Path(os.path.commonpath([one.path.parent for one in recordings]))
    spellings = (  # from the shortest to the longest
        lambda one: one.track.with_name(without_suffix(one.track.name)),
        lambda one: one.track,
        lambda one: PurePosixPath(*one.path.relative_to(common).parts),
    )
    tracks = [_safe_track(spellings[0](one)) for one in recordings]
    for longer in spellings[1:]:
        counts = Counter(str(track).casefold() for track in tracks)
        tracks = [
            _safe_track(longer(one)) if counts[str(track).casefold()] > 1 else track
            for one, track in zip(recordings, tracks, strict=True)
        ]
    taken: set[str] = set()
    for place, track in enumerate(tracks):  # names that differ in case or unsafe characters only
        number = 1
        while str(tracks[place]).casefold() in taken:
            number += 1
            tracks[place] = track.with_name(f"{track.name} {number}")
        taken.add(str(tracks[place]).casefold())
    return [replace(one, track=track) for one, track in zip(recordings, tracks, strict=True)]


def without_suffix(name: str) -> str:
    """A file's name without its audio suffix; the ".5" of "take 1.5" is no suffix and stays."""
    stem, suffix = os.path.splitext(name)
    return stem if suffix.lower() in SUFFIXES else name


def _safe_track(path: PurePosixPath) -> PurePosixPath:
    return PurePosixPath(*(safe_name(part) for part in path.parts))
