"""What tells one set of training recordings from another, wherever it lies, and what is drawn from
it."""

import hashlib

from tfsepgan.data.augment.augmenter import room_files
from tfsepgan.data.recordings.catalogue import Catalogue

DRAWS = 2  # raise it when the same settings, seed and step make another batch


def fingerprint(catalogue: Catalogue, rooms: str | None) -> str:
    """Names, lengths and rates of the train split, and names and sizes of the recorded rooms, as
    one checksum.

    Args:
      catalogue: the recordings.
      rooms: folder of recorded rooms (`augment.rooms`), if there is one.
    Returns: SHA-256 in hexadecimal.
    """
    files = [file for files in catalogue.splits["train"].values() for file in files]
    told = "".join(f"{file.name} {file.frames} {file.sample_rate_hz}\n" for file in files)
    told += "".join(f"{name} {size}\n" for name, size in room_files(rooms)) if rooms else ""
    return hashlib.sha256(told.encode()).hexdigest()
