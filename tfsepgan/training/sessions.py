"""`sessions.jsonl`: code, versions, recordings and hardware of each session of a run."""

import datetime
import json
import os
import platform
import subprocess
from importlib import metadata
from pathlib import Path
from typing import Any

import tensorflow as tf

import tfsepgan
from tfsepgan.training.checkpoint import writing
from tfsepgan.training.devices import names_of
from tfsepgan.training.workers import Workers

SESSIONS = "sessions.jsonl"
_PACKAGES = ("tensorflow", "keras", "numpy", "scipy", "soundfile", "soxr")


def write_session(directory: Path, progress: dict[str, Any], workers: Workers) -> None:
    """Add a line for the session that starts here.

    Args:
      directory: the folder of the run.
      progress: its `step` and `recordings` (a checksum, see `data.batches.fingerprint`).
      workers: that train the run.
    Raises: CheckpointError when the file cannot be written.
    """
    line = {
        "started": datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds"),
        "step": progress["step"],
        "recordings": progress["recordings"],
        "tfsepgan": tfsepgan.__version__,
        "commit": _commit(),
        "python": platform.python_version(),
        **{name: _version(name) for name in _PACKAGES},
        "platform": platform.platform(),
        "cores": os.cpu_count(),
        "devices": _devices(),
        "workers": workers.count,
        "replicas": workers.replicas,
    }
    with writing(directory / SESSIONS), open(directory / SESSIONS, "a", encoding="utf-8") as file:
        file.write(json.dumps(line) + "\n")


def _devices() -> list[str]:
    """Names of the devices of this process, with the models of GPUs."""
    gpus = tf.config.get_visible_devices("GPU")
    details = [tf.config.experimental.get_device_details(gpu) for gpu in gpus]
    models = [one.get("device_name", "") for one in details]
    named = [f"{name} {model}".strip() for name, model in zip(names_of(gpus), models, strict=True)]
    return named or names_of(tf.config.get_visible_devices("CPU"))


def _version(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


def _commit() -> str | None:
    """The commit of the package's own repository; None where it was installed from a wheel."""
    root = Path(tfsepgan.__file__).resolve().parents[1]
    if not (root / ".git").exists():
        return None
    command = ["git", "-C", str(root), "describe", "--always", "--dirty", "--abbrev=12"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=10)
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip()
