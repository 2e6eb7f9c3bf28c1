"""Joining several data sets into one, such as MAESTRO's piano and the instruments of IRMAS.

If every set holds songs, the result holds songs. Otherwise it is an unpaired set: the sources of a
song are drawn separately, and each recording's `track` still names its song.
"""

from collections.abc import Sequence
from dataclasses import replace

from tfsepgan.data.layouts.listing import SPLITS, Found, Splits
from tfsepgan.data.layouts.source_file import SourceFile


def join(found: Sequence[Found], sets: Sequence[str]) -> Found:
    """Join data sets, split by split and source by source.

    Args:
      found: what each set holds.
      sets: the name of each set.
    Returns: all recordings. The name of each (or of its song, if all sets hold songs) starts with
      the number of its set, so names stay unique.
    """
    songs = all(one.kind == "multitrack" for one in found)
    splits: Splits = {}
    notes = [note for one in found for note in one.notes]
    mixes_songs = False
    for number, (one, name) in enumerate(zip(found, sets, strict=True), start=1):
        unpaired_songs = one.kind == "multitrack" and not songs
        if unpaired_songs:
            mixes_songs = True
            notes.append(
                f"The songs of {name} are joined with unpaired recordings: their sources are drawn"
                " separately, except in the share of mixtures that --songs sets."
            )
        for split in SPLITS:
            for source, files in one.splits.get(split, {}).items():
                renumbered = (_numbered(file, number, one.kind, songs=songs) for file in files)
                into = splits.setdefault(split, {})
                into[source] = (*into.get(source, ()), *renumbered)
    ordered = {split: dict(sorted(splits[split].items())) for split in SPLITS if split in splits}
    return Found(
        kind="multitrack" if songs else "unpaired",
        splits=ordered,
        ignored=tuple(name for one in found for name in one.ignored),
        notes=tuple(notes),
        mixes_songs=mixes_songs,
    )


def _numbered(file: SourceFile, number: int, kind: str, *, songs: bool) -> SourceFile:
    """A recording with the number of its set in its name, and its place in the joined set."""
    below = file.name.partition("/")[2].partition("/")[2]
    if songs:
        track = f"{number}~{file.track}"
        name, folder = f"{file.split}/{track}/{below}", file.folder
    elif kind == "multitrack":
        track = f"{number}~{file.track}"
        suffix = below.rpartition(".")[2]
        name, folder = f"{file.split}/{file.source}/{track}.{suffix}", file.source
    else:
        inner, slash, base = file.name.rpartition("/")
        track, name, folder = None, f"{inner}{slash}{number}~{base}", file.folder
    return replace(file, name=name, track=track, folder=folder, set_number=number)
