"""Stems of an earlier run: compares them with a recording, and removes half-written ones."""

import contextlib
import os
import re
from collections.abc import Iterable
from pathlib import Path

from tfsepgan.audio.decoding import probe
from tfsepgan.errors import DataError

# temporary names of `audio.stem_writer`: the stem, the number of the process
_HALF_WRITTEN = re.compile(r"\.(.+)\.\d+\.(part|encoded|before)")
TOLERANCE_SECONDS = 0.2  # AAC adds up to 1024 samples, of at least 8 kHz


def seconds_of(stems: Iterable[Path]) -> float | None:
    """Length of stems on the disk, in seconds; None where there are none that can be read."""
    for stem in stems:
        try:
            if stem.is_file():
                return probe(stem).seconds
        except (DataError, OSError):
            continue
    return None


def may_be_of(stems_seconds: float | None, recording_seconds: float) -> bool:
    """Whether stems of this length can belong to a recording, whose length may differ a little."""
    if stems_seconds is None:
        return False
    return abs(stems_seconds - recording_seconds) <= TOLERANCE_SECONDS


def replaced(
    earlier_seconds: float | None, stems: Iterable[Path], recording_seconds: float
) -> tuple[str, ...]:
    """A note where the stems of another recording were replaced.

    Args:
      earlier_seconds: length of the stems that were there before; None for none.
      stems: the files.
      recording_seconds: length of the recording.
    """
    if earlier_seconds is None or may_be_of(earlier_seconds, recording_seconds):
        return ()
    names = ", ".join(map(str, stems))
    return (
        f"{names} replaced the stems of another recording, of {earlier_seconds:.2f} s; choose"
        " another --output for each to keep both",
    )


def remove_half_written(stems: Iterable[Path]) -> None:
    """Remove half-written stems of killed processes, and the folders that are then empty.

    No process may write these stems.
    """
    names: dict[Path, set[str]] = {}
    for stem in stems:
        names.setdefault(stem.parent, set()).add(stem.name)
    for folder, wanted in names.items():
        with contextlib.suppress(OSError):
            held = os.listdir(folder)
            found = {name: _HALF_WRITTEN.fullmatch(name) for name in held}
            for name, parts in found.items():
                if parts and parts[1] in wanted:
                    os.unlink(folder / name)
            os.rmdir(folder)  # refused where it holds anything
