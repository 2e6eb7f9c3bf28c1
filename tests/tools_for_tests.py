"""How tests take the tools: they are no package and stand beside each other."""

import importlib
import sys
from pathlib import Path

TOOLS = Path(__file__).parents[1] / "tools"


def from_tools(name):
    """A tool as a module."""
    sys.path.insert(0, str(TOOLS))
    try:
        return importlib.import_module(name)
    finally:
        sys.path.remove(str(TOOLS))
