"""IRMAS: excerpts of 3 s, each with one of eleven predominant instruments.

The S-SepGAN paper mixes piano with these instruments. Files are
`IRMAS-TrainingData/<class>/[class][drums][genre]NNNN__K.wav`, where NNNN is the recording and K the
excerpt; the tags for drums ([dru] or [nod]) and genre are optional. All excerpts of one recording
go to the same split; the splits are made here.

Source: Bosch, Janer, Fuhrmann & Herrera 2012, and the set's page, zenodo.org/records/1290750.
"""

import re
from pathlib import Path

from tfsepgan.data.layouts.listing import Found, Listing
from tfsepgan.data.layouts.splitting import split_groups
from tfsepgan.data.layouts.tree import Tree

CLASSES = {
    "cel": "cello",
    "cla": "clarinet",
    "flu": "flute",
    "gac": "acoustic_guitar",
    "gel": "electric_guitar",
    "org": "organ",
    "pia": "piano",
    "sax": "saxophone",
    "tru": "trumpet",
    "vio": "violin",
    "voi": "voice",
}
INSIDE = ("IRMAS-TrainingData",)
_NAME = re.compile(r"((?:\[[a-z_]+\])+)\s*(\d+)__(\d+)\.wav", re.IGNORECASE)


def fits(tree: Tree, directory: Path) -> bool:
    """Whether a folder holds the classes of IRMAS."""
    some = (path for name in CLASSES for path in tree.audio_in(directory / name)[:3])
    return any(_NAME.fullmatch(path.name) for path in some)


def read(directory: Path, listing: Listing) -> Found:
    """List the training excerpts; the testing excerpts are mixtures without separate sources."""
    for name, source in CLASSES.items():
        matches = listing.matching(directory / name, _NAME)
        split_of = split_groups(match[2] for match in matches.values())
        for path, match in matches.items():
            tags = match[1].strip("[]").replace("][", "-").lower()
            below = f"{tags}-{match[2]}__{match[3]}.wav"
            listing.add(path, split=split_of[match[2]], source=source, below=below)
    listing.note(
        "In IRMAS the named instrument predominates and others may accompany it; exclude unwanted"
        " recordings with --leave-out."
    )
    listing.note(
        "IRMAS has no splits of single instruments; a fixed rule assigns each recording to a split."
    )
    testing = sorted(
        path.name for path in directory.parent.glob("IRMAS-TestingData*") if path.is_dir()
    )
    listing.note_names(testing, "folders left out: mixtures without separate sources")
    return listing.found("unpaired")
