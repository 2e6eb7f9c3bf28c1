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

from tfsepgan.data.layouts.listing import Found, Listing, audio_in
from tfsepgan.data.layouts.splitting import held_out

TRAINING_SINGERS = ("abjones", "amy")
CHANNELS = {"accompaniment": 0, "voice": 1}
_NAME = re.compile(r"(([A-Za-z]+)_\d+)_\d+\.wav", re.IGNORECASE)


def root(directory: Path) -> Path | None:
    """The folder that holds `Wavfile`, if this is MIR-1K."""
    for place in (directory, directory / "MIR-1K", directory / "mir-1k"):
        names = [path.name for path in audio_in(place / "Wavfile")]
        if names and all(_NAME.fullmatch(name) for name in names):
            return place
    return None


def read(directory: Path, listing: Listing) -> Found:
    """List each clip as a song of two sources."""
    parsed = {path: _NAME.fullmatch(path.name) for path in audio_in(directory / "Wavfile")}
    listing.ignore(*(f"Wavfile/{path.name}" for path, match in parsed.items() if not match))
    clips = {path: match for path, match in parsed.items() if match}
    valid = held_out(match[1] for match in clips.values() if match[2].lower() in TRAINING_SINGERS)
    for path, match in clips.items():
        split = (
            "test"
            if match[2].lower() not in TRAINING_SINGERS
            else "valid"
            if match[1] in valid
            else "train"
        )
        for source, channel in CHANNELS.items():
            listing.add(
                path,
                split=split,
                source=source,
                track=path.stem,
                below=f"{source}.wav",
                channel=channel,
            )
    listing.note(
        f"The singers {' and '.join(TRAINING_SINGERS)} are for training, as published; some of"
        " their songs are the valid split."
    )
    return listing.found("multitrack")
