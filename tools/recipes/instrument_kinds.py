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


NOTE = r"(?P<note>[A-G][#sb]?-?\d)"
TONEJS = "CC-BY-3.0 (Nicholaus Brosowsky, tonejs-instruments)"
PLAIN = Notes(pattern=rf"/?{NOTE}\.(wav|mp3)$")


def tonejs(name: str, program: int, *, kind: str = "wav", made: Notes = PLAIN) -> Instrument:
    """An instrument of tonejs-instruments: one file for each note."""
    return Instrument(
        name=f"tonejs_{name.replace('-', '_')}",
        title=f"tonejs {name}",
        folder=f"tonejs-instrument-{name}-{kind}",
        program=program,
        licence=TONEJS,
        made=made,
    )


def karoryfer(name: str, program: int, folder: str, made: Notes) -> Instrument:
    """An instrument of Karoryfer Samples."""
    return Instrument(
        name=name,
        title=name,
        folder=f"karoryfer.{folder}",
        program=program,
        licence=CC0_KARORYFER,
        made=made,
    )
