"""Installs the wheel without TensorFlow in an empty folder and separates an M4A file with it.

    python tools/checks/check_small_install.py [--wheel FILE] [--folder DIR]

The steps are those of docs/install.md: a new virtual environment, the few packages that
`tfsepgan-separate` loads, the wheel without its requirements. Builds the wheel if none is given.
Prints seconds and megabytes. The exit code is 1 when a stem is missing, when the stems differ in
length, or when TensorFlow, Keras or LiteRT got into the environment.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).parents[2]
NEEDS = (
    "numpy",
    "soundfile",
    "soxr",
    "msgspec",
    "av",
    "rich",
    "tyro",
    "docstring-parser",
    "h5py",
    "threadpoolctl",
    "filelock",
)
UNWANTED = ("tensorflow", "keras", "scipy", "matplotlib", "ai_edge_litert")
LENGTHS = "import soundfile, sys; print(*(soundfile.info(path).frames for path in sys.argv[1:]))"


def run(*command, folder: Path) -> str:
    """Run a command in a folder, without the packages of this process; returns what it printed."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    parts = [str(part) for part in command]
    done = subprocess.run(parts, cwd=folder, env=clean, stdout=subprocess.PIPE, text=True)
    if done.returncode:
        raise SystemExit(f"{' '.join(parts)} ended with exit code {done.returncode}")
    return done.stdout


def timed(*command, folder: Path) -> tuple[float, float]:
    """Seconds that a command takes: of wall time, of processor time."""
    started, before = time.monotonic(), os.times()
    run(*command, folder=folder)
    seconds, after = time.monotonic() - started, os.times()
    return seconds, sum(after[2:4]) - sum(before[2:4])  # of children: user and system


def size_mb(folder: Path) -> float:
    """The size of all files in a folder, in MB."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) / 1e6


def check(wheel: Path | None, folder: Path) -> bool:
    """Install and separate in a folder; prints the figures; returns whether all is well."""
    if wheel is None:
        build = (sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir")
        run(*build, folder / "dist", ROOT, folder=folder)
        wheel = next((folder / "dist").glob("tfsepgan-*.whl"))
    run(sys.executable, "-m", "venv", folder / "venv", folder=folder)
    binaries = folder / "venv" / ("Scripts" if os.name == "nt" else "bin")
    python, command = binaries / "python", binaries / "tfsepgan"
    install = (python, "-m", "pip", "install", "--quiet")
    seconds, _ = timed(*install, *NEEDS, folder=folder)
    seconds += timed(*install, "--no-deps", wheel.resolve(), folder=folder)[0]
    packages = next((folder / "venv").rglob("site-packages"))
    found = [name for name in UNWANTED if (packages / name).is_dir()]
    print(f"wheel {wheel.stat().st_size / 1e6:.1f} MB, installed in {seconds:.0f} s")
    print(
        f"environment {size_mb(folder / 'venv'):.0f} MB, without {', '.join(UNWANTED)}: {not found}"
    )

    demo = packages / "tfsepgan/data/demo/test/piano/01-nocturne.ogg"
    run(command, "separate", demo, "-o", "made", "--format", "m4a", folder=folder)
    (folder / "made/01-nocturne/piano.m4a").rename(folder / "song.m4a")
    separate = (command, "separate", "song.m4a", "-o", "out", "--format", "flac")
    taken, used = sorted(timed(*separate, folder=folder) for _ in range(3))[1]
    stems = [folder / "out/song" / name for name in ("piano.flac", "residual.flac")]
    lengths = run(python, "-c", LENGTHS, *stems, folder=folder).split()
    print(
        f"{' '.join(separate[1:])}: {taken:.2f} s, {used:.2f} s of processor time, "
        f"{lengths[0]} samples in each stem"
    )
    return not found and len(set(lengths)) == 1 and int(lengths[0]) > 0


def main() -> int:
    """Read the options and run the check."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--wheel", type=Path, help="the wheel to install; built if not given")
    parser.add_argument("--folder", type=Path, help="working folder; default: a temporary one")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        folder = (options.folder or Path(scratch)).resolve()
        folder.mkdir(parents=True, exist_ok=True)
        return 0 if check(options.wheel, folder) else 1


if __name__ == "__main__":
    raise SystemExit(main())
