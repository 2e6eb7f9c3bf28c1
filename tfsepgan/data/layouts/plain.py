"""Plain folders: the package's own two layouts.

unpaired    DIR/<split>/<source>/**/*.{wav,flac,ogg,mp3}
            Windows of sources are drawn independently and mixed during training; deeper folders
            only group the files.
multitrack  DIR/<split>/<track>/<source>.*
            Songs whose sources are aligned in time.

Hidden files and files that are not audio are left out and listed. So are `mixture.*` and `mix.*` of
a song, because the mixture is the sum of the sources. Files are ordered by name, so the order is
the same on every machine.
"""

from collections.abc import Sequence
from pathlib import Path

from tfsepgan.config import MIXTURE
from tfsepgan.data.layouts.listing import Found, Kind, Listing
from tfsepgan.data.layouts.source_file import SPLITS
from tfsepgan.data.layouts.tree import is_audio
from tfsepgan.errors import DataError

_MIXTURES = (MIXTURE, "mix")
LAYOUTS = (
    "DIR/<split>/<source>/*.wav or DIR/<split>/<track>/<source>.wav with split one of train, valid,"
    " test"
)


def read(directory: Path, listing: Listing, sources: Sequence[str] | None) -> Found:
    """List the recordings of a folder.

    Args:
      directory: the folder of the splits.
      listing: receives the recordings.
      sources: the wanted sources; needed where names alone do not distinguish the layouts.
    Raises: DataError for a folder that is empty or fits both layouts.
    """
    splits = [split for split in SPLITS if (directory / split).is_dir()]
    if not splits:
        content = ", ".join(sorted(entry.name for entry in directory.iterdir())[:8]) or "nothing"
        raise DataError(
            f"{directory} has no train, valid or test folder; it holds {content}."
            f" Expected: {LAYOUTS}, or a published data set as it is distributed."
        )
    listing.ignore(*sorted(entry.name for entry in directory.iterdir() if entry.name not in splits))
    audio: dict[str, list[str]] = {}
    for split in splits:
        for path in listing.tree.below(directory / split):
            name = path.relative_to(directory).as_posix()
            if is_audio(path.name) and name.count("/") >= 2:
                audio.setdefault(split, []).append(name)
            else:
                listing.ignore(name)
    if not audio:
        others = len(listing.found("unpaired").ignored)
        raise DataError(
            f"{directory} holds no recordings ({others} other files). Expected: {LAYOUTS}."
        )
    layout = _layout(directory, audio, sources)
    if layout == "multitrack":
        listing.ignore(
            *(name for names in audio.values() for name in names if _stem(name) in _MIXTURES)
        )
    for names in audio.values():
        _list(directory, names, layout, listing)
    return listing.found(layout)


def _stem(name: str) -> str:
    return name.rpartition("/")[2].rpartition(".")[0]


def _layout(directory: Path, audio: dict[str, list[str]], sources: Sequence[str] | None) -> Kind:
    """Determine the layout from the wanted sources, or else from the names that folders share."""
    if sources:
        unpaired = any(name.split("/")[1] in sources for names in audio.values() for name in names)
        multitrack = any(_is_stem_of(name, sources) for names in audio.values() for name in names)
    else:
        folders = [_folders(names) for names in audio.values()]
        unpaired = any(set(one) & set(two) for i, one in enumerate(folders) for two in folders[:i])
        songs = [stems for split in folders for stems in split.values()]
        multitrack = len(songs) > 1 and None not in songs and len(set.intersection(*songs)) > 1
    if unpaired and multitrack:
        hint = " (name the wanted sources, or rename files)"
        wanted = f" for {', '.join(sources)}" if sources else hint
        raise DataError(
            f"{directory} can be read in two ways{wanted}: folders named like sources, and songs"
            f" with files named like sources. Keep one layout: {LAYOUTS}."
        )
    return "multitrack" if multitrack else "unpaired"


def _is_stem_of(name: str, sources: Sequence[str]) -> bool:
    return name.count("/") == 2 and name.split("/")[1] not in sources and _stem(name) in sources


def _folders(names: list[str]) -> dict[str, set[str] | None]:
    """The folders of a split with their stems; None for a folder with subfolders (not a song)."""
    folders: dict[str, set[str] | None] = {}
    for name in names:
        folder = name.split("/")[1]
        stems = folders.setdefault(folder, set())
        if name.count("/") > 2:
            folders[folder] = None
        elif stems is not None:
            stems.add(_stem(name))
    return folders


def _list(directory: Path, names: list[str], layout: Kind, listing: Listing) -> None:
    seen: dict[tuple[str, str], str] = {}
    for name in names:
        split, folder, below = name.split("/", 2)
        if layout == "unpaired":
            listing.add(directory / name, split=split, source=folder, below=below)
            continue
        source = _stem(name)
        if "/" in below:
            listing.refuse(
                f"{directory / name} is in a folder below a song's folder. Expected: {LAYOUTS}."
            )
        elif (folder, source) in seen:
            listing.refuse(
                f"{directory / seen[folder, source]} and {directory / name} are both the {source}"
                f" of {folder}. Remove one."
            )
        elif source not in _MIXTURES:
            seen[folder, source] = name
            listing.add(directory / name, split=split, source=source, track=folder, below=below)
