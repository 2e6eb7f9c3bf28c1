"""Checks that settings share: each yields a sentence for every setting outside its limits."""

import functools
import math
import operator
from collections.abc import Callable, Iterable, Iterator
from typing import Any


def outside(
    config: Any, names: Iterable[str], fits: Callable[[Any], bool], wanted: str, prefix: str = ""
) -> Iterator[str]:
    """Yield a sentence for each setting that does not fit; None is a setting that is not given.

    Args:
      config: the settings.
      names: of the settings to check.
      fits: whether a value can be used.
      wanted: what it must be, for the sentence.
      prefix: 'generator.' or the like, for settings inside others.
    """
    for name in names:
        value = getattr(config, name)
        if value is not None and not fits(value):
            yield f"{prefix}{name} is {value}; it must be {wanted}."


def at_least(config: Any, prefix: str = "", **least: int) -> Iterator[str]:
    """Yield a sentence for each setting below its minimum; `prefix` as in `outside`."""
    for name, low in least.items():
        fits = functools.partial(operator.le, low)
        yield from outside(config, [name], fits, f"at least {low}", prefix)


def at_most(config: Any, prefix: str = "", **most: int) -> Iterator[str]:
    """Yield a sentence for each setting above its maximum; `prefix` as in `outside`."""
    for name, high in most.items():
        fits = functools.partial(operator.ge, high)
        yield from outside(config, [name], fits, f"at most {high}", prefix)


def above_zero(config: Any, *names: str, prefix: str = "") -> Iterator[str]:
    """Yield a sentence for each setting that is zero, negative or not a number."""
    yield from outside(config, names, lambda value: value > 0, "above zero", prefix)


def not_negative(config: Any, *names: str) -> Iterator[str]:
    """Yield a sentence for each negative setting."""
    yield from outside(config, names, lambda value: not value < 0, "zero or above")


def shares(config: Any, *names: str, prefix: str = "") -> Iterator[str]:
    """Yield a sentence for each setting outside [0, 1]."""
    yield from outside(config, names, lambda value: 0 <= value <= 1, "in [0, 1]", prefix)


def low_to_high(config: Any, *names: str, prefix: str = "") -> Iterator[str]:
    """Yield a sentence for each range that is not two numbers, the lower one first."""
    for name in names:
        low, high = getattr(config, name)
        if not -math.inf < low <= high < math.inf:
            yield (
                f"{prefix}{name} is {low} to {high}; two numbers are wanted, the lower one first."
            )
