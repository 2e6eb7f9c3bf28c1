"""What a search may change: ranges and choices on settings' dotted names, and how a preset takes
the values that were drawn.

Each system declares its own in `SEARCH` beside its presets; a YAML file can say others
(docs/tuning.md). A range is resolved against the preset that the search starts from, whose own
value is always in it.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields, is_dataclass, replace
from types import UnionType
from typing import Any, Literal, NamedTuple, Union, get_args, get_origin, get_type_hints

from tfsepgan.config import Experiment, flatten, nearest, to_dict
from tfsepgan.errors import ConfigError

SECTIONS = ("data", "training", "model")
When = tuple[str, Any] | None

# Trials are compared on the same mixtures under the same budget; these would change one of the two.
YARDSTICK = frozenset(
    (
        *(
            "data",
            "layout",
            "leave_out",
            "cache",
            "reader",
            "tensorboard",
            "sources",
            "sample_rate_hz",
            "snr_db",
            "others",
            "gain_db",
        ),
        *(
            "silence_db",
            "remix",
            "songs",
            "rests",
            "validation_mixtures",
            "validation_seconds",
            "keep",
        ),
        *("steps", "steps_per_epoch", "minutes", "processor_minutes"),
    )
)


@dataclass(frozen=True, kw_only=True)
class Range:
    """Any number from low to high; whole numbers where the setting is one."""

    low: float
    high: float
    log: bool = False
    """Draw evenly on a logarithmic scale."""
    when: When = None
    """Only where the preset has this value of another setting, or one of these: `("generator.kind",
    ("filterbank", "tfc_tdf"))`."""


@dataclass(frozen=True, kw_only=True)
class Choice:
    """One of these values."""

    values: tuple[Any, ...]
    when: When = None


@dataclass(frozen=True, kw_only=True)
class Around:
    """From the preset's value divided by a factor to its value times that factor, on a logarithmic
    scale."""

    factor: float
    when: When = None


@dataclass(frozen=True, kw_only=True)
class Multiples:
    """The preset's value times one of these."""

    of: tuple[float, ...]
    when: When = None


Span = Range | Choice | Around | Multiples

# What the spaces of several systems share.
MASKERS = ("generator.kind", ("filterbank", "tfc_tdf", "band_split"))
DILATIONS = Choice(values=((1, 2), (1, 2, 4), (1, 2, 4, 8), (1, 2, 4, 8, 16)), when=MASKERS)
SHARED_WEIGHTS = {  # of networks that share weights across frequency
    "generator.bottleneck": Choice(
        values=(4, 8, 16), when=("generator.kind", ("tfc_tdf", "band_split"))
    ),
    "generator.patch": Choice(values=(2, 4, 8), when=("generator.kind", "tfc_tdf")),
    "generator.levels": Choice(values=(2, 3, 4), when=("generator.kind", "tfc_tdf")),
    "generator.narrowest": Choice(values=(4, 8, 16), when=("generator.kind", "band_split")),
    "generator.bands": Choice(values=(8, 16, 24), when=("generator.kind", "band_split")),
}
WIDTHS = Multiples(of=(0.5, 0.75, 1, 1.5))
MEANS = Choice(values=(0.9, 0.99, 0.995, 0.999))  # a short run is at its end before a slow mean is


class Searched(NamedTuple):
    """One setting of a search, resolved against the preset it starts from."""

    name: str
    span: Range | Choice
    whole: bool  # a range of whole numbers


class Space(NamedTuple):
    """All that a search changes."""

    settings: tuple[Searched, ...]
    left_out: dict[str, str]  # declared, but of no use with this preset: why

    def plain(self) -> dict[str, Any]:
        """As a YAML file says it."""
        return {item.name: _plain(item.span) for item in self.settings}


def _plain(span: Range | Choice) -> dict[str, Any]:
    if isinstance(span, Choice):
        return {
            "values": [list(value) if isinstance(value, tuple) else value for value in span.values]
        }
    return {"low": span.low, "high": span.high, "log": span.log}


def resolve(spans: Mapping[str, Span], start: Experiment, *, strict: bool) -> Space:
    """Put a declared space on a preset.

    Args:
      spans: by dotted name.
      strict: refuse what does not fit the preset, as for a space that somebody wrote for it;
        otherwise leave it out.
    Raises: ConfigError for a name that is no setting, a value that the setting does not take, an
      empty space.
    """
    flat = flatten(to_dict(start))
    found, left_out = [], {}
    for name, span in spans.items():
        kind = kind_of(start, name)
        if name in YARDSTICK:
            raise ConfigError(
                f"{name} cannot be searched: trials are compared by it, or under it. Set it for"
                f" all: --{_flag(name)}."
            )
        if span.when and not _holds(span.when, flat):
            left_out[name] = (
                f"{span.when[0]} is {flat.get(span.when[0])!r}, not {_wanted(span.when)}"
            )
            continue
        whole = not accepts(kind, 0.5)
        settled = _settled(span, flat[name], whole=whole)
        if isinstance(settled, str):
            if strict:
                raise ConfigError(f"{name} cannot be searched in {span}: {settled}")
            left_out[name] = settled
            continue
        _refuse_values(name, kind, settled)
        found.append(Searched(name, settled, whole))
    if not found:
        raise ConfigError(
            "The search space is empty: nothing in it fits this preset. Name settings in a --space"
            " file."
        )
    return Space(tuple(found), left_out)


def _holds(when: tuple[str, Any], flat: Mapping[str, Any]) -> bool:
    name, wanted = when
    return flat.get(name) in (wanted if isinstance(wanted, tuple) else (wanted,))


def _wanted(when: tuple[str, Any]) -> str:
    return " or ".join(map(repr, when[1])) if isinstance(when[1], tuple) else repr(when[1])


def _settled(span: Span, value: Any, *, whole: bool) -> Range | Choice | str:
    """The span with the preset's value in it; or why that cannot be."""
    if isinstance(span, Choice):
        values = [_listed(item) for item in span.values]
        return Choice(values=tuple(values if value in values else [value, *values]))
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return f"the preset's value is {value!r}, not a number; list values instead."
    if isinstance(span, Multiples):
        if not value:
            return "the preset's value is 0, which has no multiples; list values instead."
        return Choice(
            values=tuple(
                sorted({value, *(_rounded(value * factor, whole=whole) for factor in span.of)})
            )
        )
    if isinstance(span, Around):
        if not value > 0:
            return (
                f"the preset's value is {value}, which nothing is around on a logarithmic scale;"
                " give low and high."
            )
        ends = [_rounded(item, whole=whole) for item in (value / span.factor, value * span.factor)]
        return Range(low=min(ends[0], value), high=max(ends[1], value), log=True)
    if not span.low < span.high or not math.isfinite(span.low) or not math.isfinite(span.high):
        return "the lower end must be below the higher one."
    if span.log and not min(span.low, value) > 0:
        return (
            f"a logarithmic scale has no {min(span.low, value)}, and the preset's value must be in"
            " the range."
        )
    return Range(low=min(span.low, value), high=max(span.high, value), log=span.log)


def _rounded(value: float, *, whole: bool) -> float:
    return max(1, round(value)) if whole else float(f"{value:.4g}")


def _refuse_values(name: str, kind: Any, span: Range | Choice) -> None:
    for value in span.values if isinstance(span, Choice) else (span.low, span.high):
        if not accepts(kind, value):
            raise ConfigError(f"{name} cannot be {value!r}; it takes {_told(kind)}.")


def _listed(value: Any) -> Any:
    return [_listed(item) for item in value] if isinstance(value, (list, tuple)) else value


def _flag(name: str) -> str:
    return name.replace("_", "-")


def _told(kind: Any) -> str:
    if get_origin(kind) is Literal:
        return f"one of {', '.join(map(repr, get_args(kind)))}"
    return (
        getattr(kind, "__name__", None)
        if isinstance(kind, type) and not get_args(kind)
        else str(kind)
    )


def kind_of(experiment: Experiment, name: str) -> Any:
    """The type of a setting, by its dotted name.

    Raises: ConfigError for a name that no setting has, naming the nearest one.
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
    """Whether a setting of this type takes a value; lists count as tuples."""
    origin, inside = get_origin(kind), get_args(kind)
    if origin is Literal:
        return value in inside
    if origin in (Union, UnionType):
        return any(accepts(one, value) for one in inside)
    if origin is tuple:
        if not isinstance(value, (list, tuple)):
            return False
        kinds = inside[:1] * len(value) if inside[-1] is Ellipsis else inside
        return len(kinds) == len(value) and all(map(accepts, kinds, value))
    if kind is float:
        return type(value) in (int, float) and math.isfinite(value)
    return type(value) is kind


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


_SHAPES = {frozenset(("low", "high")): Range, frozenset(("values",)): Choice}
_SHAPES |= {frozenset(("around",)): Around, frozenset(("multiples",)): Multiples}


def read_spans(
    plain: Mapping[str, Any], declared: Mapping[str, Span], where: str
) -> dict[str, Span]:
    """A space as a YAML file says it.

    Args:
      plain: name to `{low, high, log}`, `{values}`, `{around}`, `{multiples}`, a list of values, or
        'default'.
      declared: the system's own, for 'default'.
      where: the file, for errors.
    Raises: ConfigError for a line that is none of these.
    """
    spans = {}
    for name, told in plain.items():
        if told == "default":
            if name not in declared:
                raise ConfigError(
                    f"{where}: {name} has no default range; {nearest(name, declared)}"
                )
            spans[name] = declared[name]
            continue
        told = {"values": told} if isinstance(told, list) else told
        shape = _SHAPES.get(frozenset(told) - {"log"}) if isinstance(told, dict) else None
        if shape is None or ("log" in told and shape is not Range) or not _usable(told):
            raise ConfigError(
                f"{where}: {name} is {told!r}; wanted {{low: A, high: B, log: true or false}},"
                " {values: [A, B]}, {around: FACTOR}, {multiples: [A, B]} or default, with"
                " numbers as ends and factors."
            )
        renamed = {
            {"around": "factor", "multiples": "of"}.get(key, key): value
            for key, value in told.items()
        }
        spans[name] = shape(**{key: _number(value) for key, value in renamed.items()})
    return spans


def _number(value: Any) -> Any:
    """YAML 1.1 reads 1e-4 as text."""
    if isinstance(value, list):
        return tuple(_number(item) for item in value)
    if isinstance(value, str):
        try:
            return float(value)
        except ValueError:
            return value
    return value


def _usable(told: Mapping[str, Any]) -> bool:
    told = {key: _number(value) for key, value in told.items()}
    numbers = [told[key] for key in ("low", "high", "around") if key in told] + list(
        told.get("multiples") or ()
    )
    many = [told[key] for key in ("values", "multiples") if key in told]
    return (
        all(type(number) in (int, float) for number in numbers)
        and all(isinstance(values, tuple) and values for values in many)
        and isinstance(told.get("log", False), bool)
        and told.get("around", 2) > 1
    )
