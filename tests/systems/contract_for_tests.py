"""The systems of the table by kind, for the tests that every system must pass."""

from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest

from tfsepgan import systems

SYSTEMS = sorted(systems.SYSTEMS)
SEPARATING = [name for name in SYSTEMS if systems.system_kind(name) != "synthesis"]
FOLLOWED = [name for name in SYSTEMS if systems.system_kind(name) != "search"]
EXPORTED = [name for name in SYSTEMS if systems.system_kind(name) == "generator"]


every_system = pytest.mark.parametrize("experiment", SYSTEMS, indirect=True)


every_separator = pytest.mark.parametrize("experiment", SEPARATING, indirect=True)


every_followed = pytest.mark.parametrize("experiment", FOLLOWED, indirect=True)


def weights_of(system):
    return {
        player: [np.asarray(v) for v in network.trainable_variables]
        for player, network in system.players.items()
    }


def all_of(system):
    return [np.asarray(variable) for variable in variables_of(system)]


def variables_of(system):
    """Those of the system, then those of its optimizers."""
    optimizers = [v for optimizer in system.optimizers.values() for v in optimizer.variables]
    return [*system.variables, *optimizers]


class Stepped(NamedTuple):
    """A system after two steps and the end of an epoch, the second with its own batch keys alone.

    `variables` are those before, after the first and after the second step; `logs` of both steps.
    """

    system: object
    model: Path
    weights_before: dict
    variables: list[list[np.ndarray]]
    logs: list[dict]
