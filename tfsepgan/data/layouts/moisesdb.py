"""MoisesDB: 240 songs in eleven stems, each with several tracks.

`moisesdb_v0.1/<song>/data.json` lists the stems and their tracks; `<song>/<stem>/<track>.wav` are
the recordings. The tracks of a stem are summed, as in the set's own package.

Source: Pereira et al. 2023, arXiv:2307.15913, and github.com/moises-ai/moises-db.
"""

import os
from pathlib import Path

from tfsepgan.data.layouts.listing import Found, Listing, in_any_format, read_stems, slug
from tfsepgan.data.layouts.splitting import split_groups
from tfsepgan.data.layouts.tree import Tree
from tfsepgan.errors import DataError

INSIDE = ("moisesdb_v0.1", "moisesdb/moisesdb_v0.1")


def fits(tree: Tree, directory: Path) -> bool:
    """Whether a folder holds the songs of MoisesDB."""
    return any(
        song / "data.json" in tree.files(song) and tree.folders(song)
        for song in tree.folders(directory)
    )


def read(directory: Path, listing: Listing) -> Found:
    """List every song; splits are made by artist."""
    songs = {}
    for song in listing.tree.folders(directory):
        with listing.refusing():
            data = _metadata(song)
            songs[song] = str(data.get("artist") or song.name), _tracks(song, data)
    split_of = split_groups(artist for artist, _ in songs.values())
    bleeding, missing = [], []
    for song, (artist, tracks) in songs.items():
        stems: dict[str, list[Path]] = {}
        for source, name, bleeds in tracks:
            if path := in_any_format(song / name):
                stems.setdefault(source, []).append(path)
            else:
                missing.append(f"{song.name}/{name}")
            if bleeds:
                bleeding.append(f"{song.name}/{name}")
        listing.add_song(song.name, split_of[artist], stems, ".wav")
    listing.note("MoisesDB has no splits; a fixed rule assigns each artist to a split.")
    listing.note_names(missing, "tracks listed in data.json are missing")
    listing.note_names(bleeding, "tracks with bleed from other instruments")
    return listing.found("multitrack")


def _metadata(song: Path) -> dict:
    path = song / "data.json"
    if not os.path.isfile(path):
        raise DataError(
            f"{song} has no data.json, which describes its tracks. Copy the song again or"
            " remove it."
        )
    return read_stems(path, list)


def _tracks(song: Path, data: dict) -> list[tuple[str, str, bool]]:
    """The tracks by source: source, path below the song, and whether it has bleed."""
    tracks = []
    try:
        for stem in data["stems"]:  # a stem may be listed twice
            folder = Path(str(stem["stemName"])).name
            for track in stem["tracks"]:
                name = Path(f"{track['id']}.{track['extension']}").name
                tracks.append((slug(folder), f"{folder}/{name}", bool(track.get("has_bleed"))))
    except (KeyError, TypeError, AttributeError) as error:
        raise DataError(
            f"{song / 'data.json'} lists a stem without a name or tracks ({error}). Copy it again."
        ) from error
    return sorted(tracks, key=lambda track: track[0])
