"""What the piano does in a band: it plays as performed, rests, comes in late, plays the melody too,
or with one hand."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from tfsepgan.rendering.score import Control, Note, Part, one_key_at_a_time

SUSTAIN = 64  # MIDI controller
_MIDDLE = 60  # where a hand ends when the notes themselves do not tell
_LOUDER = 8  # velocity of a melody above what accompanies it
HANDS = ("both", "right", "left")


class Stretch(NamedTuple):
    """Some seconds of a song."""

    start: float
    end: float


class PianoRole(NamedTuple):
    """How the piano is used in a song."""

    hand: str = "both"
    """One of `HANDS`."""
    melody: str = "no"
    """'no', 'doubled' as it is sung, or 'octave', with the octave above."""
    rests: tuple[Stretch, ...] = ()
    """When it is silent but for what dies away."""


def play(piano: Part, melody: Part, role: PianoRole) -> Part:
    """The piano's part of a song, by its role.

    Args:
      piano, melody: as performed.
    Returns: a part; no note sounds and no pedal is down within a rest.
    """
    middle = _split(piano.notes)
    notes = [
        note
        for note in piano.notes
        if role.hand == "both" or (note.pitch >= middle) == (role.hand == "right")
    ]
    if role.melody != "no":
        loud = int(np.median([note.velocity for note in piano.notes])) if piano.notes else 72
        notes += _sung(melody.notes, min(120, loud + _LOUDER), octave=role.melody == "octave")
    part = replace(piano, notes=one_key_at_a_time(notes))
    return resting(part, role.rests)


def _split(notes: Sequence[Note]) -> int:
    """The pitch from which on the right hand plays: at the widest gap near the middle of the
    keyboard."""
    used = sorted({note.pitch for note in notes})
    pairs = [
        (below, above)
        for below, above in zip(used, used[1:], strict=False)
        if abs(above - _MIDDLE) <= 7
    ]
    gaps = [(above - below, -abs(above - _MIDDLE), above) for below, above in pairs]
    return max(gaps)[2] if gaps else _MIDDLE


def _sung(notes: Iterable[Note], velocity: int, *, octave: bool) -> list[Note]:
    found = [note._replace(velocity=velocity) for note in notes]
    if octave:
        found += [
            n._replace(pitch=n.pitch + 12, velocity=velocity - 12)
            for n in found
            if n.pitch + 12 <= 108
        ]
    return found


def resting(part: Part, rests: Sequence[Stretch]) -> Part:
    """A part that is silent in rests: notes that begin there are left out, those that last into one
    end at its beginning.

    Pedals are up in a rest; one that was down before is down again after it, as its player's foot
    is.
    """
    if not rests:
        return part
    notes = []
    for note in part.notes:
        if any(rest.start <= note.start < rest.end for rest in rests):
            continue
        ends = [rest.start for rest in rests if note.start < rest.start < note.end]
        notes.append(note._replace(end=min([note.end, *ends])))
    controls = [c for c in part.controls if not _within(c.time, rests)]
    pedals = {control.number for control in part.controls if 64 <= control.number <= 67}
    for number in pedals:
        for rest in rests:
            controls.append(Control(rest.start, number, 0))
            before = [c for c in part.controls if c.number == number and c.time <= rest.end]
            if before:
                controls.append(Control(rest.end, number, before[-1].value))
    ordered = sorted(controls, key=lambda control: control.time)
    return replace(part, notes=tuple(notes), controls=tuple(ordered))


def _within(time: float, rests: Sequence[Stretch]) -> bool:
    return any(rest.start <= time < rest.end for rest in rests)
