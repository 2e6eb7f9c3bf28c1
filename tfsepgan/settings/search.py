"""What a search can change: ranges and choices for settings, by dotted name.

Each system declares its ranges in `SEARCH` beside its presets; a YAML file can give others
(docs/tuning.md). `tfsepgan.tuning.space` applies them to the preset that a search starts from.
"""

from dataclasses import dataclass
from typing import Any

When = tuple[str, Any] | None
"""Another setting and its value, or a tuple of its values."""


@dataclass(frozen=True, kw_only=True)
class Range:
    """Any number from low to high; whole numbers for a setting of whole numbers."""

    low: float
    high: float
    log: bool = False
    """Draw evenly on a logarithmic scale."""
    when: When = None
    """Search only when another setting of the preset has this value, or one of these values:
    `("generator.kind", ("filterbank", "tfc_tdf"))`."""


@dataclass(frozen=True, kw_only=True)
class Choice:
    """One of these values."""

    values: tuple[Any, ...]
    when: When = None


@dataclass(frozen=True, kw_only=True)
class Around:
    """From the preset's value / factor to its value * factor, on a logarithmic scale."""

    factor: float
    when: When = None


@dataclass(frozen=True, kw_only=True)
class Multiples:
    """The preset's value times one of these factors."""

    of: tuple[float, ...]
    when: When = None


Span = Range | Choice | Around | Multiples

# Ranges that several systems share.
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
MEANS = Choice(values=(0.9, 0.99, 0.995, 0.999))  # a slow mean is too slow for a short run
MASKED = {  # of systems that train a masker against a discriminator
    "learning_rate": Around(factor=5),
    "discriminator_learning_rate": Around(factor=5),
    "ema": MEANS,
    "generator.channels": WIDTHS,
    "generator.dilations": DILATIONS,
}
