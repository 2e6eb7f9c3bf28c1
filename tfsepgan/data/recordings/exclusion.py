"""Leaving out recordings whose names match a pattern."""

from collections.abc import Sequence
from dataclasses import replace
from fnmatch import fnmatchcase

from tfsepgan.data.layouts.listing import Found, files_in, only
from tfsepgan.errors import DataError


def exclude(found: Sequence[Found], sets: Sequence[str], patterns: Sequence[str]) -> list[Found]:
    """Remove the recordings that a pattern matches.

    Args:
      found: what each set holds.
      sets: the name of each set.
      patterns: matched against SET/SPLIT/SOURCE/... as a whole; * stands for anything.
    Raises: DataError for a pattern that matches nothing, or when no recording remains.
    """
    unmatched = set(patterns)
    kept = []
    for name, one in zip(sets, found, strict=True):
        remaining = set()
        for file in files_in(one.splits):
            matches = {text for text in patterns if fnmatchcase(f"{name}/{file.name}", text)}
            unmatched -= matches
            if not matches:
                remaining.add(file)
        kept.append(replace(one, splits=only(one.splits, remaining)))
    if unmatched:
        example = f"{sets[0]}/{files_in(found[0].splits)[0].name}"
        raise DataError(
            f"Nothing is left out by {sorted(unmatched)[0]!r}. A pattern matches SET/NAME of a"
            f" recording, such as {example}; * stands for anything."
        )
    if not any(one.splits for one in kept):
        raise DataError(
            f"leave_out is {list(patterns)}, which leaves no recording. Leave out fewer."
        )
    return kept
