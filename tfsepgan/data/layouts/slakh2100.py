"""Slakh2100: 2100 songs of the Lakh MIDI set, rendered with sampled instruments.

Files are `{train,validation,test}/TrackNNNNN/stems/SNN.flac`; `metadata.yaml` gives the class of
each stem (`inst_class`). All stems of one class are one source, so piano is one source and the
other instruments are others. Slakh2100-redux moves the songs whose MIDI file duplicates another
song's to a folder `omitted`; these are also left out of the original set. BabySlakh has no splits;
its tracks are assigned by a fixed rule.

Source: Manilow et al. 2019, arXiv:1909.08494, and github.com/ethman/slakh-utils.
"""

import re
from pathlib import Path

from tfsepgan.data.layouts.listing import Found, Listing, in_any_format, read_stems, slug
from tfsepgan.data.layouts.slakh_duplicates import DUPLICATES
from tfsepgan.data.layouts.splitting import split_groups
from tfsepgan.data.layouts.tree import Tree

SPLITS = {"train": "train", "validation": "valid", "test": "test"}
INSIDE = ("slakh2100_flac_redux", "slakh2100_flac", "slakh2100", "babyslakh_16k")
_TRACK = re.compile(r"Track(\d{5})")


def fits(tree: Tree, directory: Path) -> bool:
    """Whether a folder holds the splits of Slakh2100 (in BabySlakh, the tracks)."""
    return any(_tracks(tree, directory / split) for split in (*SPLITS, "."))


def read(directory: Path, listing: Listing) -> Found:
    """List every song; the stems of one class are summed."""
    tree = listing.tree
    placed = [
        (SPLITS[folder], track) for folder in SPLITS for track in _tracks(tree, directory / folder)
    ]
    if not placed:
        split_of = split_groups(track.name for track in _tracks(tree, directory))
        placed = [(split_of[track.name], track) for track in _tracks(tree, directory)]
        listing.note("The tracks are in no split; a fixed rule assigns each track to a split.")
    else:
        double = [
            track.name for _, track in placed if int(_TRACK.fullmatch(track.name)[1]) in DUPLICATES
        ]
        double += [track.name for track in _tracks(tree, directory / "omitted")]
        placed = [(split, track) for split, track in placed if track.name not in double]
        listing.note_names(double, "songs left out whose MIDI file duplicates another song's")
    missing: list[str] = []
    for split, track in placed:
        with listing.refusing():
            listing.add_song(track.name, split, _stems(track, missing), ".flac")
    listing.note_names(missing, "rendered stems are missing")
    return listing.found("multitrack")


def _tracks(tree: Tree, directory: Path) -> list[Path]:
    return [
        path
        for path in tree.folders(directory)
        if _TRACK.fullmatch(path.name) and path / "metadata.yaml" in tree.files(path)
    ]


def _stems(track: Path, missing: list[str]) -> dict[str, list[Path]]:
    """Files by instrument class; stems that were not rendered have none."""
    sources: dict[str, list[Path]] = {}
    for key, stem in sorted(read_stems(track / "metadata.yaml", dict)["stems"].items()):
        if not isinstance(stem, dict) or not stem.get("audio_rendered", True):
            continue
        path = in_any_format(track / "stems" / f"{Path(str(key)).name}.flac")
        if path is None:
            missing.append(f"{track.name}/stems/{key}.flac")
        else:
            kind = "drums" if stem.get("is_drum") else stem.get("inst_class") or "unnamed"
            sources.setdefault(slug(kind), []).append(path)
    return sources
