"""MoisesDB: 240 songs in eleven stems, each of several tracks.

`moisesdb_v0.1/<song>/data.json` names the stems and their tracks; `<song>/<stem>/<track>.wav` are
the recordings. The tracks of a stem are added up, as the set's own package does.

Source: Pereira et al. 2023, arXiv:2307.15913, and github.com/moises-ai/moises-db.
"""

from pathlib import Path

from tfsepgan.data.layouts.listing import Found, Listing, folders, in_any_format, read_json, slug
from tfsepgan.data.layouts.splitting import split_groups
from tfsepgan.errors import DataError

_INSIDE = ("moisesdb_v0.1", "moisesdb/moisesdb_v0.1")


def root(directory: Path) -> Path | None:
    """The folder of the songs, if this is MoisesDB."""
    for place in (directory, *(directory / name for name in _INSIDE)):
        if any((song / "data.json").is_file() and folders(song) for song in folders(place)):
            return place
    return None


def read(directory: Path, listing: Listing) -> Found:
    """List every song; splits are made by artist."""
    told = {}
    for song in folders(directory):
        try:
            data = _metadata(song)
            told[song] = str(data.get("artist") or song.name), _stems(song, data)
        except DataError as error:
            listing.refuse(str(error))
    split_of = split_groups(artist for artist, _ in told.values())
    bleeding, missing = [], []
    for song, (artist, stems) in told.items():
        for source, tracks in sorted(stems.items()):
            found = {name: in_any_format(song / name) for name, _ in tracks}
            there = [found[name] for name, _ in tracks if found[name]]
            missing += [f"{song.name}/{name}" for name, _ in tracks if found[name] is None]
            bleeding += [f"{song.name}/{name}" for name, bleeds in tracks if bleeds]
            if there:
                name = f"{split_of[artist]}/{song.name}/{source}.wav"
                listing.add(source, name, there[0], further=there[1:])
    listing.note("MoisesDB has no splits; they were made here by artist, by a fixed rule.")
    listing.note_names(missing, "tracks named by data.json are not there")
    listing.note_names(bleeding, "tracks in which other instruments are heard too")
    return listing.found("multitrack")


def _metadata(song: Path) -> dict:
    path = song / "data.json"
    if not path.is_file():
        raise DataError(
            f"{song} has no data.json, which says what its tracks are. Copy the song again or"
            " remove it."
        )
    data = read_json(path)
    if not isinstance(data, dict) or not isinstance(data.get("stems"), list):
        raise DataError(f"{path} has no stems in it. Copy it again.")
    return data


def _stems(song: Path, data: dict) -> dict[str, list[tuple[str, bool]]]:
    """Source to its tracks: place below the song, and whether it bleeds. A stem may be named twice."""
    stems: dict[str, list[tuple[str, bool]]] = {}
    for stem in data["stems"]:
        try:
            folder = Path(str(stem["stemName"])).name
            for track in stem["tracks"]:
                name = Path(f"{track['id']}.{track['extension']}").name
                stems.setdefault(slug(folder), []).append(
                    (f"{folder}/{name}", bool(track.get("has_bleed")))
                )
        except (KeyError, TypeError, AttributeError) as error:
            raise DataError(
                f"{song / 'data.json'} has a stem without name or tracks ({error}). Copy it again."
            ) from error
    return stems
