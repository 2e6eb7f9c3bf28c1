"""MedleyDB 1 and 2: multitrack songs, with stems described by a YAML file.

The stems are `Audio/TRACK/TRACK_STEMS/TRACK_STEM_01.wav`. `TRACK_METADATA.yaml` is in the track's
folder (version 1) or in a folder `Metadata`, as in the set's repository. All stems of one
instrument are one source. The stems are from before mastering and do not sum to the published mix,
so the mixture here is the sum of the stems.

Source: Bittner et al. 2014, "MedleyDB: a multitrack dataset for annotation-intensive MIR research";
  github.com/marl/medleydb.
"""

import os
from pathlib import Path

from tfsepgan.data.layouts.listing import Found, Listing, in_any_format, read_stems, slug
from tfsepgan.data.layouts.splitting import split_groups
from tfsepgan.data.layouts.tree import Tree
from tfsepgan.errors import DataError

INSIDE = ("Audio", "MedleyDB/Audio", "V1", "V2", "MedleyDB_V1/V1", "MedleyDB_V2/V2")


def fits(tree: Tree, directory: Path) -> bool:
    """Whether a folder holds the tracks of MedleyDB."""
    return bool(_tracks(tree, directory))


def read(directory: Path, listing: Listing) -> Found:
    """List every track; splits are made by artist, the first part of a track's name."""
    tracks = _tracks(listing.tree, directory)
    split_of = split_groups(_artist(track) for track in tracks)
    bleeding, missing = [], []
    for track in tracks:
        with listing.refusing():
            metadata = _metadata(track, directory)
            if metadata.get("has_bleed") in ("yes", True):
                bleeding.append(track.name)
            stems = _stems(track, metadata, missing)
            listing.add_song(track.name, split_of[_artist(track)], stems, ".wav")
    listing.note("MedleyDB has no splits; a fixed rule assigns each artist to a split.")
    listing.note_names(missing, "stems listed in the metadata are missing")
    listing.note_names(
        bleeding, "tracks with bleed from other instruments; --leave-out excludes them"
    )
    return listing.found("multitrack")


def _tracks(tree: Tree, directory: Path) -> list[Path]:
    return [
        track
        for track in tree.folders(directory)
        if track / f"{track.name}_STEMS" in tree.folders(track)
    ]


def _artist(track: Path) -> str:
    return track.name.partition("_")[0]


def _metadata(track: Path, directory: Path) -> dict:
    name = f"{track.name}_METADATA.yaml"
    above = (directory, directory.parent, directory.parent.parent)
    places = (track / name, *(folder / "Metadata" / name for folder in above))
    path = next((place for place in places if os.path.isfile(place)), None)
    if path is None:
        raise DataError(
            f"{track} has no {name}, which describes its stems. Copy it there from the set's"
            " repository."
        )
    return read_stems(path, dict)


def _stems(track: Path, metadata: dict, missing: list[str]) -> dict[str, list[Path]]:
    """Files by instrument."""
    sources: dict[str, list[Path]] = {}
    for key, stem in sorted(metadata["stems"].items()):
        name = Path(str(stem.get("filename", ""))).name if isinstance(stem, dict) else ""
        path = in_any_format(track / f"{track.name}_STEMS" / name) if name else None
        if path is None:
            missing.append(f"{track.name} {name or key}")
        else:
            sources.setdefault(slug(stem.get("instrument") or "unnamed"), []).append(path)
    return sources
