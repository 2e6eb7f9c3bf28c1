"""How tests take the tools and the recipes: they are no packages and stand beside each other."""

import importlib
import sys
from pathlib import Path

TOOLS = Path(__file__).parents[1] / "tools"


def from_tools(name, folder=TOOLS):
    """A tool as a module, or what stands in another folder of theirs."""
    sys.path.insert(0, str(folder))
    try:
        return importlib.import_module(name)
    finally:
        sys.path.remove(str(folder))
