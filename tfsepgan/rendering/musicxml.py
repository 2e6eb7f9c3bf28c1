"""MusicXML to scores, with music21, which is imported only here.

Notes are read as written: tempo marks apply, ties are joined, repeats are played once, and grace
notes are left out. The staves of one player are one part. Dynamics and articulations are ignored;
the renderer's settings vary velocity and timing. Reading a long score takes seconds.
"""

import re
import warnings
from pathlib import Path

from tfsepgan.errors import DataError
from tfsepgan.rendering.optional import import_optional
from tfsepgan.rendering.score import Note, Part, Score

_CHOIR = 52  # General MIDI, from 0
_SUNG = re.compile(
    r"(voice|soprano|alto|tenor|baritone|choir|chorus|canto|chant|gesang|singstimme)( ?[\divx]+)?",
    re.I,
)
_VELOCITY = 80  # mezzo forte, as dynamics are not read


def read_musicxml(path: Path) -> Score:
    """Read a MusicXML file, plain or compressed (.mxl).

    Returns: a part for every part of the score with notes.
    Raises: DataError with the file's name when it cannot be read or has no notes, or when music21
      is not installed.
    """
    music21 = import_optional("music21", wanted_by="MusicXML needs", extra="render")
    try:
        with warnings.catch_warnings():  # about marks that it ignores, none of them notes
            warnings.simplefilter("ignore")
            parsed = music21.converter.parse(str(path), format="musicxml", forceSource=True)
        parts = tuple(part for part in _parts(music21, parsed) if part.notes)
    except Exception as error:  # damage raises various errors in music21's parser
        reason = f"{type(error).__name__} {error}".strip()
        raise DataError(
            f"{path} cannot be read as MusicXML ({reason}). Export it again or remove it."
        ) from error
    if not parts:
        raise DataError(f"{path} holds no notes. Remove it.")
    return Score(path=Path(path), parts=parts)


def _parts(music21, parsed) -> list[Part]:
    """The parts of the players of a score, in its order; the staves of one player are joined."""
    found, of_staff = [], {}
    for group in parsed.getElementsByClass(music21.layout.StaffGroup):
        spanned = group.getSpannedElements()
        staves = [each for each in spanned if isinstance(each, music21.stream.PartStaff)]
        if len(staves) > 1 and group.symbol == "brace":
            of_staff.update((id(staff), id(group)) for staff in staves)
    players: dict[int, list] = {}
    for source in parsed.parts:
        players.setdefault(of_staff.get(id(source), id(source)), []).append(source)
    for staves in players.values():
        notes = sorted(note for staff in staves for note in _notes(music21, staff))
        found.append(_part(music21, staves[0], notes))
    return found


def _part(music21, source, notes: list[Note]) -> Part:
    instrument = source.getInstrument(returnDefault=True)
    name = (source.partName or instrument.partName or "").strip()
    program = instrument.midiProgram if instrument.midiProgram is not None else 0
    if _SUNG.fullmatch(name):  # regardless of the program in the file
        program = _CHOIR
    is_drums = isinstance(instrument, music21.instrument.UnpitchedPercussion)
    return Part(name=name, program=program, is_drums=is_drums, notes=tuple(notes))


def _notes(music21, source) -> list[Note]:
    notes = []
    for entry in source.stripTies().flatten().secondsMap:
        element, start, end = entry["element"], entry["offsetSeconds"], entry["endTimeSeconds"]
        if not isinstance(element, music21.note.NotRest) or end is None or not end > start:
            continue
        pitches = (int(pitch.midi) for pitch in getattr(element, "pitches", ()))
        inside = (pitch for pitch in pitches if 0 <= pitch <= 127)
        notes += [Note(float(start), float(end), pitch, _VELOCITY) for pitch in inside]
    return notes
