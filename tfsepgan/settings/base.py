"""What the settings of all systems share: the base class, its presets and common checks."""

from collections.abc import Iterator
from typing import Any

from tfsepgan.config import Experiment
from tfsepgan.config.limits import not_negative


class SystemConfig:
    """Base of the settings of one system, each of which is a frozen dataclass."""

    def problems(self) -> Iterator[str]:
        """Yield one sentence for each setting that no run can use.

        Networks come first: a field whose value has `problems(prefix)` is one. Then the weights of
        the losses: fields whose names end in `_weight`. Then the system's own settings.
        """
        for name, value in vars(self).items():
            if hasattr(value, "problems"):
                yield from value.problems(name)
        yield from not_negative(self, *(name for name in vars(self) if name.endswith("_weight")))
        yield from self.own_problems()

    def own_problems(self) -> Iterator[str]:
        """Yield one sentence for each setting of this system alone that no run can use."""
        yield from ()


def presets_of(system: str, **presets: dict[str, Any]) -> dict[str, Experiment]:
    """The presets of a system by name, from the `model`, `data` and `training` of each."""
    return {
        name: Experiment(system=system, preset=name, **parts) for name, parts in presets.items()
    }


def nothing_to_learn(config: Any, *names: str) -> Iterator[str]:
    """Yield a sentence when all weights that train the generator are zero."""
    if not any(getattr(config, name) for name in names):
        yield f"The generator has nothing to learn from: {', '.join(names)} are all zero."


def frame_and_hop(config: Any, prefix: str = "") -> Iterator[str]:
    """Yield a sentence when frames of `frame` samples, `hop` apart, cannot be inverted."""
    frame, hop = config.frame, config.hop
    if hop < 1 or frame % hop or frame // hop < 2 or frame % 2:
        yield (
            f"{prefix}frame is {frame} and {prefix}hop {hop}: the frame must be even, a multiple of"
            " the hop, and at least twice the hop."
        )
