"""MUSDB18: 150 songs as stem files, `train/NAME.stem.mp4` and `test/NAME.stem.mp4`.

Stream 0 is the mixture; streams 1 to 4 are drums, bass, other and vocals. The valid split is the 14
songs of train that the package `musdb` lists.

Source: Rafii et al. 2017, zenodo.org/records/1117372, and github.com/sigsep/sigsep-mus-db.
"""

from collections.abc import Iterator, Mapping
from importlib.util import find_spec
from pathlib import Path

from tfsepgan.audio.containers import STEM_SUFFIX
from tfsepgan.data.layouts.listing import Found, Listing, read_description
from tfsepgan.data.layouts.splitting import held_out
from tfsepgan.data.layouts.tree import Tree
from tfsepgan.errors import DataError

INSIDE = ("musdb18",)
STREAMS = {"drums": 1, "bass": 2, "other": 3, "vocals": 4}


def fits(tree: Tree, directory: Path) -> bool:
    """Whether a folder holds the train and test of MUSDB18."""
    return bool(_songs(tree, directory / "train") or _songs(tree, directory / "test"))


def read(directory: Path, listing: Listing) -> Found:
    """List the four sources of every song."""
    songs = {split: _songs(listing.tree, directory / split) for split in ("train", "test")}
    for split, song, path in with_valid_split(songs, listing):
        for source, stream in STREAMS.items():
            place = {"split": split, "source": source, "track": song}
            listing.add(path, **place, below=f"{source}.mp4", stream=stream)
    return listing.found("multitrack")


def with_valid_split(
    songs: Mapping[str, Mapping[str, Path]], listing: Listing
) -> Iterator[tuple[str, str, Path]]:
    """Split, name and path of each song, with the validation songs of train in the valid split.

    These are the published ones, or a few that a fixed rule chooses.

    Args:
      songs: path of each song by name, in train and test.
      listing: receives a note if the fixed rule is used.
    """
    valid = songs["train"].keys() & published_valid_songs()
    if songs["train"] and not valid:
        valid = held_out(songs["train"])
        listing.note(
            f"None of the published validation songs was found; a fixed rule chose {len(valid)}"
            " songs of train."
        )
    for split, paths in songs.items():
        for song, path in paths.items():
            yield "valid" if split == "train" and song in valid else split, song, path


def published_valid_songs() -> frozenset[str]:
    """The 14 validation songs from the configuration of the package musdb.

    Raises: DataError when it is not installed.
    """
    spec = find_spec("musdb")  # not imported: it requires an ffmpeg command at import
    if spec is None or not spec.submodule_search_locations:
        raise DataError(
            "The package musdb lists the validation songs of MUSDB18. Run: pip install musdb"
        )
    configuration = Path(spec.submodule_search_locations[0]) / "configs" / "mus.yaml"
    return frozenset(read_description(configuration)["validation_tracks"])


def _songs(tree: Tree, folder: Path) -> dict[str, Path]:
    return {
        path.name.removesuffix(STEM_SUFFIX): path
        for path in tree.files(folder)
        if path.name.endswith(STEM_SUFFIX) and not path.name.startswith(".")
    }
