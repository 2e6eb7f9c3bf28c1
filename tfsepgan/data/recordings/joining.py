"""Joining several data sets into one, such as MAESTRO's piano and the instruments of IRMAS.

If every set holds songs, the result holds songs. Otherwise it is an unpaired set: the sources of a
song are drawn separately, and each recording's `track` still names its song.
"""

from collections.abc import Sequence
from dataclasses import replace

from tfsepgan.data.layouts.listing import Found, Splits
from tfsepgan.data.layouts.source_file import SPLITS, SourceFile


def join(found: Sequence[Found], sets: Sequence[str]) -> Found:
    """Join data sets, split by split and source by source.

    Args:
      found: what each set holds.
      sets: the name of each set.
    Returns: all recordings. The name of each (or of its song, if all sets hold songs) starts with
      the number of its set, so names stay unique.
    """
    songs = all(one.layout == "multitrack" for one in found)
    splits: Splits = {}
    notes = [note for one in found for note in one.notes]
    mixes_songs = not songs and any(one.layout == "multitrack" for one in found)
    for number, (one, name) in enumerate(zip(found, sets, strict=True), start=1):
        if one.layout == "multitrack" and not songs:
            notes.append(
                f"The songs of {name} are joined with unpaired recordings: their sources are drawn"
                " separately, except in the share of mixtures that --songs sets."
            )
        for split in SPLITS:
            for source, files in one.splits.get(split, {}).items():
                into = splits.setdefault(split, {})
                renumbered = (_numbered(file, number, songs=songs) for file in files)
                into[source] = (*into.get(source, ()), *renumbered)
    ordered = {split: dict(sorted(splits[split].items())) for split in SPLITS if split in splits}
    return Found(
        layout="multitrack" if songs else "unpaired",
        splits=ordered,
        ignored=tuple(name for one in found for name in one.ignored),
        notes=tuple(notes),
        mixes_songs=mixes_songs,
    )


def _numbered(file: SourceFile, number: int, *, songs: bool) -> SourceFile:
    """A recording with the number of its set in its name, and its place in the joined set."""
    if file.track is None:
        inner, slash, base = file.name.rpartition("/")
        return replace(file, name=f"{inner}{slash}{number}~{base}", set_number=number)
    track = f"{number}~{file.track}"
    below = file.name.split("/", 2)[2]
    if songs:
        return replace(file, name=f"{file.split}/{track}/{below}", track=track, set_number=number)
    name = f"{file.split}/{file.source}/{track}.{below.rpartition('.')[2]}"
    return replace(file, name=name, track=track, folder=file.source, set_number=number)
