"""Kinds of instruments in instruments.py: sampled notes, drum kits, SFZ files, synthesizers."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from struck_strings import Struck
from synthesised import Synth

CC0_KARORYFER = "CC0-1.0 (Karoryfer Samples)"


@dataclass(frozen=True, kw_only=True)
class Notes:
    """Sampled notes: see `sampled.pattern_zones`."""

    pattern: str
    layers: tuple[str, ...] = ()
    octaves: int = 0
    keys: tuple[int, int] = (0, 127)
    release_seconds: float = 0.3
    drive_db: float = 0.0
    tune: bool = True


@dataclass(frozen=True, kw_only=True)
class Kit:
    """A drum kit: see `sampled.kit_zones`."""

    pieces: Mapping[tuple[int, ...], str]
    microphones: tuple[str, ...] = ()
    gains_db: Mapping[int, float] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Sfz:
    """An SFZ file within the folder: see `sfz_piano.sfz_zones`."""

    file: str
    without: str = ""
    defines: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Instrument:
    """A sampled instrument."""

    name: str
    title: str
    folder: str
    program: int
    """General MIDI program, from 0; for drums, the number of the kit."""
    licence: str
    made: Notes | Kit | Sfz | Synth | Struck
