"""Splits where a set has none of its own: by fixed rules, the same on every machine and nearly the
same of half a set.

What must not be in two splits (recordings of one artist, excerpts of one song) is one group. Groups
are put in the order of a checksum of their names, and the first ones are held out.
"""

import zlib
from collections.abc import Iterable

VALID_SHARE = 0.1
TEST_SHARE = 0.15


def held_out(groups: Iterable[str], share: float = VALID_SHARE) -> frozenset[str]:
    """The groups that are held out: a share of them, at least one, and none of a single one.

    Args:
      groups: names, also several times the same.
      share: of the groups, in (0, 1).
    """
    ordered = sorted(set(groups), key=lambda name: (zlib.crc32(name.encode()), name))
    return frozenset(ordered[: max(1, round(share * len(ordered)))] if len(ordered) > 1 else ())


def split_groups(groups: Iterable[str]) -> dict[str, str]:
    """Give each group its split: TEST_SHARE of them test, VALID_SHARE of the others valid, the rest
    train.

    Of two groups one is valid and none is test; a single one trains.
    """
    names = set(groups)
    test = held_out(names, TEST_SHARE) if len(names) > 2 else frozenset()
    valid = held_out(names - test)
    return {
        name: "test" if name in test else "valid" if name in valid else "train"
        for name in sorted(names)
    }
