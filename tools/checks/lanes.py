"""Runs the README's test command with several Python versions, each in a new environment.

    python tools/checks/lanes.py 3.11 3.13 [--folder DIR] [--keep] [-- PYTEST_ARGUMENTS]

Each version stands for a TensorFlow: 3.10 to 3.12 get 2.16 with tensorflow-io, 3.13 the newest. An
interpreter is looked for as `pythonX.Y` on the PATH, in pyenv, and with `uv python find`. If one is
missing, nothing is run and the exit code is 2. Otherwise the versions run one after another, all of
them even when one fails; the exit code is 1 when one failed. The environments (about 3 GB each) are
removed at the end without --keep.
"""

import argparse
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
PREPARED = ("basic-pitch>=0.3.1", "tinysoundfont")  # as .ci/run: their requirements are too narrow


def version_of(python: str) -> str | None:
    """The version of an interpreter as X.Y; None if it does not start."""
    code = "import sys; print('%d.%d' % sys.version_info[:2])"
    try:
        done = subprocess.run([python, "-c", code], capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return None
    return done.stdout.strip()


def candidates(version: str) -> list[str]:
    """Places where an interpreter of this version may be, the likeliest first."""
    found = [shutil.which(f"python{version}")]
    root = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"))
    found += map(str, sorted(root.glob(f"versions/{version}.*/bin/python"), reverse=True))
    if shutil.which("uv"):
        command = ["uv", "python", "find", version]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        found.append(done.stdout.strip())
    return [place for place in found if place]


def interpreter(version: str) -> str | None:
    """An interpreter of this version that starts; None without one."""
    return next((place for place in candidates(version) if version_of(place) == version), None)


def readme_command() -> str:
    """The line of the README that installs the tests and runs them."""
    text = (REPOSITORY / "README.md").read_text(encoding="utf-8")
    found = re.search(r"^pip install .*&& pytest$", text, flags=re.MULTILINE)
    if found is None:
        raise SystemExit("README.md has no line 'pip install ... && pytest'.")
    return found[0]


def run_lane(python: str, folder: Path, pytest_arguments: list[str]) -> int:
    """Make an environment in a folder and run the test command in it; returns its exit code."""
    subprocess.run([python, "-m", "venv", str(folder)], check=True)
    environment = {**os.environ, "PATH": f"{folder / 'bin'}{os.pathsep}{os.environ['PATH']}"}
    environment.pop("PYTHONPATH", None)
    environment["VIRTUAL_ENV"] = str(folder)
    pip = [str(folder / "bin" / "pip"), "install", "--quiet"]
    for arguments in (["--upgrade", "pip"], ["--no-deps", *PREPARED]):
        subprocess.run([*pip, *arguments], env=environment, check=True)
    command = f"{readme_command()} {shlex.join(pytest_arguments)}".strip()
    return subprocess.run(
        ["bash", "-c", command], cwd=REPOSITORY, env=environment, check=False
    ).returncode


def main(arguments: list[str] | None = None) -> int:
    """Read the command line, find the interpreters, run the lanes."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("versions", nargs="+", metavar="X.Y", help="versions of Python")
    parser.add_argument("--folder", type=Path, help="folder of the environments")
    parser.add_argument("--keep", action="store_true", help="keep the environments")
    words = sys.argv[1:] if arguments is None else arguments
    split = words.index("--") if "--" in words else len(words)
    options, pytest_arguments = parser.parse_args(words[:split]), words[split + 1 :]
    pythons = {version: interpreter(version) for version in options.versions}
    missing = [version for version, python in pythons.items() if python is None]
    if missing:
        print(
            f"No interpreter of Python {', '.join(missing)} found. Install it, for example with "
            f"`uv python install {missing[0]}` or `pyenv install {missing[0]}`, and retry."
        )
        return 2
    folder = options.folder or Path(tempfile.mkdtemp(prefix="tfsepgan-lanes-"))
    lines = []
    for version, python in pythons.items():
        place, begun = folder / version, time.monotonic()
        print(f"Python {version}: {python}", flush=True)
        try:
            code = run_lane(python, place, pytest_arguments)
        except subprocess.CalledProcessError as error:
            code = error.returncode
        finally:
            if not options.keep:
                shutil.rmtree(place, ignore_errors=True)
        minutes = (time.monotonic() - begun) / 60
        lines.append((code, f"Python {version}: exit code {code} after {minutes:.1f} minutes"))
    print(*(line for _, line in lines), sep="\n")
    return int(any(code for code, _ in lines))


if __name__ == "__main__":
    sys.exit(main())
