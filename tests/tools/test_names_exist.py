"""The tools use names of each other that exist: a function that moves takes its callers along."""

import ast
from functools import cache
from pathlib import Path

import pytest
from source_for_tests import tree_of
from tools_for_tests import TOOLS

FILES = sorted(TOOLS.rglob("*.py"))


@cache
def names_in(path: Path) -> frozenset[str]:
    """The names at the top of a module."""
    names = set()
    for node in tree_of(path).body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            names.add(node.name)
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            names |= {n.id for t in targets for n in ast.walk(t) if isinstance(n, ast.Name)}
        elif isinstance(node, ast.Import | ast.ImportFrom):
            names |= {alias.asname or alias.name for alias in node.names}
    return frozenset(names)


def used_of_neighbours(path: Path):
    """Line, module and name of everything that a tool uses of the modules in its folder."""
    modules = {
        alias.asname or alias.name: path.with_name(f"{alias.name}.py")
        for node in ast.walk(tree_of(path))
        if isinstance(node, ast.Import)
        for alias in node.names
    }
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            module = modules.get(node.value.id)
            if module and module.is_file():
                yield node.lineno, module, node.attr
        elif isinstance(node, ast.ImportFrom):
            module = path.with_name(f"{node.module}.py")
            if module.is_file():
                yield from ((node.lineno, module, alias.name) for alias in node.names)


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(TOOLS)))
def test_names_of_neighbours_exist(path):
    missing = [
        f"{path.name}:{line} {module.stem}.{name}"
        for line, module, name in used_of_neighbours(path)
        if name not in names_in(module)
    ]
    assert not missing
