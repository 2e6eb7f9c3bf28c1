"""Settings by dotted name: their types, which values they accept, and copies with other values."""

import functools
import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Literal, get_args, get_origin, get_type_hints

import msgspec

from tfsepgan.config import Experiment, flatten, nearest, to_dict
from tfsepgan.errors import ConfigError

SECTIONS = ("data", "training", "model")


def kind_of(experiment: Experiment, name: str) -> Any:
    """The type of a setting, by its dotted name.

    Raises: ConfigError, with the nearest name, when there is no such setting.
    """
    known = flatten(to_dict(experiment))
    if name not in known or name in ("system", "preset"):
        raise ConfigError(f"There is no setting {name!r} to search; {nearest(name, known)}")
    *path, field = name.split(".")
    config = functools.reduce(getattr, path, getattr(experiment, _section(experiment, name)))
    return get_type_hints(type(config))[field]


def _section(experiment: Experiment, name: str) -> str:
    """The part of an experiment that has a setting."""
    head = name.partition(".")[0]
    return next(part for part in SECTIONS if hasattr(getattr(experiment, part), head))


def accepts(kind: Any, value: Any) -> bool:
    """Whether a setting of this type accepts a value; a list counts as a tuple."""
    try:
        msgspec.convert(value, kind)
    except msgspec.ValidationError:
        return False
    items = value if isinstance(value, list | tuple) else [value]
    return all(math.isfinite(item) for item in items if isinstance(item, float))


def name_of_kind(kind: Any) -> str:
    """A type for error messages."""
    if get_origin(kind) is Literal:
        return f"one of {', '.join(map(repr, get_args(kind)))}"
    return kind.__name__ if isinstance(kind, type) and not get_args(kind) else str(kind)


def with_values(experiment: Experiment, values: Mapping[str, Any]) -> Experiment:
    """A copy of an experiment with other values of some settings, by dotted name.

    Raises: ConfigError for a name that no setting has.
    """
    for name, value in values.items():
        kind_of(experiment, name)
        section = _section(experiment, name)
        changed = _changed(getattr(experiment, section), name.split("."), _tupled(value))
        experiment = replace(experiment, **{section: changed})
    return experiment


def _changed(config: Any, path: Sequence[str], value: Any) -> Any:
    head, *inner = path
    if inner:
        value = _changed(getattr(config, head), inner, value)
    return replace(config, **{head: value})


def _tupled(value: Any) -> Any:
    return tuple(_tupled(item) for item in value) if isinstance(value, (list, tuple)) else value
