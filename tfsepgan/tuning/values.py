"""Settings by dotted name: their types, which values they accept, and copies with other values."""

import math
from collections.abc import Mapping
from dataclasses import fields, is_dataclass, replace
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
    head, *rest = name.split(".")
    config = next(
        getattr(experiment, section)
        for section in SECTIONS
        if hasattr(getattr(experiment, section), head)
    )
    for part in rest:
        config, head = getattr(config, head), part
    return get_type_hints(type(config))[head]


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


def listed(value: Any) -> Any:
    """The value with lists in place of tuples, as JSON and YAML have it."""
    return [listed(item) for item in value] if isinstance(value, (list, tuple)) else value


def with_values(experiment: Experiment, values: Mapping[str, Any]) -> Experiment:
    """A copy of an experiment with other values of some settings, by dotted name.

    Raises: ConfigError for a name that no setting has.
    """
    for name in values:
        kind_of(experiment, name)
    changed = {section: _replaced(getattr(experiment, section), values) for section in SECTIONS}
    return replace(experiment, **changed)


def _replaced(config: Any, values: Mapping[str, Any]) -> Any:
    changes = {}
    for item in fields(config):
        inside = {
            name.partition(".")[2]: value
            for name, value in values.items()
            if name.startswith(f"{item.name}.")
        }
        if item.name in values:
            changes[item.name] = _tupled(values[item.name])
        elif inside and is_dataclass(getattr(config, item.name)):
            changes[item.name] = _replaced(getattr(config, item.name), inside)
    return replace(config, **changes)


def _tupled(value: Any) -> Any:
    return tuple(_tupled(item) for item in value) if isinstance(value, (list, tuple)) else value
