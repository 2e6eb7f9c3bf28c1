"""Basses, guitars, pads and stabs: pure functions from the chords and beats of a song to notes."""

from collections.abc import Callable, Iterator

import numpy as np

from tfsepgan.rendering.arranging.song import Chord, Song
from tfsepgan.rendering.score import Note, fold

_BASS_LOW, _BASS_HIGH = 28, 52  # the open E string, and a pitch that basses seldom exceed
_STRUM_SECONDS = 0.013  # from string to string
_SOUNDING_SHARE = 0.92  # of a note's time


def _segments(song: Song) -> Iterator[tuple[float, float, Chord]]:
    """First beat, number of beats and chord of every part of a bar with one chord."""
    for first, count in song.bars():
        begun, chord = float(first), song.chord_at(song.time(first) + 0.02)
        for beat in range(first + 1, first + count + 1):
            following = song.chord_at(song.time(beat) + 0.02) if beat < first + count else None
            if following != chord or beat == first + count:
                if chord is not None:
                    yield begun, beat - begun, chord
                begun, chord = float(beat), following


def _note(song: Song, beat: float, beats: float, pitch: int, velocity: int) -> Note:
    start, end = song.time(beat), song.time(beat + beats)
    return Note(start, start + max(0.05, (end - start) * _SOUNDING_SHARE), pitch, velocity)


def _low(pitch_class: int) -> int:
    return fold(pitch_class + 24, _BASS_LOW, _BASS_LOW + 11)


def bass(song: Song, rng: np.random.Generator, *, style: str) -> list[Note]:
    """A bass line.

    Args:
      song: its chords and beats.
      rng: draws the variation of a style.
      style: one of `BASSES`.
    """
    segments = list(_segments(song))
    notes: list[Note] = []
    for number, (beat, beats, chord) in enumerate(segments):
        following = segments[number + 1][2] if number + 1 < len(segments) else chord
        for at, length, pitch, velocity in BASSES[style](chord, following, beats, rng):
            pitch = fold(pitch, _BASS_LOW, _BASS_HIGH)
            notes.append(_note(song, beat + at, length, pitch, velocity))
    return notes


def _held(chord: Chord, following: Chord, beats: float, rng: np.random.Generator):
    yield 0.0, beats, _low(chord.bass), 84


def _roots(chord: Chord, following: Chord, beats: float, rng: np.random.Generator):
    for beat in range(int(beats)):
        yield float(beat), 1.0, _low(chord.bass), 94 if beat % 2 == 0 else 82


def _eighths(chord: Chord, following: Chord, beats: float, rng: np.random.Generator):
    for step in range(int(2 * beats)):
        yield step / 2, 0.5, _low(chord.bass), 96 if step % 4 == 0 else 80


def _fifths(chord: Chord, following: Chord, beats: float, rng: np.random.Generator):
    for beat in range(0, int(beats), 2):
        pitch = _low(chord.bass) if beat % 4 == 0 else _low(chord.root) + chord.fifth
        yield float(beat), min(2.0, beats - beat), pitch, 90


def _octaves(chord: Chord, following: Chord, beats: float, rng: np.random.Generator):
    for step in range(int(2 * beats)):
        yield step / 2, 0.5, _low(chord.bass) + 12 * (step % 2), 94 if step % 2 == 0 else 84


def _syncopated(chord: Chord, following: Chord, beats: float, rng: np.random.Generator):
    yield 0.0, min(1.5, beats), _low(chord.bass), 96
    if beats >= 2:
        yield 1.5, 0.5, _low(chord.bass), 82
    if beats >= 4:
        yield 2.0, 1.5, _low(chord.bass), 90
        yield 3.5, 0.5, _low(chord.root) + (chord.fifth if rng.random() < 0.5 else 12), 84


def _walking(chord: Chord, following: Chord, beats: float, rng: np.random.Generator):
    """Chord tones, and a semitone or a fifth from the next chord's bass just before it."""
    goal = _low(following.bass)
    for beat in range(int(beats)):
        if beat == 0:
            pitch = _low(chord.bass)
        elif beat == int(beats) - 1:
            pitch = goal + int(rng.choice([-1, 1, 7]))
        else:
            pitch = _low(chord.root) + int(rng.choice(chord.tones)) + 12 * int(rng.random() < 0.3)
        yield float(beat), 1.0, pitch, 92 if beat % 2 else 86


BASSES: dict[str, Callable] = {
    "held": _held,
    "roots": _roots,
    "eighths": _eighths,
    "fifths": _fifths,
    "octaves": _octaves,
    "syncopated": _syncopated,
    "walking": _walking,
}


def voicing(chord: Chord, count: int, centre: int, before: tuple[int, ...] = ()) -> tuple[int, ...]:
    """Notes of a chord near a pitch and near the previous voicing, so that voices move little.

    Args:
      chord: the chord.
      count: number of notes.
      centre: MIDI pitch.
      before: the previous voicing.
    Returns: rising MIDI pitches, all different.
    """
    middle = float(np.mean(before)) if before else float(centre)
    middle = 0.5 * middle + 0.5 * centre  # so that it does not drift away
    pitches = [pitch for pitch in range(128) if (pitch - chord.root) % 12 in chord.tones]
    found = [pitches[first : first + count] for first in range(len(pitches) - count + 1)]
    return tuple(min(found, key=lambda notes: abs(float(np.mean(notes)) - middle)))


def chords(song: Song, rng: np.random.Generator, *, style: str, centre: int) -> list[Note]:
    """An instrument that plays the chords.

    Args:
      song: its chords and beats.
      rng: draws the pattern.
      style: one of `CHORD_STYLES`.
      centre: MIDI pitch around which its chords are placed.
    """
    notes: list[Note] = []
    before: tuple[int, ...] = ()
    drawn = int(rng.integers(0, 1 << 30))  # one pattern for the song
    for beat, beats, chord in _segments(song):
        count = 3 if style in ("stabs", "pad") else 4 if style == "organ" else 5
        before = voicing(chord, count, centre, before)
        for at, length, late, pitch, velocity in CHORD_STYLES[style](before, chord, beats, drawn):
            note = _note(song, beat + at, length, pitch, velocity)
            start = note.start + late
            notes.append(note._replace(start=start, end=max(note.end, start + 0.05)))
    return notes


_STRUMS = ("D.DUDUDU", "D.D.DUDU", "D..UDU.U", "D.DU.UDU", "DUDUDUDU")


def _strum(pitches, chord, beats, drawn):
    pattern = _STRUMS[drawn % len(_STRUMS)]
    for step in range(int(2 * beats)):
        mark = pattern[step % len(pattern)]
        if mark == ".":
            continue
        strings = pitches if mark == "D" else pitches[:1:-1]
        for number, pitch in enumerate(strings):
            yield step / 2, 0.5, number * _STRUM_SECONDS, pitch, 88 if mark == "D" else 70


_PICKS = ((0, 2, 3, 4, 3, 2, 4, 3), (0, 1, 2, 3, 4, 3, 2, 1), (0, 3, 1, 4, 2, 3, 1, 4))


def _picked(pitches, chord, beats, drawn):
    pattern = _PICKS[drawn % len(_PICKS)]
    for step in range(int(2 * beats)):
        pitch = pitches[pattern[step % len(pattern)]]
        yield step / 2, 1.5, 0.0, pitch, 84 if step % 4 == 0 else 70


def _power(pitches, chord, beats, drawn):
    root = fold(chord.root + 36, 40, 51)
    muted = drawn % 2
    for step in range(int(2 * beats) if muted else 1):
        for pitch in (root, root + chord.fifth, root + 12):
            yield step / 2, 0.5 if muted else beats, 0.0, pitch, 100 if step % 4 == 0 else 84


def _pad(pitches, chord, beats, drawn):
    for pitch in pitches:
        yield 0.0, beats * 1.05, 0.0, pitch, 74


def _organ(pitches, chord, beats, drawn):
    offbeats = [(beat + 0.5, 0.4) for beat in range(int(beats))]
    for at, length in [(0.0, beats)] if drawn % 3 else offbeats:
        for pitch in pitches:
            yield at, length, 0.0, pitch, 80


_STABS = (
    ((0.0, 0.4), (1.5, 0.4)),
    ((0.5, 0.3), (2.5, 1.2)),
    ((1.5, 0.4), (3.5, 0.4)),
    ((0.0, 1.5), (3.0, 0.4)),
)


def _stabs(pitches, chord, beats, drawn):
    for at, length in _STABS[drawn % len(_STABS)]:
        if at < beats:
            for pitch in pitches:
                yield at, length, 0.0, pitch, 104


def _skanks(pitches, chord, beats, drawn):
    for beat in range(int(beats)):
        for pitch in pitches:
            yield beat + 0.5, 0.25, 0.0, pitch, 86


CHORD_STYLES: dict[str, Callable] = {
    "strum": _strum,
    "picked": _picked,
    "power": _power,
    "pad": _pad,
    "organ": _organ,
    "stabs": _stabs,
    "skanks": _skanks,
}
