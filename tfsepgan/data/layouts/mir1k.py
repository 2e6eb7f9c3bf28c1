"""MIR-1K: 1000 karaoke clips, 16 kHz; accompaniment in the left channel, voice in the right.

Files are `MIR-1K/Wavfile/SINGER_SONG_CLIP.wav`. The clips of the singers abjones and amy (175) are
for training, the others (825) for testing, as in published work. A few songs of the two training
singers are the valid split.

Source: Hsu & Jang 2010, "On the improvement of singing voice separation for monaural recordings
  using the MIR-1K dataset"; the splits: Huang et al. 2014, "Singing-voice separation from monaural
  recordings using deep recurrent neural networks".
"""

import re
from pathlib import Path

from tfsepgan.data.layouts.listing import Found, Listing
from tfsepgan.data.layouts.splitting import held_out
from tfsepgan.data.layouts.tree import Tree

TRAINING_SINGERS = ("abjones", "amy")
CHANNELS = {"accompaniment": 0, "voice": 1}
INSIDE = ("MIR-1K", "mir-1k")
_NAME = re.compile(r"(([A-Za-z]+)_\d+)_\d+\.wav", re.IGNORECASE)


def fits(tree: Tree, directory: Path) -> bool:
    """Whether a folder holds the `Wavfile` of MIR-1K."""
    clips = tree.audio_in(directory / "Wavfile")
    return bool(clips) and all(_NAME.fullmatch(clip.name) for clip in clips)


def read(directory: Path, listing: Listing) -> Found:
    """List each clip as a song of two sources."""
    clips = listing.matching(directory / "Wavfile", _NAME)
    valid = held_out(match[1] for match in clips.values() if match[2].lower() in TRAINING_SINGERS)
    for path, match in clips.items():
        split = "valid" if match[1] in valid else "train"
        if match[2].lower() not in TRAINING_SINGERS:
            split = "test"
        for source, channel in CHANNELS.items():
            place = {"split": split, "source": source, "track": path.stem}
            listing.add(path, **place, below=f"{source}.wav", channel=channel)
    listing.note(
        f"The singers {' and '.join(TRAINING_SINGERS)} are for training, as published; some of"
        " their songs are the valid split."
    )
    return listing.found("multitrack")
