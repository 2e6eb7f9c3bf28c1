"""Names of settings: suggestions for unknown ones, and earlier names."""

import difflib
from collections.abc import Iterable

RENAMED = {"likeness_weight": "diversity_weight"}
"""Earlier names of settings, which files and flags may still have, to the names now."""


def nearest(name: str, known: Iterable[str]) -> str:
    """Return the end of an error message about an unknown name: the nearest known one.

    Args:
      name: the unknown name; any value that was in a file.
      known: the names that exist.
    Returns: a question with the nearest name; then all names if there are at most 12. Without a
      near name, all names.
    """
    known = sorted(known)
    close = difflib.get_close_matches(str(name), known, n=1, cutoff=0.5)
    if not close:
        return f"there is: {', '.join(known)}."
    return f"did you mean {close[0]!r}?" + (
        f" There is: {', '.join(known)}." if len(known) <= 12 else ""
    )
