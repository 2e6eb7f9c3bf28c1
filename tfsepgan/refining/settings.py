"""Settings of softening, and of making a network narrower."""

import math
from collections.abc import Iterator
from dataclasses import dataclass

from tfsepgan.errors import ConfigError


@dataclass(frozen=True, kw_only=True)
class SoftenSettings:
    """Which temperatures and offsets are tried, on which mixtures."""

    split: tuple[str, ...] = ("valid",)
    """Split that chooses: one for all sets, or one for each. Never a split that the model is scored
    on."""
    temperatures: tuple[float, ...] = (1.0, 1.25, 1.5, 2.0, 2.5, 3.0)
    """Temperatures to try, above zero; above 1 makes masks softer."""
    offsets: tuple[float, ...] = (0.0, 0.25, 0.5)
    """Offsets to try; above 0 lets more of the mixture through."""
    mixtures: int = 192
    """Mixtures of each set, or songs of a multitrack set."""
    seconds: float = 8.0
    """Length of each mixture, in seconds."""

    def check(self, sets: int) -> None:
        """Raises: ConfigError that lists every value that cannot be used with so many sets."""
        found = list(self._problems(sets))
        if found:
            raise ConfigError(" ".join(found))

    def _problems(self, sets: int) -> Iterator[str]:
        if sets < 1:
            yield "No recordings: give --data DIR, once for each set."
        elif len(self.split) not in (1, sets):
            yield f"--split names {len(self.split)} splits for {sets} sets; give one, or {sets}."
        if not all(math.isfinite(value) and value > 0 for value in self.temperatures):
            yield f"--temperatures {self.temperatures}: each must be a number above zero."
        if not all(math.isfinite(value) for value in self.offsets):
            yield f"--offsets {self.offsets}: each must be a number."
        if self.mixtures < 1 or not 0 < self.seconds < math.inf:
            yield "--mixtures must be at least 1 and --seconds above zero."


@dataclass(frozen=True, kw_only=True)
class NarrowSettings:
    """How narrow a network becomes, and how long it learns from the wide one."""

    channels: int
    """Channels of the new network, fewer than the model has."""
    minutes: float = 20.0
    """Processor time of the training, over all threads; 0: none."""
    learning_rate: float = 4e-4
    """The highest; it falls to zero."""
    measured_batches: int = 12
    """Batches of mixtures that decide what is cut."""

    def check(self) -> None:
        """Raises: ConfigError that lists every value that cannot be used."""
        found = list(self._problems())
        if found:
            raise ConfigError(" ".join(found))

    def _problems(self) -> Iterator[str]:
        if self.channels < 2:
            yield f"--channels {self.channels}: wanted at least 2."
        if not 0 <= self.minutes < math.inf:
            yield f"--minutes {self.minutes}: wanted 0 or more."
        if not 0 < self.learning_rate < math.inf:
            yield f"--learning-rate {self.learning_rate}: wanted a number above 0."
        if self.measured_batches < 1:
            yield f"--measured-batches {self.measured_batches}: wanted at least 1."
