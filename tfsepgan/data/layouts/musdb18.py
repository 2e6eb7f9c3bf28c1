"""MUSDB18: 150 songs as stem files, `train/NAME.stem.mp4` and `test/NAME.stem.mp4`.

Stream 0 is the mixture; streams 1 to 4 are drums, bass, other and vocals. The valid split is the 14
songs of train that the package `musdb` lists.

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
                listing.add(
                    path,
                    split="valid" if split == "train" and song in valid else split,
                    source=source,
                    track=song,
                    below=f"{source}.mp4",
                    stream=stream,
                )
    return listing.found("multitrack")


def valid_songs(songs, listing: Listing) -> frozenset[str]:
    """The validation songs of train: the published ones, or a few chosen by a fixed rule.

    Args:
      songs: names of the songs of train.
      listing: receives a note if the fixed rule is used.
    """
    valid = frozenset(songs) & published_valid_songs()
    if valid or not songs:
        return valid
    valid = held_out(songs)
    listing.note(
        f"None of the published validation songs was found; a fixed rule chose {len(valid)} songs"
        " of train."
    )
    return valid


def published_valid_songs() -> frozenset[str]:
    """The 14 validation songs from the configuration of the package musdb.

    Raises: DataError when it is not installed.
    """
    spec = find_spec("musdb")  # not imported: it requires an ffmpeg command at import
    if spec is None or not spec.submodule_search_locations:
        raise DataError(
            "The package musdb lists the validation songs of MUSDB18. Run: pip install musdb"
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
