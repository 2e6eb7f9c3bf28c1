"""Songs in the format of POP909: a piano performance with melody, chords and beats.

Source: Wang et al., "POP909: A Pop-song Dataset for Music Arrangement Generation", ISMIR 2020,
  arXiv:2008.07142.
"""

import re
from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

import numpy as np

from tfsepgan.errors import DataError
from tfsepgan.rendering.midi import read_midi
from tfsepgan.rendering.score import Part, in_time

BEATS, CHORDS = "beat_midi.txt", "chord_midi.txt"
_PITCH_CLASSES = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}
_DEGREES = {"1": 0, "2": 2, "3": 4, "4": 5, "5": 7, "6": 9, "7": 11}
_TONES = {  # semitones above the root; the longest prefix of a chord's name is used
    "maj": (0, 4, 7),
    "maj6": (0, 4, 7, 9),
    "maj7": (0, 4, 7, 11),
    "min": (0, 3, 7),
    "min6": (0, 3, 7, 9),
    "min7": (0, 3, 7, 10),
    "minmaj7": (0, 3, 7, 11),
    "7": (0, 4, 7, 10),
    "dim": (0, 3, 6),
    "dim7": (0, 3, 6, 9),
    "hdim7": (0, 3, 6, 10),
    "aug": (0, 4, 8),
    "sus2": (0, 2, 7),
    "sus4": (0, 5, 7),
    "sus4(b7)": (0, 5, 7, 10),
}
_LABEL = re.compile(r"([A-G])([#b]*):([^/]+)(?:/([#b]*)(\d+))?")


class Chord(NamedTuple):
    """A chord and its time."""

    start: float
    """Seconds, like `end`."""
    end: float
    root: int
    """Pitch class, 0 is C."""
    tones: tuple[int, ...]
    """Semitones above the root, starting with 0."""
    bass: int
    """Pitch class of the lowest note."""

    @property
    def fifth(self) -> int:
        """Semitones from the root to the chord's fifth, which may be altered."""
        return next((tone for tone in self.tones if 6 <= tone <= 8), 7)


@dataclass(frozen=True, kw_only=True)
class Song:
    """The input of an arrangement; all times are in seconds from the song's start."""

    path: Path
    beats: tuple[float, ...]
    downbeats: tuple[int, ...]
    """Indices of the beats that start a bar."""
    beats_in_bar: int
    chords: tuple[Chord, ...]
    piano: Part
    melody: Part
    bridge: Part

    @property
    def seconds(self) -> float:
        """Time of the last note or beat."""
        parts = (self.piano, self.melody, self.bridge)
        return max(self.beats[-1], *(part.seconds for part in parts))

    def time(self, beat: float) -> float:
        """Time of a fractional beat in seconds; after the last beat, the tempo stays constant."""
        last = len(self.beats) - 1
        if beat > last:
            return self.beats[-1] + (beat - last) * (self.beats[-1] - self.beats[-2])
        return float(np.interp(beat, np.arange(last + 1), self.beats))

    def chord_at(self, seconds: float) -> Chord | None:
        """The chord at a time."""
        at = bisect_right(self.chords, seconds, key=lambda chord: chord.start) - 1
        return self.chords[at] if at >= 0 and seconds < self.chords[at].end else None

    def bars(self) -> list[tuple[int, int]]:
        """First beat and number of beats of every bar."""
        ends = [*self.downbeats[1:], len(self.beats)]
        bars = zip(self.downbeats, ends, strict=True)
        return [(first, end - first) for first, end in bars if end > first]


def read_song(path: Path) -> Song:
    """Read a song of POP909.

    Args:
      path: its MIDI file; `beat_midi.txt` and `chord_midi.txt` are in the same folder.
    Raises: DataError with the name of the file that is missing or damaged, or lacks a part or
      beats.
    """
    parts = {part.name.lower(): part for part in read_midi(path).parts}
    missing = [name for name in ("piano", "melody") if name not in parts]
    if missing:
        raise DataError(
            f"{path} has no part named {' and '.join(missing).upper()}. Expected: a song in the"
            " format of POP909."
        )
    lines = _table(path.with_name(BEATS), _beat)
    downbeats, metre = _bars(lines, path.with_name(BEATS))
    chords = _table(path.with_name(CHORDS), _chord)
    return Song(
        path=path,
        beats=tuple(line[0] for line in lines),
        downbeats=downbeats,
        beats_in_bar=metre,
        chords=tuple(chord for chord in chords if chord is not None),
        piano=parts["piano"],
        melody=parts["melody"],
        bridge=parts.get("bridge", Part(name="BRIDGE", program=0, is_drums=False, notes=())),
    )


def in_other_key(song: Song, *, tempo: float, semitones: int) -> Song:
    """The song in another tempo and key.

    Args:
      song: the song.
      tempo: relative to the song's own.
      semitones: transposition.
    Raises: DataError when a note would leave the range of MIDI.
    """

    def moved(part: Part) -> Part:
        pitches = [note.pitch + semitones for note in part.notes]
        if pitches and not 0 <= min(pitches) <= max(pitches) <= 127:
            raise DataError(
                f"{song.path} transposed by {semitones} leaves the range of MIDI. Leave it out."
            )
        notes = tuple(note._replace(pitch=note.pitch + semitones) for note in part.notes)
        return in_time(replace(part, notes=notes), lambda time: time / tempo)

    chords = []
    for chord in song.chords:
        root, bass = (chord.root + semitones) % 12, (chord.bass + semitones) % 12
        chords.append(Chord(chord.start / tempo, chord.end / tempo, root, chord.tones, bass))
    beats = tuple(beat / tempo for beat in song.beats)
    named = {name: moved(getattr(song, name)) for name in ("piano", "melody", "bridge")}
    return replace(song, beats=beats, chords=tuple(chords), **named)


def excerpt(song: Song, first_bar: int, seconds: float) -> Song:
    """At most `seconds` of the song, starting with a bar.

    Notes that start before are left out, and notes that last longer end with the excerpt.
    """
    first = song.downbeats[first_bar]
    begin = song.beats[first]

    def moved(part: Part) -> Part:
        held = {c.number: c for c in part.controls if c.time < begin}  # state of the pedals
        controls = [c._replace(time=0.0) for c in held.values()]
        inside = [c for c in part.controls if begin <= c.time < begin + seconds]
        controls += [c._replace(time=c.time - begin) for c in inside]
        notes = tuple(
            note._replace(start=note.start - begin, end=min(note.end - begin, seconds))
            for note in part.notes
            if begin <= note.start < begin + seconds
        )
        return replace(part, notes=notes, controls=tuple(controls))

    beats = [beat - begin for beat in song.beats[first:] if beat - begin < seconds]
    downbeats = [beat - first for beat in song.downbeats[first_bar:] if beat - first < len(beats)]
    chords = tuple(
        chord._replace(start=max(0.0, chord.start - begin), end=min(chord.end - begin, seconds))
        for chord in song.chords
        if chord.end > begin and chord.start < begin + seconds
    )
    named = {name: moved(getattr(song, name)) for name in ("piano", "melody", "bridge")}
    return replace(song, beats=tuple(beats), downbeats=tuple(downbeats), chords=chords, **named)


def read_chord(label: str) -> tuple[int, tuple[int, ...], int] | None:
    """Root, tones above it and bass of a label such as `F#:maj7/5`; None for `N` (no chord).

    Source: Harte et al., "Symbolic representation of musical chords", ISMIR 2005.
    Raises: ValueError for an invalid label.
    """
    if label in ("N", "X"):
        return None
    match = _LABEL.fullmatch(label)
    if match is None:
        raise ValueError(label)
    letter, signs, name, bass_signs, degree = match.groups()
    root = (_PITCH_CLASSES[letter] + signs.count("#") - signs.count("b")) % 12
    known = [each for each in _TONES if name.startswith(each)]
    if not known:
        raise ValueError(label)
    bass = root
    if degree:
        above = _DEGREES.get(str((int(degree) - 1) % 7 + 1), 0)
        bass = (root + above + bass_signs.count("#") - bass_signs.count("b")) % 12
    return root, _TONES[max(known, key=len)], bass


def _chord(words: list[str]) -> Chord | None:
    found = read_chord(words[2])
    return None if found is None else Chord(float(words[0]), float(words[1]), *found)


def _beat(words: list[str]) -> tuple[float, bool, bool]:
    return float(words[0]), float(words[1]) == 1.0, float(words[2]) == 1.0


def _table(path: Path, read: Callable[[list[str]], object]) -> list:
    """The lines of a text file, each converted by `read`."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
        found = [read(line.split()) for line in lines if line.strip()]
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(
            f"{path} cannot be read ({error}). A song of POP909 has it next to its MIDI file."
        ) from error
    except (ValueError, IndexError) as error:
        raise DataError(
            f"{path} is damaged: a line cannot be read ({error}). Copy it again."
        ) from error
    times = [entry[0] for entry in found if entry is not None]
    if len(times) < 2 or np.any(np.diff(times) <= 0):
        raise DataError(
            f"{path} is damaged: its times do not rise. Copy it again or leave the song out."
        )
    return found


def _bars(lines: Sequence[tuple[float, bool, bool]], path: Path) -> tuple[tuple[int, ...], int]:
    """The beats that start bars, and the number of beats in a bar.

    The third column is used if it marks bars of 3 or 4 beats, otherwise the second.
    """
    for column in (2, 1):
        marked = [number for number, line in enumerate(lines) if line[column]]
        gaps = Counter(later - earlier for earlier, later in zip(marked, marked[1:], strict=False))
        if gaps and (metre := gaps.most_common(1)[0][0]) in (3, 4):
            return tuple(marked), metre
    raise DataError(f"{path} marks no bars of three or four beats. Leave the song out.")
