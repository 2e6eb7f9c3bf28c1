"""Scores: parts with notes whose times are in seconds.

All functions are pure.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

import numpy as np

PITCH_WHEEL = 128  # a control number above those of MIDI, for the pitch wheel, -8192 to 8191
_CHORDAL = 1.3  # a part with more simultaneous notes, on average, is not a single line
_TOGETHER_SECONDS = 0.03  # notes that start within this are one chord


class Note(NamedTuple):
    """One sounding note."""

    start: float
    """Seconds from the start of the score, like `end`."""
    end: float
    pitch: int
    """MIDI number, 0 to 127."""
    velocity: int
    """Loudness of the stroke, 1 to 127."""


class Control(NamedTuple):
    """A pedal, swell or pitch bend at one time."""

    time: float
    """Seconds."""
    number: int
    """MIDI controller, 0 to 127, or PITCH_WHEEL."""
    value: int


@dataclass(frozen=True, kw_only=True)
class Part:
    """The part of one player."""

    name: str
    program: int
    """General MIDI program, 0 to 127; a kit when `is_drums`."""
    is_drums: bool
    notes: tuple[Note, ...]
    """Ordered by start."""
    controls: tuple[Control, ...] = ()

    @property
    def seconds(self) -> float:
        """End of the last note."""
        return max((note.end for note in self.notes), default=0.0)

    @property
    def is_chordal(self) -> bool:
        """True for chords or two hands, false for a single line."""
        sounding = sum(note.end - note.start for note in self.notes)
        return sounding > _CHORDAL * _covered(self.notes)


@dataclass(frozen=True, kw_only=True)
class Score:
    """A piece of music."""

    path: Path
    parts: tuple[Part, ...]

    @property
    def seconds(self) -> float:
        """End of the last note of all parts."""
        return max((part.seconds for part in self.parts), default=0.0)


def line(part: Part, *, lowest: bool) -> Part:
    """The top or bass line of a part: one note at a time, each ending where the next one starts.

    Args:
      part: may hold chords.
      lowest: True keeps the lowest note of each chord, False the highest.
    """
    kept: list[Note] = []
    for note in sorted(part.notes):
        if kept and note.start - kept[-1].start < _TOGETHER_SECONDS:
            if (note.pitch < kept[-1].pitch) == lowest:
                kept[-1] = note._replace(start=kept[-1].start)
            continue
        if kept and kept[-1].end > note.start:
            under = (note.pitch > kept[-1].pitch) if lowest else (note.pitch < kept[-1].pitch)
            if under and kept[-1].end - note.start > 2 * _TOGETHER_SECONDS:
                continue  # a held note of the line, while another voice moves
            kept[-1] = kept[-1]._replace(end=note.start)
        kept.append(note)
    return replace(part, notes=tuple(kept))


def one_key_at_a_time(notes: Iterable[Note]) -> tuple[Note, ...]:
    """Notes without overlaps within one pitch.

    An instrument has each key once, and a synthesizer ends all notes of a pitch together. A note
    ends where the next one of its pitch starts. Notes of one pitch that start together become one,
    with the longest duration and the highest velocity.

    Returns: the notes ordered by start.
    """
    kept: list[Note] = []
    last: dict[int, int] = {}  # index in `kept` of the last note of each pitch
    for note in sorted(notes):
        before = last.get(note.pitch)
        if before is not None and kept[before].start == note.start:
            end, louder = max(kept[before].end, note.end), max(kept[before].velocity, note.velocity)
            kept[before] = kept[before]._replace(end=end, velocity=louder)
            continue
        if before is not None and kept[before].end > note.start:
            kept[before] = kept[before]._replace(end=note.start)
        last[note.pitch] = len(kept)
        kept.append(note)
    return tuple(kept)


def fold(pitch: int, low: int, high: int) -> int:
    """Shift a pitch by octaves into a range of at least an octave."""
    if pitch < low:
        pitch += 12 * -((pitch - low) // 12)
    if pitch > high:
        pitch -= 12 * -((high - pitch) // 12)
    return pitch


def fit(notes: Iterable[Note], low: int, high: int) -> tuple[Note, ...]:
    """Shift all notes by the same number of octaves, so that most of them are in a range.

    The other notes are shifted into the range one by one, by octaves.
    """
    notes = tuple(notes)
    if not notes:
        return notes
    pitches = np.array([note.pitch for note in notes])
    octaves = sorted(range(-4, 5), key=abs)
    moved = [pitches + 12 * number for number in octaves]
    inside = [np.count_nonzero((low <= each) & (each <= high)) for each in moved]
    shift = 12 * octaves[int(np.argmax(inside))]
    return tuple(note._replace(pitch=fold(note.pitch + shift, low, high)) for note in notes)


def in_time(part: Part, moved: Callable[[float], float]) -> Part:
    """The part with every time changed by a function."""
    notes = (note._replace(start=moved(note.start), end=moved(note.end)) for note in part.notes)
    controls = (control._replace(time=moved(control.time)) for control in part.controls)
    return replace(part, notes=tuple(notes), controls=tuple(controls))


def played(note: Note, *, later: float, louder: float, shortest_seconds: float) -> Note:
    """A note with a player's timing and dynamics."""
    start = max(0.0, note.start + later)
    end = max(note.end + later, start + shortest_seconds)
    velocity = int(np.clip(round(note.velocity + louder), 1, 127))
    return Note(start, end, note.pitch, velocity)


def shorten_rests(part: Part, longest_seconds: float) -> Part:
    """Shorten every rest, also the first one, to at most `longest_seconds`."""
    notes = sorted(part.notes)
    gaps_end, removed, end = [], [], 0.0
    for note in notes:
        if note.start - end > longest_seconds:
            gaps_end.append(note.start)
            removed.append(note.start - end - longest_seconds)
        end = max(end, note.end)
    if not removed:
        return part
    total = np.concatenate([[0.0], np.cumsum(removed)])

    def moved(time: float) -> float:
        number = int(np.searchsorted(gaps_end, time, side="right"))
        # A time within a shortened rest must not pass the note that ends the rest.
        ceiling = gaps_end[number] - total[number + 1] if number < len(gaps_end) else np.inf
        return float(min(time - total[number], ceiling))

    return in_time(replace(part, notes=tuple(notes)), moved)


def cut(part: Part, seconds: float) -> Part:
    """The part up to a time; notes that last longer end there."""
    begun = (note for note in part.notes if note.start < seconds)
    notes = tuple(note._replace(end=min(note.end, seconds)) for note in begun)
    controls = tuple(control for control in part.controls if control.time < seconds)
    return replace(part, notes=notes, controls=controls)


def _covered(notes: Iterable[Note]) -> float:
    """Seconds during which at least one note sounds."""
    covered, end = 0.0, 0.0
    for note in sorted(notes):
        covered += max(0.0, note.end - max(note.start, end))
        end = max(end, note.end)
    return covered
