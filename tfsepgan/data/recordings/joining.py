"""Several sets as one: MAESTRO's piano against the instruments of IRMAS, say.

Songs stay songs where all sets hold songs. Otherwise their sources are recordings of an unpaired
set, which are drawn apart, and the numbers of the sets that hold songs say which belong together.
"""

from collections.abc import Sequence
from dataclasses import replace

from tfsepgan.audio.recording import AudioFile
from tfsepgan.data.layouts.listing import SPLITS, Found


def join(found: Sequence[Found], sets: Sequence[str]) -> Found:
    """Put sets together, split by split and source by source.

    Args:
      found: what each set holds.
      sets: its name.
    Returns: all of it; a recording's name (its song's, where there are songs) starts with the
      number of its set.
    """
    songs = all(one.kind == "multitrack" for one in found)
    splits: dict[str, dict[str, tuple[AudioFile, ...]]] = {}
    notes = [note for one in found for note in one.notes]
    song_sets: list[int] = []
    for number, (one, name) in enumerate(zip(found, sets, strict=True), start=1):
        apart = one.kind == "multitrack" and not songs
        if apart:
            song_sets.append(number)
            notes.append(
                f"The songs of {name} are joined with unpaired recordings: their sources are drawn"
                " apart, but for the share of mixtures that --songs names."
            )
        for split in SPLITS:
            for source, files in one.splits.get(split, {}).items():
                renamed = tuple(
                    replace(file, name=_name(file, number, source, songs=songs, apart=apart))
                    for file in files
                )
                there = splits.setdefault(split, {})
                there[source] = there.get(source, ()) + renamed
    ordered = {split: dict(sorted(splits[split].items())) for split in SPLITS if split in splits}
    ignored = tuple(name for one in found for name in one.ignored)
    return Found(
        "multitrack" if songs else "unpaired", ordered, ignored, tuple(notes), tuple(song_sets)
    )


def _name(file: AudioFile, number: int, source: str, *, songs: bool, apart: bool) -> str:
    split, *middle, base = file.name.split("/")
    if songs:
        return f"{split}/{number}~{middle[0]}/{base}"
    if apart:
        return f"{split}/{source}/{number}~{middle[0]}.{base.rpartition('.')[2]}"
    return "/".join([split, *middle, f"{number}~{base}"])


def set_number(file: AudioFile, *, songs: bool) -> int:
    """The number, from 1, of the set that a joined recording came from, as its name (or its song's)
    starts with."""
    parts = file.name.split("/")
    return int(parts[1 if songs else -1].partition("~")[0])
