"""MUSDB18: 150 songs as stem files, `train/NAME.stem.mp4` and `test/NAME.stem.mp4`.

Stream 0 is the mixture, then come drums, bass, other and vocals. Valid are the 14 songs of train
that the package `musdb` names.

Source: Rafii et al. 2017, zenodo.org/records/1117372, and github.com/sigsep/sigsep-mus-db.
"""

from importlib.util import find_spec
from pathlib import Path

from tfsepgan.audio.containers import STEM_SUFFIX
from tfsepgan.data.layouts.listing import Found, Listing, read_yaml
from tfsepgan.data.layouts.splitting import held_out
from tfsepgan.errors import DataError

STREAMS = {"drums": 1, "bass": 2, "other": 3, "vocals": 4}


def root(directory: Path) -> Path | None:
    """The folder that holds train and test, if this is MUSDB18."""
    places = (directory, directory / "musdb18")
    return next(
        (place for place in places if _songs(place, "train") or _songs(place, "test")), None
    )


def read(directory: Path, listing: Listing) -> Found:
    """List the four sources of every song."""
    songs = {split: _songs(directory, split) for split in ("train", "test")}
    valid = valid_songs(songs["train"], listing)
    for split, paths in songs.items():
        for song, path in paths.items():
            for source, stream in STREAMS.items():
                place = "valid" if split == "train" and song in valid else split
                listing.add(source, f"{place}/{song}/{source}.mp4", path, stream=stream)
    return listing.found("multitrack")


def valid_songs(songs, listing: Listing) -> frozenset[str]:
    """The songs of train that are valid: those that are published as such, or else some by a fixed
    rule.

    Args:
      songs: names of the songs of train.
      listing: is told which it is.
    """
    valid = frozenset(songs) & published_valid_songs()
    if valid or not songs:
        return valid
    valid = held_out(songs)
    listing.note(
        f"None of the published validation songs is there; {len(valid)} of train are valid by a"
        " fixed rule."
    )
    return valid


def published_valid_songs() -> frozenset[str]:
    """The 14 validation songs, from the configuration of the package musdb.

    Raises: DataError when it is not installed.
    """
    spec = find_spec("musdb")  # not imported: it asks for an ffmpeg command as it loads
    if spec is None or not spec.submodule_search_locations:
        raise DataError(
            "The validation songs of MUSDB18 are named by the package musdb. Run: pip install musdb"
        )
    return frozenset(
        read_yaml(Path(spec.submodule_search_locations[0]) / "configs" / "mus.yaml")[
            "validation_tracks"
        ]
    )


def _songs(directory: Path, split: str) -> dict[str, Path]:
    paths = sorted((directory / split).glob(f"*{STEM_SUFFIX}"))
    return {
        path.name.removesuffix(STEM_SUFFIX): path for path in paths if not path.name.startswith(".")
    }
