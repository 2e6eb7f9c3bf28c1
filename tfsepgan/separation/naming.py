"""Names of recordings as folders below the output, one for the stems of each.

Names come from files and models of unknown origin: none may lead out of the output folder, and no
two recordings share a folder. The name of a recording depends on it and the files beside it, so it
is the same whether it is separated alone or with others.
"""

import os
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePath, PurePosixPath

from tfsepgan.audio.encodings import ENCODINGS
from tfsepgan.audio.formats import SUFFIXES
from tfsepgan.errors import ConfigError

# control characters, what Windows forbids, line ends, and bytes that are not UTF-8
_UNSAFE = re.compile(r'[\x00-\x1f\x7f-\x9f/\\:*?"<>|\u2028\u2029\ud800-\udfff]')
# device names on Windows
_RESERVED = re.compile(
    r"(con|prn|aux|nul|conin\$|conout\$|(com|lpt)[\d¹²³])\s*(\..*)?", re.IGNORECASE
)
_STEM_SUFFIXES = tuple(encoding.suffix for encoding in ENCODINGS.values())
RESULTS = "results.jsonl"  # the results of a job, in the output folder
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
    if _RESERVED.fullmatch(plain):
        plain = "_" + plain
    plain = _shortened(plain, MAX_NAME_BYTES)
    if plain.endswith("."):
        plain = plain[:-1] + "_"
    return plain or "_"


def same_name(name: str | PurePath) -> str:
    """A form of a name for comparison: equal for names that some systems do not distinguish.

    Such systems ignore case, or the way in which accents are encoded.
    """
    folded = unicodedata.normalize("NFD", str(name)).casefold()
    return unicodedata.normalize("NFD", folded)


def without_suffix(name: str) -> str:
    """A file's name without its audio suffix; other endings stay, such as ".5" in "take 1.5"."""
    stem, suffix = os.path.splitext(name)
    return stem if suffix.lower() in SUFFIXES else name


def names_in(folder: Iterable[str]) -> dict[str, str]:
    """A safe name for each file of a folder: without its suffix, unless another file has that name.

    Then the suffix stays. Where names differ only in case or unsafe characters, a number is added.

    Args:
      folder: the names of its files.
    Returns: names by file name; no two are the same on a system that ignores case.
    """
    files = sorted(set(folder))
    short = {file: safe_name(without_suffix(file)) for file in files}
    whole = {file: safe_name(file) for file in files}
    shorts, wholes = (Counter(map(same_name, names.values())) for names in (short, whole))
    unique = [file for file in files if shorts[same_name(short[file])] == 1]
    wanted = {file: short[file] for file in unique}
    for file in files:
        apart = wholes[same_name(whole[file])] == 1
        wanted.setdefault(file, whole[file] if apart else short[file])
    taken: set[str] = set()
    return {file: str(_free(PurePosixPath(name), taken)) for file, name in wanted.items()}


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


def distinct(recordings: Sequence[Recording]) -> list[Recording]:
    """Lengthen equal tracks of recordings by the names of their folders until all differ.

    Args:
      recordings: each with a track that is safe, as `names_in` gives its name.
    Returns: the recordings, each with a different track; no track is a stem of another track.
    """
    common = Path(os.path.commonpath([one.path.parent for one in recordings]))
    counts = Counter(same_name(one.track) for one in recordings)
    tracks = []
    for one in recordings:
        track = one.track
        if counts[same_name(track)] > 1:
            above = one.path.relative_to(common).parent.parts
            track = PurePosixPath(*map(safe_name, above), track.name)
        tracks.append(track)
    folders = {same_name(track) for track in tracks}
    taken: set[str] = set()
    tracks = [_free(_no_stem(track, folders), taken) for track in tracks]
    return [replace(one, track=track) for one, track in zip(recordings, tracks, strict=True)]


def _no_stem(track: PurePosixPath, folders: set[str]) -> PurePosixPath:
    """A track without folders named like a stem, such as `piano.wav`, of a track above it."""
    parts = list(track.parts)
    for place in range(1, len(parts)):
        is_below = same_name(PurePosixPath(*track.parts[:place])) in folders
        if is_below and parts[place].lower().endswith(_STEM_SUFFIXES):
            parts[place] = _shortened(parts[place], MAX_NAME_BYTES - 1) + "_"
    return PurePosixPath(*parts)


def _free(track: PurePosixPath, taken: set[str]) -> PurePosixPath:
    """The track, with a number where its name is taken; the result is taken from now on."""
    number, free = 1, track
    while same_name(free) in taken:
        number += 1
        ending = f" {number}"
        free = track.with_name(_shortened(track.name, MAX_NAME_BYTES - len(ending)) + ending)
    taken.add(same_name(free))
    return free


def _shortened(name: str, most_bytes: int) -> str:
    return name.encode("utf-8", "replace")[:most_bytes].decode("utf-8", "ignore").rstrip()


def __getattr__(name: str):
    """`find_inputs`, which is now in `tfsepgan.separation.inputs`."""
    if name != "find_inputs":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from tfsepgan.separation.inputs import find_inputs

    return find_inputs
