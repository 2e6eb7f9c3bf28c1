"""The source of the package for the tests that read it: files, imports, calls."""

import ast
from functools import cache
from pathlib import Path

import pytest

import tfsepgan

REPOSITORY = Path(__file__).parents[1]
PACKAGE = Path(tfsepgan.__file__).parent  # of the repository, or as it was installed
FILES = sorted(path for path in PACKAGE.rglob("*.py"))


def name_of(path: Path) -> str:
    return str(path.relative_to(PACKAGE.parent))


@cache
def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text(), filename=str(path))


def imported_modules(path: Path):
    """All modules that a file imports: at the top, in functions, under TYPE_CHECKING."""
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            if node.level:
                pytest.fail(
                    f"{name_of(path)}:{node.lineno} has a relative import; write the whole name."
                )
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def calls(path: Path):
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.Call):
            name = (
                node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")
            )
            yield node, name


every_file = pytest.mark.parametrize("path", FILES, ids=name_of)
