"""Slakh2100: 2100 songs of the Lakh MIDI set, rendered with sampled instruments.

`{train,validation,test}/TrackNNNNN/stems/SNN.flac`, and `metadata.yaml` with the class of each stem
(`inst_class`); in Slakh2100-redux a folder `omitted` has the songs whose MIDI file is another
song's, which are left out here of the original set too. Stems of one class are one source, so that
piano stands against the rest. BabySlakh, whose tracks lie in no split, is split by track.

Source: Manilow et al. 2019, arXiv:1909.08494, and github.com/ethman/slakh-utils.
"""

import re
from pathlib import Path

from tfsepgan.data.layouts.listing import Found, Listing, folders, in_any_format, read_yaml, slug
from tfsepgan.data.layouts.slakh_duplicates import DUPLICATES
from tfsepgan.data.layouts.splitting import split_groups
from tfsepgan.errors import DataError

SPLITS = {"train": "train", "validation": "valid", "test": "test"}
_INSIDE = ("slakh2100_flac_redux", "slakh2100_flac", "slakh2100", "babyslakh_16k")
_TRACK = re.compile(r"Track(\d{5})")


def root(directory: Path) -> Path | None:
    """The folder of the splits (of the tracks in BabySlakh), if this is Slakh2100."""
    for place in (directory, *(directory / name for name in _INSIDE)):
        if any(_tracks(place / split) for split in (*SPLITS, ".")):
            return place
    return None


def read(directory: Path, listing: Listing) -> Found:
    """List every song, the stems of one class together."""
    placed = [(SPLITS[folder], track) for folder in SPLITS for track in _tracks(directory / folder)]
    if not placed:
        split_of = split_groups(track.name for track in _tracks(directory))
        placed = [(split_of[track.name], track) for track in _tracks(directory)]
        listing.note("The tracks lie in no split; splits were made here by track, by a fixed rule.")
    else:
        double = [
            track.name for _, track in placed if int(_TRACK.fullmatch(track.name)[1]) in DUPLICATES
        ]
        double += [track.name for track in _tracks(directory / "omitted")]
        placed = [(split, track) for split, track in placed if track.name not in double]
        listing.note_names(double, "songs left out whose MIDI file is another song's")
    missing: list[str] = []
    for split, track in placed:
        try:
            stems = _stems(track, missing)
        except DataError as error:
            listing.refuse(str(error))
            continue
        for source, paths in sorted(stems.items()):
            listing.add(source, f"{split}/{track.name}/{source}.flac", paths[0], further=paths[1:])
    listing.note_names(missing, "rendered stems are not there")
    return listing.found("multitrack")


def _tracks(directory: Path) -> list[Path]:
    return [
        path
        for path in folders(directory)
        if _TRACK.fullmatch(path.name) and (path / "metadata.yaml").is_file()
    ]


def _stems(track: Path, missing: list[str]) -> dict[str, list[Path]]:
    """Files by instrument class; stems that were not rendered have none."""
    told = read_yaml(track / "metadata.yaml")
    if not isinstance(told, dict) or not isinstance(told.get("stems"), dict):
        raise DataError(f"{track / 'metadata.yaml'} has no stems in it. Copy it again.")
    sources: dict[str, list[Path]] = {}
    for key, stem in sorted(told["stems"].items()):
        if not isinstance(stem, dict) or not stem.get("audio_rendered", True):
            continue
        path = in_any_format(track / "stems" / f"{Path(str(key)).name}.flac")
        if path is None:
            missing.append(f"{track.name}/stems/{key}.flac")
        else:
            kind = "drums" if stem.get("is_drum") else stem.get("inst_class") or "unnamed"
            sources.setdefault(slug(kind), []).append(path)
    return sources
