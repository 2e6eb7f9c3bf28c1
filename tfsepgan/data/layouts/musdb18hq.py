"""MUSDB18-HQ: the songs of MUSDB18 uncompressed.

Files are `{train,test}/NAME/{mixture,drums,bass,other,vocals}.wav`.

Source: Rafii et al. 2019, zenodo.org/records/3338373.
"""

from pathlib import Path

from tfsepgan.data.layouts.listing import Found, Listing
from tfsepgan.data.layouts.musdb18 import STREAMS, with_valid_split
from tfsepgan.data.layouts.tree import Tree

INSIDE = ("musdb18hq",)
_FILES = {"mixture.wav", *(f"{source}.wav" for source in STREAMS)}


def fits(tree: Tree, directory: Path) -> bool:
    """Whether a folder holds the train and test of MUSDB18-HQ.

    Its songs have exactly these five files, and it has no valid folder.
    """
    songs = [song for split in ("train", "test") for song in tree.folders(directory / split)]
    if not songs or (directory / "valid").is_dir():
        return False
    return all({path.name for path in tree.audio_in(song)} == _FILES for song in songs)


def read(directory: Path, listing: Listing) -> Found:
    """List the four sources of every song."""
    songs = {
        split: {song.name: song for song in listing.tree.folders(directory / split)}
        for split in ("train", "test")
    }
    for split, song, folder in with_valid_split(songs, listing):
        listing.ignore(f"{folder.parent.name}/{song}/mixture.wav")
        for source in STREAMS:
            name = f"{source}.wav"
            listing.add(folder / name, split=split, source=source, track=song, below=name)
    return listing.found("multitrack")
