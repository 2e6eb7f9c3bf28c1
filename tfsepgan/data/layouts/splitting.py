"""Splits for sets that have none: fixed rules, the same on every machine.

Recordings that must stay in one split (of one artist, of one song) form a group. Groups are ordered
by a checksum of their names, and the first ones are held out. So most groups keep their split when
the set is incomplete.
"""

import zlib
from collections.abc import Iterable

VALID_SHARE = 0.1
TEST_SHARE = 0.15


def held_out(groups: Iterable[str], share: float = VALID_SHARE) -> frozenset[str]:
    """The groups to hold out: a share of them and at least one, but none if there is only one.

    Args:
      groups: their names; repetitions are allowed.
      share: of the groups, in (0, 1).
    """
    ordered = sorted(set(groups), key=lambda name: (zlib.crc32(name.encode()), name))
    return frozenset(ordered[: max(1, round(share * len(ordered)))] if len(ordered) > 1 else ())


def split_groups(groups: Iterable[str]) -> dict[str, str]:
    """Assign each group to a split: TEST_SHARE of them test, VALID_SHARE of the remainder valid.

    Of two groups, one is valid and none is test. A single group is train.
    """
    names = set(groups)
    test = held_out(names, TEST_SHARE) if len(names) > 2 else frozenset()
    valid = held_out(names - test)
    return {
        name: "test" if name in test else "valid" if name in valid else "train"
        for name in sorted(names)
    }
