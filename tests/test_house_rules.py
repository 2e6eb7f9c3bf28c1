"""Files, functions and lines are short; no code stands twice; nothing read from a file can run."""

import ast
import io
import keyword
import tokenize

from source_for_tests import (
    FILES,
    REPOSITORY,
    calls,
    every_file,
    imported_modules,
    name_of,
    nodes_of,
    tree_of,
)

LONGEST_FILE, LONGEST_FUNCTION, LONGEST_LINE = 300, 50, 100  # functions without their docstring
LONGEST_TWIN = 12  # lines that may stand in two places
UNSAFE_MODULES = {"pickle", "cPickle", "dill", "cloudpickle", "joblib", "marshal", "shelve"}
UNSAFE_CALLS = {"eval", "exec", "compile", "__import__"}


@every_file
def test_house_rules(path):
    tree = tree_of(path)
    assert ast.get_docstring(tree), f"{name_of(path)} has no docstring"
    for node in nodes_of(path):
        where = f"{name_of(path)}:{getattr(node, 'lineno', '?')}"
        assert not isinstance(node, ast.Assert), (
            f"{where} asserts; raise an error that says what to do"
        )
        assert not (isinstance(node, ast.ExceptHandler) and node.type is None), (
            f"{where} catches everything"
        )
    for node, name in calls(path):
        assert not (name == "print" and isinstance(node.func, ast.Name)), (
            f"{name_of(path)}:{node.lineno} prints"
        )


@every_file
def test_nothing_read_from_a_file_can_run(path):
    assert not {module.split(".")[0] for module in imported_modules(path)} & UNSAFE_MODULES, (
        name_of(path)
    )
    for node, name in calls(path):
        where = f"{name_of(path)}:{node.lineno}"
        assert not (isinstance(node.func, ast.Name) and name in UNSAFE_CALLS), (
            f"{where} calls {name}"
        )
        assert name not in (
            "Lambda",
            "system",
            "popen",
            "enable_unsafe_deserialization",
        ), f"{where} calls {name}"
        on_yaml = (
            isinstance(node.func, ast.Attribute) and getattr(node.func.value, "id", "") == "yaml"
        )
        assert not (on_yaml and name in ("load", "unsafe_load", "full_load")), (
            f"{where}: use yaml.safe_load"
        )
        given = {keyword.arg: getattr(keyword.value, "value", None) for keyword in node.keywords}
        assert given.get("allow_pickle") is not True, f"{where} allows pickles"
        assert given.get("shell") is not True, f"{where} runs a shell"
        assert given.get("safe_mode") is not False, f"{where} loads code"


def test_files_of_the_package_the_tests_and_the_tools_are_short():
    lengths = {
        str(path.relative_to(REPOSITORY)): len(path.read_text(encoding="utf-8").splitlines())
        for folder in ("tfsepgan", "tests", "tools")
        for path in (REPOSITORY / folder).rglob("*.py")
    }
    assert len(lengths) > 1.5 * len(FILES)  # the tests and the tools are there
    long = {name for name, lines in lengths.items() if lines > LONGEST_FILE}
    assert not long, f"more than {LONGEST_FILE} lines, split by idea: {sorted(long)}"


@every_file
def test_functions_and_lines_are_short(path):
    lines = path.read_text().splitlines()
    long = [number for number, line in enumerate(lines, 1) if len(line) > LONGEST_LINE]
    assert not long, f"{name_of(path)} has lines of more than {LONGEST_LINE} characters: {long}"
    for node in nodes_of(path):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            documented = ast.get_docstring(node) is not None
            first = node.body[0].end_lineno if documented else node.lineno
            length = node.end_lineno - first
            assert length <= LONGEST_FUNCTION, f"{name_of(path)}:{node.lineno} has {length} lines"


def test_no_passage_stands_twice():
    places = {}
    for path in FILES:
        text = [(n, line.strip()) for n, line in enumerate(path.read_text().splitlines(), 1)]
        code = [(n, line) for n, line in text if line and not line.startswith(("import ", "from "))]
        for first in range(len(code) - LONGEST_TWIN):
            passage = tuple(line for _, line in code[first : first + LONGEST_TWIN + 1])
            places.setdefault(passage, []).append(f"{name_of(path)}:{code[first][0]}")
    twins = [where for where in places.values() if len(where) > 1]
    assert not twins, f"the same passage stands at {twins[0]}; make it one"


def shapes_in_functions(path):
    """The lines of all functions: number, and tokens without names, words and numbers."""
    inside = set()
    for node in nodes_of(path):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            documented = ast.get_docstring(node) is not None
            first = node.body[0].end_lineno + 1 if documented else node.lineno
            inside |= set(range(first, node.end_lineno + 1))
    kinds = {tokenize.NAME: "name", tokenize.STRING: "word", tokenize.NUMBER: "number"}
    lines: dict[int, list[str]] = {}
    for token in tokenize.generate_tokens(io.StringIO(path.read_text()).readline):
        layout = not token.string.strip() or token.type == tokenize.COMMENT
        if token.start[0] in inside and not layout:
            known = token.type == tokenize.NAME and keyword.iskeyword(token.string)
            shape = token.string if known else kinds.get(token.type, token.string)
            lines.setdefault(token.start[0], []).append(shape)
    return [(number, " ".join(shape)) for number, shape in lines.items()]


def test_no_passage_in_functions_has_the_shape_of_another():
    places = {}
    for path in FILES:
        code = shapes_in_functions(path)
        for first in range(len(code) - LONGEST_TWIN):
            passage = tuple(shape for _, shape in code[first : first + LONGEST_TWIN + 1])
            places.setdefault(passage, []).append(f"{name_of(path)}:{code[first][0]}")
    assert len(places) > 10_000
    twins = [where for where in places.values() if len(where) > 1]
    assert not twins, f"passages with the same shape stand at {twins[0]}; make them one"
