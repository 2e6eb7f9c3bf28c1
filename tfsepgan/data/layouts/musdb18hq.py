"""MUSDB18-HQ: the songs of MUSDB18 uncompressed.

Files are `{train,test}/NAME/{mixture,drums,bass,other,vocals}.wav`.

Source: Rafii et al. 2019, zenodo.org/records/3338373.
"""

from pathlib import Path

from tfsepgan.data.layouts.listing import Found, Listing, audio_in, folders
from tfsepgan.data.layouts.musdb18 import STREAMS, valid_songs

_FILES = {"mixture.wav", *(f"{source}.wav" for source in STREAMS)}


def root(directory: Path) -> Path | None:
    """The folder that holds train and test, if this is MUSDB18-HQ.

    Its songs have exactly these five files, and it has no valid folder.
    """
    for place in (directory, directory / "musdb18hq"):
        songs = [song for split in ("train", "test") for song in folders(place / split)]
        if (
            songs
            and not (place / "valid").is_dir()
            and all({path.name for path in audio_in(song)} == _FILES for song in songs)
        ):
            return place
    return None


def read(directory: Path, listing: Listing) -> Found:
    """List the four sources of every song."""
    songs = {split: folders(directory / split) for split in ("train", "test")}
    valid = valid_songs([song.name for song in songs["train"]], listing)
    for split, paths in songs.items():
        for song in paths:
            listing.ignore(f"{split}/{song.name}/mixture.wav")
            for source in STREAMS:
                listing.add(
                    song / f"{source}.wav",
                    split="valid" if split == "train" and song.name in valid else split,
                    source=source,
                    track=song.name,
                    below=f"{source}.wav",
                )
    return listing.found("multitrack")
