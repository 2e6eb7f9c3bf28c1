"""Finds recordings in two splits: scores on them would be scores on training data."""

from collections.abc import Iterator

import numpy as np

from tfsepgan.data.layouts.listing import Splits, files_in, only
from tfsepgan.data.layouts.source_file import SPLITS, SourceFile
from tfsepgan.errors import DataError

_SECONDS = 5.0  # from the middle, where recordings are seldom silent
_SAMPLES = 256  # recordings of equal length that agree in this many samples are the same
_SAME = 2.0**-13  # within the rounding and dither of 16 bits


def refuse_doubles(splits: Splits, *, collect: bool) -> tuple[str, ...]:
    """Refuse recordings that are in two splits.

    Args:
      splits: split, then source, then its files.
      collect: return the problems instead of raising the first, and skip files that cannot be
        decoded.
    Returns: one sentence for each double.
    Raises: DataError for a double or a file that cannot be decoded, unless `collect`.
    """
    problems = []
    for other, file in doubles(splits, skip_unreadable=collect):
        problem = (
            f"{other.path} and {file.path} are the same recording in two splits, so a score on"
            f" {file.split} would be on training data. Remove one."
        )
        if not collect:
            raise DataError(problem)
        problems.append(problem)
    return tuple(problems)


def remove_doubles(splits: Splits, *, skip_unreadable: bool) -> tuple[Splits, tuple[str, ...]]:
    """Leave out recordings that are in two splits, each with all other sources of its song.

    The recording in the later split (train, valid, test) stays.

    Returns: the splits without them, and a note for each.
    Raises: DataError when a file cannot be decoded, unless `skip_unreadable`.
    """
    dropped: dict[str, str] = {}
    for pair in doubles(splits, skip_unreadable=skip_unreadable):
        first, second = sorted(pair, key=lambda file: SPLITS.index(file.split))
        dropped[first.unit] = second.name
    if not dropped:
        return splits, ()
    kept = {file for file in files_in(splits) if file.unit not in dropped}
    notes = (f"{name} is left out: it is also {other}." for name, other in dropped.items())
    return only(splits, kept), tuple(notes)


def doubles(
    splits: Splits, *, skip_unreadable: bool = False
) -> Iterator[tuple[SourceFile, SourceFile]]:
    """Find equal recordings across splits, also lossless copies in another format.

    Recordings of equal length, sample rate and channel count are compared.

    Args:
      splits: split, then source, then its files.
      skip_unreadable: skip files that cannot be decoded.
    Raises: DataError when a file cannot be decoded, unless `skip_unreadable`.
    """
    by_format: dict[tuple[int, int, int], list[SourceFile]] = {}
    for file in files_in(splits):
        key = (file.frames, file.sample_rate_hz, file.channels)
        by_format.setdefault(key, []).append(file)
    for group in by_format.values():
        if len({file.split for file in group}) > 1:
            prints = [_fingerprint(file, skip_unreadable=skip_unreadable) for file in group]
            yield from _doubles_of_a_length(group, np.stack(prints))


def _doubles_of_a_length(
    group: list[SourceFile], prints: np.ndarray
) -> Iterator[tuple[SourceFile, SourceFile]]:
    loud = np.abs(prints).max(axis=1) > 10 * _SAME  # silent recordings are all alike
    # Sets hold thousands of excerpts of one length. So files are sorted by the sample that varies
    # most, and only neighbours in that order are compared in all samples.
    key = prints[:, int(np.argmax(prints.std(axis=0)))]
    order = np.argsort(key, kind="stable")
    ordered = key[order]
    for number, file in enumerate(group):
        if not loud[number]:
            continue
        low = np.searchsorted(ordered, key[number] - _SAME, side="left")
        high = np.searchsorted(ordered, key[number] + _SAME, side="right")
        for other in sorted(int(index) for index in order[low:high] if index < number):
            same = np.abs(prints[other] - prints[number]).max() <= _SAME
            if group[other].split != file.split and same:
                yield group[other], file
                break


def _fingerprint(file: SourceFile, *, skip_unreadable: bool) -> np.ndarray:
    """Samples spread over the middle of a recording, float32 `[_SAMPLES]`; zeros if skipped."""
    length = min(file.frames, round(_SECONDS * file.sample_rate_hz))
    try:
        samples = file.excerpt((file.frames - length) // 2, length)
    except DataError:
        if not skip_unreadable:
            raise
        samples = np.zeros(0, np.float32)
    places = np.linspace(0, max(0, len(samples) - 1), _SAMPLES).astype(int)
    return samples[places] if len(samples) else np.zeros(_SAMPLES, np.float32)
