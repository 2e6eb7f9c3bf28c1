"""The package keeps its layout: imports point downwards, tables match files, no unsafe calls."""

import ast
import importlib
import os
import subprocess
import sys
from pathlib import Path

import pytest

import tfsepgan

PACKAGE = Path(tfsepgan.__file__).parent
FILES = sorted(path for path in PACKAGE.rglob("*.py"))
COMMANDS = ("train", "separate", "evaluate", "export", "data", "generate", "tune", "refine")

# Ground floor first. A module imports from lower floors only.
FLOORS = (
    ("",),  # tfsepgan/__init__.py: the version, and lazy names
    ("errors",),
    ("files", "quiet", "registration"),
    ("audio",),
    ("ondevice",),  # runs without TensorFlow; imports the errors only
    ("config",),
    ("settings",),
    ("dsp",),
    ("layers",),
    ("networks", "losses", "metrics", "data"),
    ("rendering", "systems"),
    ("models",),
    ("training", "separation"),
    ("evaluation", "export"),
    ("refining", "tuning", "serving"),
    ("cli",),
)
FLOOR = {package: floor for floor, packages in enumerate(FLOORS) for package in packages}
KERAS_ONLY = ("layers", "networks", "losses", "metrics")  # trainable on any Keras backend
LONGEST_FILE, LONGEST_FUNCTION, LONGEST_LINE = 300, 50, 100  # functions without their docstring
LONGEST_TWIN = 12  # lines that may stand in two places
UNSAFE_MODULES = {"pickle", "cPickle", "dill", "cloudpickle", "joblib", "marshal", "shelve"}
UNSAFE_CALLS = {"eval", "exec", "compile", "__import__"}


def name_of(path: Path) -> str:
    return str(path.relative_to(PACKAGE.parent))


def package_of(path: Path) -> str:
    parts = path.relative_to(PACKAGE).with_suffix("").parts
    return "" if parts == ("__init__",) else parts[0]


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


def package_imports(path: Path) -> set[str]:
    """Packages of tfsepgan that a file imports."""
    found = set()
    for module in imported_modules(path):
        if module.split(".")[0] == "tfsepgan":
            part = (module.split(".") + [""])[1]
            found.add(part if part in FLOOR else "")
    return found


def calls(path: Path):
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.Call):
            name = (
                node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")
            )
            yield node, name


every_file = pytest.mark.parametrize("path", FILES, ids=name_of)


def test_every_package_has_a_floor():
    found = {package_of(path) for path in FILES}
    assert found <= FLOOR.keys(), f"give these a floor: {sorted(found - FLOOR.keys())}"


@every_file
def test_imports_point_downwards(path):
    package = package_of(path)
    upwards = {
        other for other in package_imports(path) - {package} if FLOOR[other] >= FLOOR[package]
    }
    assert not upwards, (
        f"{name_of(path)} is on the floor of {FLOORS[FLOOR[package]]} and imports {sorted(upwards)}"
    )


def test_the_check_sees_imports_in_functions_and_for_typing(tmp_path):
    source = (
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from tfsepgan.cli import"
        " train\ndef f():\n"
    )
    file = tmp_path / "x.py"
    file.write_text(source + "    import tfsepgan.training.run\n")
    assert package_imports(file) == {"cli", "training"}


def test_systems_never_import_each_other():
    from tfsepgan.systems import SYSTEMS

    modules = {entry.model.partition(":")[0] for entry in SYSTEMS.values()}
    for path in sorted((PACKAGE / "systems").glob("*.py")):
        own = f"tfsepgan.systems.{path.stem}"
        assert not (set(imported_modules(path)) & modules) - {own}, name_of(path)


def test_table_of_systems_and_files_agree():
    from tfsepgan.systems import SYSTEMS

    shared = {"__init__", "adversary", "base", "crops", "identity", "inversion", "latent_search"}
    shared |= {"learning_rate", "statistics"}
    files = {path.stem for path in (PACKAGE / "systems").glob("*.py")} - shared
    assert files == set(SYSTEMS)
    assert {path.stem for path in (PACKAGE / "settings").glob("*.py")} - {
        "__init__",
        "base",
        "networks",
        "presets",
        "search",
    } == set(SYSTEMS)
    for name, entry in SYSTEMS.items():
        assert entry.model.partition(":")[0] == f"tfsepgan.systems.{name}"
        assert entry.settings.partition(":")[0] == f"tfsepgan.settings.{name}"


def test_every_preset_has_its_own_name():
    from tfsepgan import systems

    for system in systems.SYSTEMS:
        presets = systems.presets(system)
        assert {"tiny", "paper"} <= presets.keys()
        for name, experiment in presets.items():
            assert (experiment.system, experiment.preset) == (system, name)
            assert type(experiment.model) is systems.settings_type(system)


@every_file
def test_networks_and_losses_use_keras_only(path):
    below = FLOOR[package_of(path)] < FLOOR["layers"] and package_of(path) != "quiet"
    if package_of(path) in KERAS_ONLY or below:
        roots = {module.split(".")[0] for module in imported_modules(path)}
        assert not roots & {"tensorflow", "tensorflow_io", "tf_keras"}, name_of(path)


@every_file
def test_house_rules(path):
    tree = tree_of(path)
    assert ast.get_docstring(tree), f"{name_of(path)} has no docstring"
    for node in ast.walk(tree):
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


@every_file
def test_files_functions_and_lines_are_short(path):
    lines = path.read_text().splitlines()
    assert len(lines) <= LONGEST_FILE, f"{name_of(path)} has {len(lines)} lines; split it by idea"
    long = [number for number, line in enumerate(lines, 1) if len(line) > LONGEST_LINE]
    assert not long, f"{name_of(path)} has lines of more than {LONGEST_LINE} characters: {long}"
    for node in ast.walk(tree_of(path)):
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


def test_package_inits_hold_a_docstring_and_no_imports():
    for path in PACKAGE.rglob("__init__.py"):
        # these have public names
        if path.parent not in [PACKAGE / name for name in ("", "config", "systems", "ondevice")]:
            # the registration of layers needs Keras before the first module of these
            keras = ["keras"] if path.parent.name in ("layers", "networks") else []
            assert list(imported_modules(path)) == keras, name_of(path)


def test_setup_names_every_command():
    text = (Path(__file__).parents[1] / "setup.py").read_text()
    for command in COMMANDS:
        assert (PACKAGE / "cli" / f"{command}.py").is_file()
        assert f'"{command}"' in text


HELP = """
import contextlib, importlib, io, sys
def loaded():
    heavy = {"tensorflow", "keras", "tensorflow_io"}
    return sorted({name.split(".")[0] for name in sys.modules} & heavy)
import tfsepgan
tfsepgan.TfsepganError, tfsepgan.systems.SYSTEMS
print("tfsepgan", loaded())
for name in sys.argv[1:]:
    main = importlib.import_module(f"tfsepgan.cli.{name}").main
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        try:
            code = main(["--help"])
        except SystemExit as end:
            code = end.code
    print(name, code, "usage: tfsepgan-" + name in printed.getvalue(), loaded())
"""


def test_import_and_help_load_no_tensorflow():
    environment = {**os.environ, "PYTHONPATH": str(PACKAGE.parent)}
    done = subprocess.run(
        [sys.executable, "-c", HELP, *COMMANDS],
        capture_output=True,
        text=True,
        env=environment,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == ["tfsepgan []", *(f"{name} 0 True []" for name in COMMANDS)]


def test_an_unknown_public_name_lists_the_known_ones():
    with pytest.raises(AttributeError, match="has no attribute 'separator'; it has Separator"):
        tfsepgan.separator  # noqa: B018
    assert {"load", "Separator", "systems"} <= set(dir(tfsepgan))


def test_the_public_names_are_typed():
    """Type checkers read `__init__.pyi`, since the names themselves are imported on first use."""
    stub = ast.parse((PACKAGE / "__init__.pyi").read_text())
    imported = [node for node in stub.body if isinstance(node, ast.ImportFrom)]
    places = {node.names[0].asname: (node.module, node.names[0].name) for node in imported}
    assert {*places, "__version__"} == set(tfsepgan.__all__)
    for name, (module, attribute) in places.items():
        assert getattr(importlib.import_module(module), attribute) is getattr(tfsepgan, name)
    assert (PACKAGE / "py.typed").is_file()
