"""What the settings of all systems share: the base class and common checks."""

from collections.abc import Iterator
from typing import Any


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


def at_least(config: Any, prefix: str = "", **least: int) -> Iterator[str]:
    """Yield a sentence for each setting below its minimum; `prefix` is 'generator.' or the like."""
    for name, low in least.items():
        value = getattr(config, name)
        if value < low:
            yield f"{prefix}{name} is {value}; it must be at least {low}."


def at_most(config: Any, prefix: str = "", **most: int) -> Iterator[str]:
    """Yield a sentence for each setting above its maximum; `prefix` as in `at_least`."""
    for name, high in most.items():
        value = getattr(config, name)
        if value > high:
            yield f"{prefix}{name} is {value}; it must be at most {high}."


def above_zero(config: Any, *names: str, prefix: str = "") -> Iterator[str]:
    """Yield a sentence for each setting that is zero, negative or not a number."""
    for name in names:
        value = getattr(config, name)
        if not value > 0:
            yield f"{prefix}{name} is {value}; it must be above zero."


def not_negative(config: Any, *names: str) -> Iterator[str]:
    """Yield a sentence for each negative setting."""
    for name in names:
        value = getattr(config, name)
        if value < 0:
            yield f"{name} is {value}; it must be zero or above."


def shares(config: Any, *names: str) -> Iterator[str]:
    """Yield a sentence for each setting outside [0, 1]."""
    for name in names:
        value = getattr(config, name)
        if not 0 <= value <= 1:
            yield f"{name} is {value}; it must be in [0, 1]."


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
