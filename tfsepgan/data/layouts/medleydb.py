"""MedleyDB 1 and 2: multitracks with stems that are named by a YAML file.

`Audio/TRACK/TRACK_STEMS/TRACK_STEM_01.wav` and `TRACK_METADATA.yaml`, in the track's folder
(version 1) or in a folder `Metadata` as the set's repository has it. Stems of one instrument are
one source. The stems come before mastering, so their sum is not the published mix; here the mixture
is their sum.

Source: Bittner et al. 2014, "MedleyDB: a multitrack dataset for annotation-intensive MIR research";
  github.com/marl/medleydb.
"""

from pathlib import Path

from tfsepgan.data.layouts.listing import Found, Listing, folders, in_any_format, read_yaml, slug
from tfsepgan.data.layouts.splitting import split_groups
from tfsepgan.errors import DataError

_INSIDE = ("Audio", "MedleyDB/Audio", "V1", "V2", "MedleyDB_V1/V1", "MedleyDB_V2/V2")


def root(directory: Path) -> Path | None:
    """The folder of the tracks, if this is MedleyDB."""
    for place in (directory, *(directory / name for name in _INSIDE)):
        if any((track / f"{track.name}_STEMS").is_dir() for track in folders(place)):
            return place
    return None


def read(directory: Path, listing: Listing) -> Found:
    """List every track; splits are made by artist, the first half of a track's name."""
    tracks = [track for track in folders(directory) if (track / f"{track.name}_STEMS").is_dir()]
    split_of = split_groups(_artist(track) for track in tracks)
    bleeding, missing = [], []
    for track in tracks:
        try:
            told = _metadata(track, directory)
        except DataError as error:
            listing.refuse(str(error))
            continue
        if told.get("has_bleed") in ("yes", True):
            bleeding.append(track.name)
        for source, paths in sorted(_stems(track, told, missing).items()):
            name = f"{split_of[_artist(track)]}/{track.name}/{source}.wav"
            listing.add(source, name, paths[0], further=paths[1:])
    listing.note("MedleyDB has no splits; they were made here by artist, by a fixed rule.")
    listing.note_names(missing, "stems named by metadata are not there")
    listing.note_names(
        bleeding,
        "tracks whose microphones hear the other instruments too; --leave-out takes them away",
    )
    return listing.found("multitrack")


def _artist(track: Path) -> str:
    return track.name.partition("_")[0]


def _metadata(track: Path, directory: Path) -> dict:
    name = f"{track.name}_METADATA.yaml"
    places = (
        track,
        directory / "Metadata",
        directory.parent / "Metadata",
        directory.parent.parent / "Metadata",
    )
    path = next((place / name for place in places if (place / name).is_file()), None)
    if path is None:
        raise DataError(
            f"{track} has no {name}, which says what its stems are. Copy it there from the set's"
            " repository."
        )
    told = read_yaml(path)
    if not isinstance(told, dict) or not isinstance(told.get("stems"), dict):
        raise DataError(f"{path} has no stems in it. Copy it again from the set's repository.")
    return told


def _stems(track: Path, told: dict, missing: list[str]) -> dict[str, list[Path]]:
    """Files by instrument."""
    sources: dict[str, list[Path]] = {}
    for key, stem in sorted(told["stems"].items()):
        name = Path(str(stem.get("filename", ""))).name if isinstance(stem, dict) else ""
        path = in_any_format(track / f"{track.name}_STEMS" / name) if name else None
        if path is None:
            missing.append(f"{track.name} {name or key}")
        else:
            sources.setdefault(slug(stem.get("instrument") or "unnamed"), []).append(path)
    return sources
