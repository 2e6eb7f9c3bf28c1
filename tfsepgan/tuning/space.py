"""The space of a search: declared ranges, resolved against the preset that the search starts from.

The preset's own value is always in its range.
"""

import math
from collections.abc import Mapping
from typing import Any, NamedTuple

from tfsepgan.config import Experiment, flatten, listed, to_dict
from tfsepgan.errors import ConfigError
from tfsepgan.settings.search import Around, Choice, Multiples, Range, Span
from tfsepgan.tuning.values import accepts, kind_of, name_of_kind

# All trials have the same mixtures and the same budget; these settings would change them.
SAME_FOR_ALL_TRIALS = frozenset(
    (
        *("data", "layout", "leave_out", "cache", "reader", "tensorboard"),
        *("sources", "sample_rate_hz", "snr_db", "others", "gain_db"),
        *("silence_db", "remix", "songs", "rests"),
        *("validation_mixtures", "validation_seconds", "keep"),
        *("steps", "steps_per_epoch", "minutes", "processor_minutes"),
    )
)


class Searched(NamedTuple):
    """One setting of a search, resolved against the preset."""

    name: str
    span: Range | Choice
    whole: bool  # a range of whole numbers


class Space(NamedTuple):
    """All settings of a search."""

    settings: tuple[Searched, ...]
    left_out: dict[str, str]  # declared settings that do not fit this preset, with the reason

    def plain(self) -> dict[str, Any]:
        """The space in the form of a YAML file."""
        return {item.name: _plain(item.span) for item in self.settings}


def _plain(span: Range | Choice) -> dict[str, Any]:
    if isinstance(span, Choice):
        return {"values": listed(span.values)}
    return {"low": span.low, "high": span.high, "log": span.log}


def resolve(spans: Mapping[str, Span], start: Experiment, *, strict: bool) -> Space:
    """Resolve declared ranges against a preset.

    Args:
      spans: the ranges by dotted name.
      start: the preset.
      strict: a range that does not fit the preset is an error, as for a file that was written for
        it; otherwise it is left out.
    Raises: ConfigError for an unknown name, a value that the setting does not accept, or an empty
      space.
    """
    flat = flatten(to_dict(start))
    found, left_out = [], {}
    for name, span in spans.items():
        kind = kind_of(start, name)
        if name in SAME_FOR_ALL_TRIALS:
            raise ConfigError(
                f"{name} cannot be searched: it must be the same for all trials, so that they can"
                f" be compared. Set it for all: --{name.replace('_', '-')}."
            )
        if span.when:
            other, wanted = span.when
            wanted = wanted if isinstance(wanted, tuple) else (wanted,)
            if flat.get(other) not in wanted:
                alternatives = " or ".join(map(repr, wanted))
                left_out[name] = f"{other} is {flat.get(other)!r}, not {alternatives}"
                continue
        whole = not accepts(kind, 0.5)
        resolved = _resolved(span, flat[name], whole=whole)
        if isinstance(resolved, str):
            if strict:
                raise ConfigError(f"{name} cannot be searched in {span}: {resolved}")
            left_out[name] = resolved
            continue
        _check_values(name, kind, resolved)
        found.append(Searched(name, resolved, whole))
    if not found:
        raise ConfigError(
            "The search space is empty: nothing in it fits this preset. Name settings in a --space"
            " file."
        )
    return Space(tuple(found), left_out)


def _resolved(span: Span, value: Any, *, whole: bool) -> Range | Choice | str:
    """The span as a range or choice that holds the preset's value; or why that is impossible."""
    if isinstance(span, Choice):
        values = [listed(item) for item in span.values]
        return Choice(values=tuple(values if value in values else [value, *values]))
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return f"the preset's value is {value!r}, not a number; list values instead."
    if isinstance(span, Multiples):
        if not value:
            return "the preset's value is 0, which has no multiples; list values instead."
        products = {_rounded(value * factor, whole=whole) for factor in span.of}
        return Choice(values=tuple(sorted({value, *products})))
    if isinstance(span, Around):
        if not value > 0:
            return (
                f"the preset's value is {value}, and a logarithmic range around it does not exist;"
                " give low and high."
            )
        low = min(_rounded(value / span.factor, whole=whole), value)
        high = max(_rounded(value * span.factor, whole=whole), value)
        return Range(low=low, high=high, log=True)
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


def _check_values(name: str, kind: Any, span: Range | Choice) -> None:
    for value in span.values if isinstance(span, Choice) else (span.low, span.high):
        if not accepts(kind, value):
            raise ConfigError(f"{name} cannot be {value!r}; it takes {name_of_kind(kind)}.")
