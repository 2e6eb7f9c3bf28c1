"""The folder of a run: created, recognized or refused, with the run's settings in it."""

from pathlib import Path
from typing import Any

import yaml

from tfsepgan import config as settings
from tfsepgan.config import Experiment
from tfsepgan.errors import CheckpointError
from tfsepgan.training.checkpoint import write_atomically, writing
from tfsepgan.training.lock import LOCK, hold, let_go

SETTINGS = "settings.yaml"


def prepare_directory(directory: Path, experiment: Experiment) -> None:
    """Create the folder of a run, or check that the run in it has the same settings; lock it.

    Raises: CheckpointError when the folder holds other files or a run with other settings, when
      another process trains in it, or when it cannot be written.
    """
    directory = Path(directory)
    path = directory / SETTINGS
    exists, different = path.exists(), []
    if exists:
        saved = _read_settings(path)
        different = settings.differences(experiment, saved)
        if different and not _never_trained(directory, saved):
            raise CheckpointError(
                f"{directory} holds a run with other settings:\n  "
                + "\n  ".join(different)
                + "\nRepeat its settings to resume it, or choose another --run folder; nothing was"
                " changed."
            )
    elif directory.is_dir() and any(not item.name.startswith(".") for item in directory.iterdir()):
        raise CheckpointError(
            f"{directory} is not empty and not a run (no {SETTINGS}). Choose another --run folder;"
            " nothing was changed."
        )
    with writing(path):
        directory.mkdir(parents=True, exist_ok=True)
    hold(directory)  # another process may be about to write its first checkpoint
    if exists and not different:
        return
    text = yaml.safe_dump(settings.to_dict(experiment), sort_keys=False)
    try:
        write_atomically(path, lambda file: file.write(text.encode()))
    except BaseException:
        (directory / LOCK).unlink(missing_ok=True)
        let_go(directory)
        raise


def _read_settings(path: Path) -> dict[str, Any]:
    try:
        saved = yaml.safe_load(path.read_text())
    except (OSError, yaml.YAMLError, UnicodeDecodeError) as error:
        raise CheckpointError(
            f"{path} cannot be read: {error}. Choose another --run folder."
        ) from error
    if not isinstance(saved, dict):
        raise CheckpointError(
            f"{path} does not hold the settings of a run. Choose another --run folder."
        )
    return saved


def _never_trained(directory: Path, saved: dict[str, Any]) -> bool:
    """Whether the run ended before its first checkpoint: the folder holds only its settings."""
    names = {item.name for item in directory.iterdir() if not item.name.startswith(".")}
    return (
        names <= {SETTINGS, "tensorboard", "sessions.jsonl"}
        and {"system", "preset"} <= saved.keys()
    )
