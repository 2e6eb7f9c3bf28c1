"""The piano in a band: as performed, with rests, with the melody, or with one hand."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from tfsepgan.rendering.score import Control, Note, Part, one_key_at_a_time

_MIDDLE = 60  # the split between the hands if the notes have no gap
_LOUDER = 8  # velocity of a melody above its accompaniment
HANDS = ("both", "right", "left")


class Span(NamedTuple):
    """A span of time in a song, in seconds."""

    start: float
    end: float


class PianoRole(NamedTuple):
    """How the piano plays in a song."""

    hand: str = "both"
    """One of `HANDS`."""
    melody: str = "no"
    """'no', 'doubled' (at the sung pitch), or 'octave' (also an octave higher)."""
    rests: tuple[Span, ...] = ()
    """When the piano plays nothing; earlier notes may still decay."""


def play(piano: Part, melody: Part, role: PianoRole) -> Part:
    """The piano's part of a song in a role.

    Args:
      piano, melody: as performed.
      role: how the piano plays.
    Returns: a part; in rests, no note sounds and no pedal is down.
    """
    notes = list(piano.notes)
    if role.hand != "both":
        middle, right = _split(notes), role.hand == "right"
        notes = [note for note in notes if (note.pitch >= middle) == right]
    if role.melody != "no":
        loud = int(np.median([note.velocity for note in piano.notes])) if piano.notes else 72
        notes += _sung(melody.notes, min(120, loud + _LOUDER), octave=role.melody == "octave")
    part = replace(piano, notes=one_key_at_a_time(notes))
    return resting(part, role.rests)


def _split(notes: Sequence[Note]) -> int:
    """The lowest pitch of the right hand: at the widest gap near the middle of the keyboard."""
    used = sorted({note.pitch for note in notes})
    gaps = [
        (above - below, -abs(above - _MIDDLE), above)
        for below, above in zip(used, used[1:], strict=False)
        if abs(above - _MIDDLE) <= 7
    ]
    return max(gaps)[2] if gaps else _MIDDLE


def _sung(notes: Iterable[Note], velocity: int, *, octave: bool) -> list[Note]:
    found = [note._replace(velocity=velocity) for note in notes]
    if octave:
        low = [note for note in found if note.pitch + 12 <= 108]
        found += [n._replace(pitch=n.pitch + 12, velocity=velocity - 12) for n in low]
    return found


def resting(part: Part, rests: Sequence[Span]) -> Part:
    """A part that is silent in rests.

    Notes that start in a rest are removed, and notes that last into one end at its start. Pedals
    are up in a rest, and down again after it if they were down before.
    """
    if not rests:
        return part
    notes = []
    for note in part.notes:
        if _within(note.start, rests):
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


def _within(time: float, rests: Sequence[Span]) -> bool:
    return any(rest.start <= time < rest.end for rest in rests)
