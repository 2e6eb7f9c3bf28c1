"""The package keeps its layout: imports point downwards, tables match files."""

import ast
import importlib
import os
import runpy
import subprocess
import sys
from pathlib import Path

import pytest
import setuptools
from source_for_tests import FILES, PACKAGE, REPOSITORY, every_file, imported_modules, name_of

import tfsepgan
from tfsepgan.cli.command_list import COMMANDS

# Lowest level first. A module imports from lower levels only.
LEVELS = (
    ("",),  # tfsepgan/__init__.py: the version, and lazy names
    ("errors",),
    ("files", "locking", "processes", "progress", "quiet", "registration"),
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
    ("refining", "tuning", "serving", "web"),
    ("cli",),
)
LEVEL = {package: level for level, packages in enumerate(LEVELS) for package in packages}
KERAS_ONLY = ("layers", "networks", "losses", "metrics")  # trainable on any Keras backend


def package_of(path: Path) -> str:
    parts = path.relative_to(PACKAGE).with_suffix("").parts
    return "" if parts == ("__init__",) else parts[0]


def package_imports(path: Path) -> set[str]:
    """Packages of tfsepgan that a file imports."""
    found = set()
    for module in imported_modules(path):
        if module.split(".")[0] == "tfsepgan":
            part = (module.split(".") + [""])[1]
            found.add(part if part in LEVEL else "")
    return found


def test_every_package_has_a_level():
    found = {package_of(path) for path in FILES}
    assert found <= LEVEL.keys(), f"give these a level: {sorted(found - LEVEL.keys())}"


@every_file
def test_imports_point_downwards(path):
    package = package_of(path)
    upwards = {
        other for other in package_imports(path) - {package} if LEVEL[other] >= LEVEL[package]
    }
    assert not upwards, (
        f"{name_of(path)} is on the level of {LEVELS[LEVEL[package]]} and imports {sorted(upwards)}"
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
    shared |= {"learning_rate", "statistics", "steps"}
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
    below = LEVEL[package_of(path)] < LEVEL["layers"] and package_of(path) != "quiet"
    if package_of(path) in KERAS_ONLY or below:
        roots = {module.split(".")[0] for module in imported_modules(path)}
        assert not roots & {"tensorflow", "tensorflow_io", "tf_keras"}, name_of(path)


def test_package_inits_hold_a_docstring_and_no_imports():
    for path in PACKAGE.rglob("__init__.py"):
        # these have public names
        if path.parent not in [PACKAGE / name for name in ("", "config", "systems", "ondevice")]:
            # the registration of layers needs Keras before the first module of these
            keras = ["keras"] if path.parent.name in ("layers", "networks") else []
            assert list(imported_modules(path)) == keras, name_of(path)


def test_setup_makes_a_script_of_every_command(monkeypatch):
    made = {}
    monkeypatch.setattr(setuptools, "setup", made.update)
    runpy.run_path(str(REPOSITORY / "setup.py"))
    scripts = dict(line.split(" = ") for line in made["entry_points"]["console_scripts"])
    assert scripts.keys() == {"tfsepgan", *(f"tfsepgan-{name}" for name in COMMANDS)}
    for place in scripts.values():
        module, _, function = place.partition(":")
        assert callable(getattr(importlib.import_module(module), function))


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
