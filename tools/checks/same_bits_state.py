"""One state of the code for same_bits.py: its commands, and digests of what they write."""

import hashlib
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np

# keys that differ from run to run
CLOCK = re.compile(r"minutes|seconds|date|created|processor|commit|version", re.IGNORECASE)
ONE_THREAD = ("OMP_NUM_THREADS", "TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS")
# of the preset `tiny` in older commits; both states must have the same
DISCRIMINATOR = ["--discriminator.levels", "5"]
DEPTHS = dict.fromkeys(
    ("ssepgan", "cyclegan", "semisupervised", "decomposition"),
    ["--generator.blocks", "2", *DISCRIMINATOR],
)
DEPTHS["compressed_sensing"] = DISCRIMINATOR
Facts = dict[str, str]  # what is compared: name and digest, or the text itself if it is short


class State:
    """One state of the code, and the folder of its outputs.

    Args:
      checkout: folder of the repository in that state.
      folder: for all outputs.
      steps: of each training.
    """

    def __init__(self, checkout: Path, folder: Path, steps: int):
        self.checkout, self.folder, self.steps = checkout, folder, steps
        self.folder.mkdir(parents=True, exist_ok=True)

    def call(self, code: str, *arguments: str) -> str:
        """Run Python code in this state of the package; returns its standard output.

        Raises: subprocess.CalledProcessError when it fails.
        """
        environment = {
            **os.environ,
            **dict.fromkeys(ONE_THREAD, "1"),
            "PYTHONPATH": str(self.checkout),
            "COLUMNS": "200",
        }
        environment["TF_CPP_MIN_LOG_LEVEL"] = "3"
        call = [sys.executable, "-c", code, *map(str, arguments)]
        return subprocess.run(
            call, cwd=self.folder, env=environment, check=True, capture_output=True, text=True
        ).stdout

    def command(self, name: str, *arguments: str) -> str:
        """Run one of the package's commands."""
        return self.call(f"from tfsepgan.cli.{name} import main; main()", *arguments)

    def systems(self) -> list[str]:
        """Names of the systems, as the package lists them."""
        return self.call("from tfsepgan import systems; print(*systems.SYSTEMS)").split()

    def run(self, system: str) -> Path:
        """The run of a system; trains it if there is none."""
        run = self.folder / "runs" / system
        if not (run / "model").is_dir():
            flags = {
                "steps": self.steps,
                "steps-per-epoch": 25,
                "validation-mixtures": 2,
                "seed": 3,
            }
            settings = [part for flag, value in flags.items() for part in (f"--{flag}", value)]
            place = ["--data", "demo", "--cache", self.folder / "cache", "--run", run]
            quick = ["--no-finish", "--no-tensorboard"]
            quick += DEPTHS.get(system, [])
            self.command("train", "--system", system, "--preset", "tiny", *settings, *place, *quick)
        return run


def digest(values: bytes | np.ndarray) -> str:
    """A checksum of bytes, or of an array with its type and shape."""
    if isinstance(values, np.ndarray):
        values = f"{values.dtype} {values.shape} ".encode() + np.ascontiguousarray(values).tobytes()
    return hashlib.sha256(values).hexdigest()[:16]


def leaves(value, name: str) -> Iterator[tuple[str, str]]:
    """Numbers and texts of a JSON value by their paths, without those of clock and machine."""
    if isinstance(value, dict):
        for key in sorted(value):
            if not CLOCK.search(key):
                yield from leaves(value[key], f"{name}/{key}")
    elif isinstance(value, list):
        for index, one in enumerate(value):
            yield from leaves(one, f"{name}/{index}")
    elif isinstance(value, float):
        yield name, value.hex()
    else:
        yield name, str(value)
