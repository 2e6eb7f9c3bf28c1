"""The YAML file that names the settings to search and their ranges (docs/tuning.md)."""

from collections.abc import Mapping
from typing import Any

from tfsepgan.config import nearest
from tfsepgan.errors import ConfigError
from tfsepgan.settings.search import Around, Choice, Multiples, Range, Span

_SHAPES = {
    frozenset(("low", "high")): Range,
    frozenset(("values",)): Choice,
    frozenset(("around",)): Around,
    frozenset(("multiples",)): Multiples,
}
_FIELDS = {"around": "factor", "multiples": "of"}  # keys whose field has another name


def read_spans(
    plain: Mapping[str, Any], declared: Mapping[str, Span], where: str
) -> dict[str, Span]:
    """The ranges in the content of a YAML file.

    Args:
      plain: name to `{low, high, log}`, `{values}`, `{around}`, `{multiples}`, a list of values, or
        'default'.
      declared: the ranges of the system, for 'default'.
      where: name of the file, for error messages.
    Raises: ConfigError for any other content.
    """
    spans = {}
    for name, content in plain.items():
        if content == "default":
            if name not in declared:
                raise ConfigError(
                    f"{where}: {name} has no default range; {nearest(name, declared)}"
                )
            spans[name] = declared[name]
            continue
        content = {"values": content} if isinstance(content, list) else content
        shape = _SHAPES.get(frozenset(content) - {"log"}) if isinstance(content, dict) else None
        if shape is None or ("log" in content and shape is not Range) or not _valid(content):
            raise ConfigError(
                f"{where}: {name} is {content!r}; wanted {{low: A, high: B, log: true or false}},"
                " {values: [A, B]}, {around: FACTOR}, {multiples: [A, B]} or default, with"
                " numbers as ends and factors."
            )
        spans[name] = shape(
            **{_FIELDS.get(key, key): _number(value) for key, value in content.items()}
        )
    return spans


def _number(value: Any) -> Any:
    """The number in a text such as 1e-4, which YAML 1.1 reads as text; other values as they are."""
    if isinstance(value, list):
        return tuple(_number(item) for item in value)
    if isinstance(value, str):
        try:
            return float(value)
        except ValueError:
            return value
    return value


def _valid(content: Mapping[str, Any]) -> bool:
    content = {key: _number(value) for key, value in content.items()}
    numbers = [content[key] for key in ("low", "high", "around") if key in content] + list(
        content.get("multiples") or ()
    )
    sequences = [content[key] for key in ("values", "multiples") if key in content]
    return (
        all(type(number) in (int, float) for number in numbers)
        and all(isinstance(values, tuple) and values for values in sequences)
        and isinstance(content.get("log", False), bool)
        and content.get("around", 2) > 1
    )
