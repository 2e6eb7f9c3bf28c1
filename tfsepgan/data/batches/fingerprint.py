"""A checksum that identifies the training recordings, independent of their location."""

import hashlib

from tfsepgan.data.augment.augmenter import room_files
from tfsepgan.data.recordings.catalogue import Catalogue

DRAWS = 2  # increase when the same settings, seed and step give another batch


def fingerprint(catalogue: Catalogue, rooms: str | None) -> str:
    """Checksum of the train split (names, lengths, rates) and of the recorded rooms (names, sizes).

    Args:
      catalogue: the recordings.
      rooms: folder of recorded rooms (`augment.rooms`), if there is one.
    Returns: SHA-256 in hexadecimal.
    """
    files = [file for files in catalogue.splits["train"].values() for file in files]
    description = "".join(f"{file.name} {file.frames} {file.sample_rate_hz}\n" for file in files)
    description += "".join(f"{name} {size}\n" for name, size in room_files(rooms)) if rooms else ""
    return hashlib.sha256(description.encode()).hexdigest()
