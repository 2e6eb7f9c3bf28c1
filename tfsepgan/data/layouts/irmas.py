"""IRMAS: excerpts of 3 s in which one of eleven instruments predominates; the other instruments of
the S-SepGAN paper.

`IRMAS-TrainingData/<class>/[class][drums][genre]NNNN__K.wav`: NNNN is the recording, K the excerpt
of it; the tag of drums ([dru] or [nod]) and that of the genre are not always there. Excerpts of one
recording stay in one split, made here.

Source: Bosch, Janer, Fuhrmann & Herrera 2012, and the set's page, zenodo.org/records/1290750.
"""

import re
from pathlib import Path

from tfsepgan.data.layouts.listing import Found, Listing, audio_in, folders
from tfsepgan.data.layouts.splitting import split_groups

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
_NAME = re.compile(r"((?:\[[a-z_]+\])+)\s*(\d+)__(\d+)\.wav", re.IGNORECASE)


def root(directory: Path) -> Path | None:
    """The folder of the classes, if this is IRMAS."""
    for place in (directory, directory / "IRMAS-TrainingData"):
        if any(
            _NAME.fullmatch(path.name) for name in CLASSES for path in audio_in(place / name)[:3]
        ):
            return place
    return None


def read(directory: Path, listing: Listing) -> Found:
    """List the training excerpts; the testing ones are mixtures without sources."""
    for name, source in CLASSES.items():
        parsed = {path: _NAME.fullmatch(path.name) for path in audio_in(directory / name)}
        listing.ignore(*(f"{name}/{path.name}" for path, match in parsed.items() if not match))
        split_of = split_groups(match[2] for match in parsed.values() if match)
        for path, match in parsed.items():
            if match:
                tags = match[1].strip("[]").replace("][", "-").lower()
                listing.add(
                    source, f"{split_of[match[2]]}/{source}/{tags}-{match[2]}__{match[3]}.wav", path
                )
    listing.note(
        "In IRMAS the named instrument predominates and others may accompany it; leave out what"
        " should not be heard."
    )
    listing.note(
        "IRMAS has no splits of single instruments; they were made here by recording, by a fixed"
        " rule."
    )
    testing = [
        path.name for path in folders(directory.parent) if path.name.startswith("IRMAS-TestingData")
    ]
    listing.note_names(testing, "folders left out, mixtures whose sources nobody has")
    return listing.found("unpaired")
