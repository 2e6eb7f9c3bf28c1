"""How tests take the tools, the recipes and the doubles: they are no packages and stand in folders
of their own."""

import importlib
import sys
from pathlib import Path

TESTS = Path(__file__).parent
TOOLS = TESTS.parent / "tools"
DOUBLES = TESTS / "doubles"


def from_tools(name, folder=None):
    """A tool or a double as a module: from the folder, or from the one place below tools/ or
    doubles/ that has it."""
    found = (
        [folder]
        if folder
        else sorted({path.parent for root in (TOOLS, DOUBLES) for path in root.rglob(f"{name}.py")})
    )
    if len(found) != 1:
        raise LookupError(f"{name}.py stands in {len(found)} places: {found}")
    sys.path.insert(0, str(found[0]))
    try:
        return importlib.import_module(name)
    finally:
        sys.path.remove(str(found[0]))
