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


@cache
def nodes_of(path: Path) -> tuple[ast.AST, ...]:
    return tuple(ast.walk(tree_of(path)))


def imported_modules(path: Path):
    """All modules that a file imports: at the top, in functions, under TYPE_CHECKING."""
    for node in nodes_of(path):
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
    for node in nodes_of(path):
        if isinstance(node, ast.Call):
            name = (
                node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")
            )
            yield node, name


def every_file(check):
    """One test that checks every file and lists all that break the rule."""

    def test():
        broken = []
        for path in FILES:
            try:
                check(path)
            except AssertionError as error:
                broken.append(str(error))
        assert not broken, "\n".join(broken)

    test.__name__, test.__doc__, test.__module__ = check.__name__, check.__doc__, check.__module__
    return test
