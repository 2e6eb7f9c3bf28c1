"""The YAML file that names the settings to search and their ranges (docs/tuning.md)."""

from collections.abc import Mapping
from typing import Any

from tfsepgan.config import nearest
from tfsepgan.errors import ConfigError
from tfsepgan.settings.search import Around, Choice, Multiples, Range, Span


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
        span = _span(_numbered(content))
        if span is None:
            raise ConfigError(
                f"{where}: {name} is {content!r}; wanted {{low: A, high: B, log: true or false}},"
                " {values: [A, B]}, {around: FACTOR}, {multiples: [A, B]} or default, with"
                " numbers as ends and factors."
            )
        spans[name] = span
    return spans


def _numbered(content: Any) -> Any:
    """The content with tuples for lists, and numbers for texts that YAML 1.1 reads, like 1e-4."""
    if isinstance(content, dict):
        return {key: _numbered(value) for key, value in content.items()}
    if isinstance(content, list):
        return tuple(map(_numbered, content))
    try:
        return float(content) if isinstance(content, str) else content
    except ValueError:
        return content


def _span(content: Any) -> Span | None:
    """The range that some content describes; None if it describes none."""
    match content:
        case {"low": low, "high": high, **more} if more.keys() <= {"log"}:
            if _are_numbers(low, high) and isinstance(more.get("log", False), bool):
                return Range(low=low, high=high, **more)
        case (_, *_) as values:
            return Choice(values=values)
        case {"values": (_, *_) as values, **more} if not more:
            return Choice(values=values)
        case {"around": factor, **more} if not more and _are_numbers(factor) and factor > 1:
            return Around(factor=factor)
        case {"multiples": (_, *_) as factors, **more} if not more and _are_numbers(*factors):
            return Multiples(of=factors)
    return None


def _are_numbers(*values: Any) -> bool:
    return all(type(value) in (int, float) for value in values)
