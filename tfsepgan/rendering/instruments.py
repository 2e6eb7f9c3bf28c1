"""Instrument classes: their General MIDI programs, ranges, and what they can play.

The eleven classes of IRMAS come first, then drums and bass, then families for all other programs.
So every program of General MIDI 1 has exactly one class.

Source: General MIDI System Level 1 (MIDI Association, RP-003), sound set and percussion channel;
  the eleven classes: Bosch et al., "A comparison of sound segregation techniques for predominant
  instrument recognition", 2012.
"""

from collections.abc import Sequence
from typing import Literal, NamedTuple

from tfsepgan.errors import ConfigError

Plays = Literal["chords", "line", "low line", "drums"]
DRUM_BANK = 128  # the bank of drum kits in soundfonts


class InstrumentClass(NamedTuple):
    """A kind of instrument."""

    name: str
    programs: tuple[int, ...]
    """General MIDI programs from 0; kits of DRUM_BANK for drums."""
    lowest: int
    """Lowest MIDI pitch; lower notes are shifted up by octaves."""
    highest: int
    plays: Plays
    """The kind of part that it can take over from another instrument."""

    @property
    def bank(self) -> int:
        """The bank of its presets in a soundfont."""
        return DRUM_BANK if self.plays == "drums" else 0


_IRMAS = (
    InstrumentClass("cello", (42,), 36, 76, "line"),
    InstrumentClass("clarinet", (71,), 50, 91, "line"),
    InstrumentClass("flute", (72, 73), 60, 96, "line"),
    InstrumentClass("acoustic_guitar", (24, 25), 40, 83, "chords"),
    InstrumentClass("electric_guitar", (26, 27, 28, 29, 30, 31), 40, 86, "chords"),
    InstrumentClass("organ", (16, 17, 18, 19, 20), 36, 96, "chords"),
    InstrumentClass("piano", (0, 1, 3), 21, 108, "chords"),
    InstrumentClass("saxophone", (64, 65, 66, 67), 44, 85, "line"),
    InstrumentClass("trumpet", (56, 59), 54, 86, "line"),
    InstrumentClass("violin", (40,), 55, 96, "line"),
    InstrumentClass("voice", (52, 53, 54), 43, 81, "line"),
)
_RHYTHM = (
    InstrumentClass("drums", (0, 8, 16, 24, 25, 32, 40), 27, 87, "drums"),
    InstrumentClass("bass", (32, 33, 34, 35, 36, 37, 38, 39), 28, 60, "low line"),
)
_OTHERS = (
    InstrumentClass("electric_piano", (2, 4, 5), 28, 103, "chords"),
    InstrumentClass("harpsichord", (6, 7), 29, 89, "chords"),
    InstrumentClass("mallets", (8, 9, 10, 11, 12, 13, 14, 15), 48, 100, "chords"),
    InstrumentClass("accordion", (21, 22, 23), 48, 96, "chords"),
    InstrumentClass("viola", (41,), 48, 88, "line"),
    InstrumentClass("contrabass", (43,), 28, 64, "low line"),
    InstrumentClass("strings", (44, 45, 48, 49, 50, 51), 36, 96, "chords"),
    InstrumentClass("harp", (46,), 24, 103, "chords"),
    InstrumentClass("timpani", (47,), 36, 60, "line"),
    InstrumentClass("trombone", (57,), 40, 72, "line"),
    InstrumentClass("tuba", (58,), 28, 58, "low line"),
    InstrumentClass("horn", (60,), 41, 77, "line"),
    InstrumentClass("brass", (61, 62, 63), 40, 84, "chords"),
    InstrumentClass("double_reeds", (68, 69, 70), 46, 91, "line"),
    InstrumentClass("pipes", (74, 75, 76, 77, 78, 79), 60, 96, "line"),
    InstrumentClass("synth_lead", tuple(range(80, 88)), 36, 96, "line"),
    InstrumentClass("synth_pad", tuple(range(88, 96)), 36, 96, "chords"),
    InstrumentClass("plucked", (104, 105, 106, 107, 108), 48, 84, "line"),
    InstrumentClass("folk", (109, 110, 111), 50, 86, "line"),
    InstrumentClass("percussion", tuple(range(112, 120)), 36, 84, "line"),
    InstrumentClass("effects", (55, *range(96, 104), *range(120, 128)), 36, 96, "chords"),
)
CLASSES = {kind.name: kind for kind in (*_IRMAS, *_RHYTHM, *_OTHERS)}
_PITCHED = [kind for kind in CLASSES.values() if kind.name != "drums"]
_OF_PROGRAM = {program: kind.name for kind in _PITCHED for program in kind.programs}


def class_of(program: int, *, is_drums: bool) -> str:
    """Name of the class of a General MIDI program.

    Args:
      program: 0 to 127; a kit when `is_drums`.
      is_drums: whether the part is on the percussion channel.
    """
    return "drums" if is_drums else _OF_PROGRAM[program]


def classes_named(names: Sequence[str]) -> tuple[InstrumentClass, ...]:
    """The classes with these names; all classes if there are no names.

    Raises: ConfigError that lists the known names.
    """
    unknown = [name for name in names if name not in CLASSES]
    if unknown:
        raise ConfigError(
            f"There is no instrument class {', '.join(unknown)}; there are {', '.join(CLASSES)}."
        )
    return tuple(CLASSES[name] for name in names or CLASSES)
