"""The same recording in two splits: a score would be of music that the model was made from."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from tfsepgan.audio.recording import AudioFile
from tfsepgan.errors import DataError

_SECONDS = 5.0  # from the middle, where recordings are seldom silent
_SAMPLES = 256  # two recordings of equal length that agree in so many are one
_SAME = 2.0**-13  # within the rounding and dither of 16 bits


class Double(NamedTuple):
    """One recording that stands in two splits."""

    split: str
    file: AudioFile
    other_split: str
    other_file: AudioFile


def doubles(
    splits: dict[str, dict[str, tuple[AudioFile, ...]]], *, skip_unreadable: bool = False
) -> Iterator[Double]:
    """Compare recordings of equal length across splits, also when one is a lossless copy in another
    format.

    Args:
      splits: split, then source, then its files.
      skip_unreadable: True passes over files that cannot be decoded.
    Raises: DataError when a file cannot be decoded.
    """
    alike: dict[tuple[int, int, int], list[tuple[str, AudioFile]]] = {}
    for split, sources in splits.items():
        for file in (file for files in sources.values() for file in files):
            alike.setdefault((file.frames, file.sample_rate_hz, file.channels), []).append(
                (split, file)
            )
    for group in alike.values():
        if len({split for split, _ in group}) > 1:
            yield from _doubles_of_a_length(group, skip_unreadable=skip_unreadable)


def _doubles_of_a_length(
    group: list[tuple[str, AudioFile]], *, skip_unreadable: bool
) -> Iterator[Double]:
    prints = np.stack([_fingerprint(file, skip_unreadable=skip_unreadable) for _, file in group])
    loud = np.abs(prints).max(axis=1) > 10 * _SAME  # silence is like silence
    # Only those that agree in the sample that differs most are compared in all: thousands of
    # excerpts are of one length.
    key = prints[:, int(np.argmax(prints.std(axis=0)))]
    order = np.argsort(key, kind="stable")
    ordered = key[order]
    for number, (split, file) in enumerate(group):
        if not loud[number]:
            continue
        low = np.searchsorted(ordered, key[number] - _SAME, side="left")
        high = np.searchsorted(ordered, key[number] + _SAME, side="right")
        for other in sorted(int(index) for index in order[low:high] if index < number):
            other_split, other_file = group[other]
            if other_split != split and np.abs(prints[other] - prints[number]).max() <= _SAME:
                yield Double(split, file, other_split, other_file)
                break


def _fingerprint(file: AudioFile, *, skip_unreadable: bool) -> np.ndarray:
    """Samples spread over the middle of a recording, float32 `[_SAMPLES]`; zeros, as of silence,
    where it is passed over."""
    length = min(file.frames, round(_SECONDS * file.sample_rate_hz))
    try:
        samples = file.excerpt((file.frames - length) // 2, length)
    except DataError:
        if not skip_unreadable:
            raise
        samples = np.zeros(0, np.float32)
    places = np.linspace(0, max(0, len(samples) - 1), _SAMPLES).astype(int)
    return samples[places] if len(samples) else np.zeros(_SAMPLES, np.float32)
