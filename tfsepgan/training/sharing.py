"""What the workers of a run agree on before the first step: settings, recordings and state."""

import json
from typing import Any

import numpy as np

from tfsepgan import config as settings
from tfsepgan.config import Experiment
from tfsepgan.errors import CheckpointError, ConfigError
from tfsepgan.training.checkpoint import variables_of
from tfsepgan.training.workers import Workers


def share_state(
    workers: Workers, system: Any, progress: dict[str, Any], experiment: Experiment
) -> None:
    """Give all workers the state of the chief. All workers call this at the same time.

    Args:
      system: its variables become those of the chief.
      progress: is updated to that of the chief.
    Raises: ConfigError or CheckpointError when this worker has other settings or recordings than
      the chief; TfsepganError when another worker has.
    """
    own = _settings(experiment)
    of_chief = json.loads(workers.text_of_chief(json.dumps(own)))
    progress_of_chief = json.loads(workers.text_of_chief(json.dumps(progress)))
    variables = variables_of(system).values()
    arrays = workers.of_chief([np.asarray(variable) for variable in variables])
    with workers.together():
        different = [name for name in own if own[name] != of_chief.get(name)]
        if different:
            name = different[0]
            raise ConfigError(
                f"{name} is {own[name]!r} on worker {workers.index} and {of_chief.get(name)!r} on"
                " worker 0. Start all workers with the same command."
            )
        if progress["recordings"] != progress_of_chief["recordings"]:
            raise CheckpointError(
                f"Worker {workers.index} has other recordings than worker 0 (names, lengths or"
                " rates differ). All workers need the same files in --data."
            )
    for variable, array in zip(variables, arrays, strict=True):
        variable.assign(array)
    progress.update(progress_of_chief)


def _settings(experiment: Experiment) -> dict[str, Any]:
    """The settings that must be the same on all workers, as JSON has them."""
    flat = settings.flatten(settings.to_dict(experiment))
    kept = {name: one for name, one in flat.items() if name not in settings.FREE_ON_RESUME}
    return json.loads(json.dumps(kept))
