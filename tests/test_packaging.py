"""The package as PyPI gets it: size, files, requirements; and the containers that install it."""

import re
import runpy
import subprocess
import sys
import zlib
from importlib import metadata
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from tools_for_tests import from_tools

from tfsepgan.serving.deployment import IMAGE

setuptools = pytest.importorskip("setuptools", reason="no setuptools")

ROOT = Path(__file__).parents[1]
SMALL = from_tools("check_small_install")
LIMIT_BYTES = 100e6  # of a file on PyPI
INTEL_MAC = {"sys_platform": "darwin", "platform_machine": "x86_64", "python_version": "3.12"}
LINUX = {"sys_platform": "linux", "platform_machine": "x86_64", "python_version": "3.12"}


@pytest.fixture(scope="module")
def package() -> dict:
    """The arguments that setup.py gives to `setup`."""
    given = {}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(setuptools, "setup", given.update)
        runpy.run_path(str(ROOT / "setup.py"))
    return given


@pytest.fixture(scope="module")
def source_files(tmp_path_factory) -> set[str]:
    """The files of the sdist, relative to the repository."""
    folder = tmp_path_factory.mktemp("egg")
    command = [sys.executable, "setup.py", "-q", "egg_info", "--egg-base", str(folder)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    return set((folder / "tfsepgan.egg-info/SOURCES.txt").read_text().splitlines())


def required(requirements, environment) -> dict[str, str]:
    """Requirements that hold in an environment: versions by name."""
    parsed = [Requirement(one) for one in requirements]
    held = [one for one in parsed if one.marker is None or one.marker.evaluate(environment)]
    return {one.name: str(one.specifier) for one in held}


def test_the_sdist_builds_the_wheel_and_holds_no_tests(source_files):
    wanted = {"setup.py", "pyproject.toml", "README.md", "LICENSE", "tfsepgan/py.typed"}
    wanted |= {"exported_models/piano/piano.tflite", "exported_models/piano/1/saved_model.pb"}
    wanted |= {f"exported_models/piano-live/{name}" for name in ("card.md", "model.keras")}
    wanted |= {"exported_models/piano-live/piano-live.stream.dynamic.tflite"}
    assert wanted <= source_files
    page = {name for name in source_files if name.startswith("tfsepgan/web/prebuilt/")}
    assert {name.rpartition(".")[2] for name in page} >= {"html", "js", "css", "gzip"}
    assert any(name.endswith(".ogg") for name in source_files)
    folders = {name.split("/")[0] for name in source_files if "/" in name}
    assert not folders & {"tests", "tools", "docs", "web"}


def test_the_files_fit_into_pypi(source_files):
    """The compressed size, by a fast level; a wheel is smaller."""
    paths = [ROOT / name for name in source_files if (ROOT / name).is_file()]
    size = sum(len(zlib.compress(path.read_bytes(), 1)) for path in paths)
    assert 1e6 < size < LIMIT_BYTES


def test_every_tensorflow_has_an_upper_limit(package):
    every = [*package["install_requires"], *sum(package["extras_require"].values(), [])]
    tensorflow = [one for one in every if re.match(r"tensorflow(-serving-api)?\b(?!-io)", one)]
    assert len(tensorflow) >= 6
    assert all(re.search(r",<2\.\d+;", one) for one in tensorflow), tensorflow
    assert package["python_requires"] == ">=3.10,<3.14"


def test_no_keras_is_allowed_that_reads_other_files(package):
    keras = Requirement(
        next(one for one in package["install_requires"] if one.startswith("keras>"))
    )
    versions = ("3.10.0", "3.12.0", "3.13.0", "3.13.1", "3.12.1", "3.13.2", "3.15.1")
    assert {one for one in versions if one in keras.specifier} == {"3.12.1", "3.13.2", "3.15.1"}


def test_an_intel_mac_gets_all_but_litert(package):
    mac, linux = (required(package["install_requires"], one) for one in (INTEL_MAC, LINUX))
    assert linux.keys() - mac.keys() == {"ai-edge-litert"}
    assert "tensorflow" in mac


def test_the_description_has_no_relative_links(package):
    text = package["long_description"]
    links = re.findall(r"\]\(([^)]+)\)", text)
    assert links and all(re.match(r"https://|#", link) for link in links), links
    assert text.count("/raw/main/docs/") == len(re.findall(r"!\[", text))


def test_classifiers_name_the_pythons_that_are_allowed(package):
    named = {one.rpartition(" ")[2] for one in package["classifiers"]}
    pythons = {one for one in named if re.fullmatch(r"3\.\d+", one)}
    assert pythons == {"3.10", "3.11", "3.12", "3.13"}
    assert set(package["project_urls"]) >= {"Documentation", "Source", "Issues"}
    site = (ROOT / "mkdocs.yml").read_text()
    assert f"repo_url: {package['url']}\n" in site


def test_the_address_of_the_repository_is_the_same_everywhere(package):
    """It may not be reachable yet; `setup.py` has it, other files repeat it."""
    kinds = (
        "*.md",
        "*.py",
        "*.yml",
        "*.yaml",
        "*.toml",
        "*.cff",
        "*.ipynb",
        "*.json",
        "Dockerfile",
    )
    folders = ("", "docs/**/", "tools/**/", "tfsepgan/**/", "exported_models/**/")
    files = {path for kind in kinds for folder in folders for path in ROOT.glob(folder + kind)}
    address = re.compile(r"(?:https?://|git@)github\.com[/:][\w.-]*tfsepgan[\w./-]*", re.IGNORECASE)
    found = {
        (path.relative_to(ROOT).as_posix(), one)
        for path in files
        for one in address.findall(path.read_text(encoding="utf-8"))
    }
    assert {name for name, _ in found} >= {"setup.py", "mkdocs.yml", "SECURITY.md"}
    for name, one in found:
        assert re.match(re.escape(package["url"]) + r"(/|\.?$)", one), f"{name} has {one}"


def test_the_small_installation_is_what_the_page_says(package):
    assert f"pip install {' '.join(SMALL.NEEDS)}\n" in (ROOT / "docs/install.md").read_text()
    needs = required(package["install_requires"], LINUX)
    assert set(SMALL.NEEDS) <= needs.keys()
    assert not set(SMALL.UNWANTED) & set(SMALL.NEEDS)


def with_requirements(names) -> set[str]:
    """Installed distributions and all that they require, extras left out."""
    found, left = set(), {canonicalize_name(name) for name in names}
    while left:
        name = left.pop()
        found.add(name)
        requirements = required(metadata.requires(name) or [], {"extra": ""})
        left |= {canonicalize_name(one) for one in requirements} - found
    return found


def test_the_small_installation_is_enough_to_separate(tmp_path):
    """The command loads no other package than those, and what they require themselves."""
    code = (
        "import sys, tfsepgan.cli.separate as command\n"
        "from tfsepgan.data.recordings.demo import demo_directory as demo\n"
        "song = str(demo() / 'test/piano/01-nocturne.ogg')\n"
        "assert command.main([song, '-o', sys.argv[1], '--format', 'flac', '-q']) == 0\n"
        "print(*{name.split('.')[0] for name in sys.modules})\n"
    )
    command = [sys.executable, "-c", code, str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert {path.name for path in tmp_path.rglob("*.flac")} == {"piano.flac", "residual.flac"}
    owners = metadata.packages_distributions()
    loaded = {
        canonicalize_name(owner)
        for module in done.stdout.splitlines()[-1].split()
        for owner in owners.get(module, [])
    }
    assert loaded >= {"numpy", "h5py"} and "ai-edge-litert" not in loaded
    faster = {"scipy"}  # where it is installed: its compiled transforms
    assert loaded - with_requirements(SMALL.NEEDS) - faster <= {"tfsepgan", "setuptools"}


def test_the_dockerfile_copies_files_that_exist_and_takes_a_tested_python(package):
    text = (ROOT / "Dockerfile").read_text()
    copied = [name for line in re.findall(r"^COPY (.+) \S+$", text, re.M) for name in line.split()]
    assert {"setup.py", "tfsepgan", "exported_models"} <= set(copied)
    assert all((ROOT / name).exists() for name in copied)
    kept = re.findall(r"^!(.+)$", (ROOT / ".dockerignore").read_text(), re.M)
    assert set(kept) == set(copied)
    pythons = set(re.findall(r"PYTHON=(3\.\d+)", text))
    assert pythons and all(
        f"Python :: {one}" in " ".join(package["classifiers"]) for one in pythons
    )
    assert "EXTRAS=[gpu]" in text and "gpu" in package["extras_require"]
    assert text.rindex("\nUSER ") > text.rindex("\nRUN ")
    assert re.search(r'^ENTRYPOINT \["tfsepgan"\]$', text, re.M)


def test_compose_serves_the_model_that_ships():
    services = yaml.safe_load((ROOT / "compose.yaml").read_text())["services"]
    server, client = services["model-server"], services["separate"]
    assert server["image"] == IMAGE
    (mount,) = server["volumes"]
    name = server["environment"]["MODEL_NAME"]
    assert (ROOT / mount["source"] / "1" / "saved_model.pb").is_file()
    assert mount["target"] == f"/models/{name}" and mount["read_only"]
    assert all(port.startswith("127.0.0.1:") for port in server["ports"])
    assert f"/v1/models/{name} " in server["healthcheck"]["test"][3]
    assert client["entrypoint"][:2] == ["tfsepgan", "separate"]
    assert client["entrypoint"][-2:] == ["--model", name]
    assert (ROOT / client["build"] / "Dockerfile").is_file()
